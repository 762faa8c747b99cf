"""Audit sets in folders: three forms of labels, pictures and clips. All is checked before anything is looked at."""

from watchglass.edge.audit_sets.reading import Frame, frames, read

__all__ = ["Frame", "frames", "read"]
