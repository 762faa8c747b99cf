"""Watchglass: public-safety AI that the public can check."""

__version__ = "0.1.0"
