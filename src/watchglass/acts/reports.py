"""Acts: what others noted down is taken in, a row is set aside or put back, and what is kept too long is destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchglass.access.roles import Grant, May
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.charter.model import Charter
from watchglass.charter.permit import Permit, TakeReports
from watchglass.charter.reporting import Reports
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, Problem, Refused
from watchglass.core.time import minute_of
from watchglass.quality.report_rows import Asked, Taken, read_rows
from watchglass.records.outbox import Reader, Row, Transaction


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came of a file. ``new``: rows that are kept now; ``known``: rows of that log that were kept already."""

    log: str
    new: int
    known: int
    file: Taken


def clause_of(charter: Charter | None) -> Reports:
    """The charter's clause about reports.

    Raises:
        Refused: there is none.
    """
    reports = charter.safeguards.reports if charter is not None else None
    if reports is None:
        raise Refused(
            "The charter does not let anybody take in what others note down.",
            fix="Add `safeguards.reports` to the charter; see docs/how-to/compare-with-dispatch.md.",
        )
    return reports


def take_reports(
    acting: Acting, grant: Grant | None, permit: Permit, charter: Charter, data: bytes, asked: Asked
) -> Done[TakenIn]:
    """Take in the rows of a file, all or none; a row that is kept already changes nothing.

    Args:
        grant: of the person; None where it is done on the machine itself.
        permit: of ``TakeReports`` of that log.
        charter: the one in force, which gave the permit.

    Raises:
        BadInput: the file cannot be read, with the rows.
        CannotRecord: it could not be recorded, so nothing is kept.
    """
    if grant is not None:
        grant.require(May.KEEP_REPORTS)
    now = acting.clock.now()
    log = permit.require(TakeReports, now).log
    same(permit.charter, charter.digest)
    taken = read_rows(data, asked, charter, clause_of(charter), now)

    def act(tx: Transaction) -> TakenIn:
        known = {
            (row["at_ms"], row["source"], row["analytic"])
            for row in tx.all("SELECT at_ms, source, analytic FROM report WHERE log = ?", log)
        }
        new = [row for row in taken.rows if (row.at_ms, row.source, row.analytic) not in known]
        made = TakenIn(log, len(new), len(taken.rows) - len(new), taken)
        if new:
            leaf = _record(acting, tx, grant, permit, made)
            number = tx.insert("report_import", {"log": log, "taken_ms": now, "leaf_hash": leaf})
            for row in new:
                where = {"source": row.source, "analytic": row.analytic}
                tx.insert("report", {"import": number, "log": log, "at_ms": row.at_ms, **where})
        return made

    return do(acting, act)


def _record(acting: Acting, tx: Transaction, grant: Grant | None, permit: Permit, made: TakenIn) -> bytes:
    file = made.file
    return attest(
        acting,
        tx,
        "reports_taken_in",
        by=grant,
        under=permit,
        clear={"log": made.log},
        committed={
            "rows": made.new,
            "known": made.known,
            "left_out": sum(file.left_out.values()),
            "dropped_columns": file.dropped_columns,
            "dropped_values": file.dropped_values,
            "analytics": sorted({row.analytic for row in file.rows if row.analytic}),
            "file_sha256": b64(file.digest),
            "account": grant.person.name if grant is not None else None,
        },
    )


def set_report_aside(
    acting: Acting, grant: Grant | None, charter: Charter, report: int, to: Literal["aside", "back"]
) -> Done[None]:
    """A person says that the camera does not see the spot of a row, or takes that back.

    Raises:
        BadInput: there is no such row, or it is about no rule.
        Problem: that was said of it already.
    """
    if grant is not None:
        grant.require(May.KEEP_REPORTS)

    def act(tx: Transaction) -> None:
        row = the_report(tx, report)
        if not row["analytic"]:
            raise BadInput("This complaint is about no rule, so it counts for none.", fix="Leave it as it is.")
        if (row["aside_ms"] is not None) == (to == "aside"):
            raise Problem("Somebody has done that already.", fix="Reload the page.")
        attest(
            acting,
            tx,
            "report_set_aside",
            by=grant,
            under=charter,
            clear={"log": row["log"], "to": to},
            committed={
                "row": row["id"],
                "analytic": row["analytic"],
                "account": grant.person.name if grant is not None else None,
            },
            refs=[bytes(row["leaf_hash"])],
        )
        at = acting.clock.now() if to == "aside" else None
        tx.execute("UPDATE report SET aside_ms = ? WHERE id = ?", at, report)

    return do(acting, act)


def the_report(reader: Reader, report: int) -> Row:
    """One row, with the record of what it came with.

    Raises:
        BadInput: there is none.
    """
    row = reader.one(
        "SELECT report.*, report_import.leaf_hash FROM report JOIN report_import ON report_import.id = report.import "
        "WHERE report.id = ?",
        report,
    )
    if row is None:
        raise BadInput("There is no such report (any more).", fix="Reload the page.")
    return row


def forget_reports(acting: Acting, charter: Charter) -> int:
    """Destroy rows whose time is over, and what is known of a file once every row of it must be gone.

    Without a clause nothing may be kept.
    """
    reports = charter.safeguards.reports
    before = acting.clock.now() - (reports.kept_ms if reports is not None else 0)
    due = "SELECT (SELECT count(*) FROM report WHERE at_ms < ?1) + "
    due += "(SELECT count(*) FROM report_import WHERE taken_ms < ?1)"
    row = acting.store.read().one(f"{due} AS n", before)
    if row is None or not row["n"]:
        return 0

    def act(tx: Transaction) -> int:
        number = tx.execute("DELETE FROM report WHERE at_ms < ?", before)
        number += tx.execute("DELETE FROM report_import WHERE taken_ms < ?", before)
        attest(
            acting,
            tx,
            "retention_applied",
            by=None,
            under=charter,
            clear={"what": "reports"},
            committed={"count": number, "before": minute_of(before)},
        )
        return number

    return acting.store.commit(act).value
