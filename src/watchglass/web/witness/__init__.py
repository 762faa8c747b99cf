"""The witness's own small server."""
