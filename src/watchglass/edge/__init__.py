"""Adapters to the world: files, SQLite, video, inference, clocks, keys."""
