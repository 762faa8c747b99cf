"""The compliance audit: a log replayed against its own charters. Pure; bytes in, findings out."""
