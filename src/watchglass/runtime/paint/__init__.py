"""Paints one video file for whoever owns it: outside any deployment, charter and ledger."""
