"""A charter from the bytes that were published."""

from __future__ import annotations

from functools import lru_cache

from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.core.digest import unb64
from watchglass.core.errors import Problem
from watchglass.records.outbox import Reader


@lru_cache(maxsize=64)
def charter_of(text: bytes) -> Charter:
    """The charter behind bytes that were published; parsed once."""
    return parse(text)


def the_charter(reader: Reader, digest: bytes | str) -> Charter:
    """The published charter with that SHA-256, as bytes or as rows of alerts write it (base64).

    Raises:
        Problem: it was never published here.
    """
    sha256 = unb64(digest, length=32) if isinstance(digest, str) else digest
    row = reader.one("SELECT text FROM charter_version WHERE sha256 = ?", sha256)
    if row is None:
        raise Problem("A charter that something was done under is gone.", fix="Restore the database from a backup.")
    return charter_of(bytes(row["text"]))
