"""Reports from outside, for staff: a log is handed in, and rows that gave no alert are looked at one by one."""

from __future__ import annotations

from typing import Annotated, Final, Literal, cast

from fastapi import APIRouter, File, Form, Request, Response
from starlette.responses import RedirectResponse

from watchglass.acts import public_reports
from watchglass.acts.reports import clause_of, set_report_aside, take_reports
from watchglass.charter.model import Charter
from watchglass.charter.permit import TakeReports
from watchglass.charter.report_words import LOG_WORDS
from watchglass.charter.reporting import LogName
from watchglass.core.errors import BadInput
from watchglass.quality.report_rows import LEAVE_OUT, WRONGED, Asked, LeaveOut, mapping_of
from watchglass.web.portal.answers import wants_data
from watchglass.web.portal.context import grant_of, house_of, permit_for, reader_of, receipts_json
from watchglass.web.portal.render import as_json, page
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)

_LOOKED_AT: Final = frozenset({"missed", "aside", "degraded"})
_MOST: Final = 200


@twin(router, "/reports")
def reports(request: Request) -> Response:
    """What was taken in, and the rows that gave no alert."""
    charter = house_of(request).standing().charter
    clause = charter.safeguards.reports if charter is not None else None
    if charter is None or clause is None:
        return page(request, "staff/reports.html", {"clause": None})
    now = house_of(request).clock.now() + 1
    rows = [
        {"id": each.id, "log": each.log, "rule": name, "at_ms": each.at_ms, "fate": each.fate}
        for name in clause.of
        for each in public_reports.of_rule(reader_of(request), charter, charter.analytic(name), now)
        if each.fate in _LOOKED_AT
    ]
    rows.sort(key=lambda row: cast("int", row["at_ms"]), reverse=True)
    told = public_reports.reported(reader_of(request), charter, now)
    return page(
        request,
        "staff/reports.html",
        {
            "clause": clause,
            "missed": {"reports": told},
            "rows": rows[:_MOST],
            "more": max(0, len(rows) - _MOST),
            "imports": public_reports.imports(reader_of(request)),
            "_logs": {log: LOG_WORDS[log] for log in clause.logs},
            "_fates": public_reports.FATES,
            "_kinds": [*dict.fromkeys([*clause.of, *(charter.analytic(name).kind for name in clause.of), WRONGED])],
            "_leave_out": LEAVE_OUT,
        },
    )


@router.post("/reports", response_model=None)
def take(
    request: Request,
    log: Annotated[str, Form()],
    file: Annotated[bytes, File()],
    kind: Annotated[str, Form()] = "",
    mapping: Annotated[str, Form()] = "",
    timezone: Annotated[str, Form()] = "",
    leave_out: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Hand in a file."""
    house = house_of(request)
    permit = permit_for(request, TakeReports(log))
    left = frozenset(leave_out or ())
    if left - set(LEAVE_OUT):
        raise BadInput("Only some rows may be left out.", fix="Go back and choose again.")
    asked = Asked(
        mapping_of(mapping), kind.strip() or None, timezone.strip() or None, cast("frozenset[LeaveOut]", left)
    )
    done = take_reports(house.acting, grant_of(request), permit, _charter(request), file, asked)
    made = done.value
    data = {
        "log": made.log,
        "says": LOG_WORDS[cast("LogName", made.log)],
        "read": made.file.read,
        "new": made.new,
        "known": made.known,
        "left_out": dict(made.file.left_out),
        "dropped_columns": made.file.dropped_columns,
        "dropped_values": made.file.dropped_values,
        "receipts": receipts_json(done.receipts),
    }
    return as_json(data) if wants_data(request) else page(request, "staff/reports_taken.html", data)


@router.post("/reports/{report}/aside", response_model=None)
def aside(request: Request, report: int) -> Response:
    """Say of a row that the camera does not see that spot."""
    return _set(request, report, "aside")


@router.post("/reports/{report}/back", response_model=None)
def back(request: Request, report: int) -> Response:
    """Take that back."""
    return _set(request, report, "back")


def _set(request: Request, report: int, to: Literal["aside", "back"]) -> Response:
    done = set_report_aside(house_of(request).acting, grant_of(request), _charter(request), report, to)
    if wants_data(request):
        return as_json({"report": report, "to": to, "receipts": receipts_json(done.receipts)})
    return RedirectResponse("/reports#rows", status_code=303)


def _charter(request: Request) -> Charter:
    charter = house_of(request).standing().charter
    clause_of(charter)
    return cast("Charter", charter)
