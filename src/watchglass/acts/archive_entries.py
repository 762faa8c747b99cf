"""Act: entries of past years are archived. They are no longer served here; their hashes are, for ever.

It is recorded, published and cosigned before the first of them is removed. So nobody can let an unfavourable past go
quietly: oversight has published its audit of it, or everybody had ninety days to copy it, and the record says who has
it now.
"""

from __future__ import annotations

from watchglass.acts.context import Acting, Done, attest, do
from watchglass.acts.years import ARCHIVED, GRACE_MS, Archive, Year, archives, audits, remember, years
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, Refused
from watchglass.core.time import iso
from watchglass.ledger.tiles import FULL, TileReader
from watchglass.records.outbox import Reader, Transaction


def archivable(reader: Reader, tiles: TileReader, year: int, *, cosigned_size: int, head: int, now_ms: int) -> Year:
    """The year whose past may be archived now.

    Args:
        cosigned_size: how many entries enough witnesses have cosigned. head: how many are published.

    Raises:
        BadInput: no such year began here.
        Refused: it is too early, or nobody has cosigned that it began.
    """
    known = {each.year: each for each in years(reader)}
    began = known.get(year)
    if began is None:
        names = ", ".join(str(each) for each in sorted(known)) or "none yet"
        raise BadInput(f"{year} has not begun in this ledger.", fix=f"Years that have: {names}.")
    if began.index is None or began.index >= cosigned_size:
        raise Refused(
            f"No quorum of witnesses has cosigned the record that {year} began.",
            fix="Wait until they have: `watchglass status` shows whether they answer.",
        )
    if now_ms >= began.began_ms + GRACE_MS or began.audit is not None:
        return began
    for audit in audits(reader, tiles, head, ""):
        if audit.size >= began.size and audit.index < cosigned_size:
            return began
    raise Refused(
        f"Oversight has published no audit of the {began.size:,} entries before {year}, and everybody may copy them "
        f"here until {iso(began.began_ms + GRACE_MS)}.",
        fix="Ask oversight to audit and to publish what it found, or wait until then.",
    )


def archive_entries(acting: Acting, year: Year, kept_by: str) -> Done[Archive]:
    """Record that what came before a year is archived, or find the record of it; it is removed afterwards.

    Args:
        kept_by: who has the entries from now on, and how to get them.
    """
    before = year.size // FULL * FULL

    def act(tx: Transaction) -> Archive:
        known = archives(tx)
        found = next((each for each in known if each.year == year.year), None)
        if found is not None:
            return found
        if known and known[0].year > year.year:
            raise BadInput(f"What came before {known[0].year} is archived already.", fix="There is nothing to do.")
        if before <= (known[0].before if known else 0):
            raise BadInput(
                f"Before {year.year} there are {year.size:,} entries, and no whole file of 256 that is still here.",
                fix="There is nothing to archive yet.",
            )
        leaf = attest(
            acting,
            tx,
            ARCHIVED,
            by=None,
            under=None,
            clear={"year": year.year, "before": before, "kept_by": kept_by},
            refs=(unb64(year.leaf_hash),),
        )
        remember(tx, ARCHIVED, year.year, {"before": before, "kept_by": kept_by, "leaf_hash": b64(leaf)})
        return Archive(year.year, before, kept_by, b64(leaf))

    return do(acting, act)
