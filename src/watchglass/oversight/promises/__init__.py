"""The promises, one a file."""
