"""The compliance audit's report as one HTML file that stands alone: for a journalist to read and a lawyer to file."""
