"""Other people's analytics: found by entry point, read by their card, run where there is no network and no file."""
