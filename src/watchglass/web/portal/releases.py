"""Original video: what oversight sees of it, and where those who ask or decide find their own desk.

Nothing is opened, approved or settled here. What these pages write are commands for somebody's own machine.
"""

from __future__ import annotations

import re
import shlex
from typing import Final

from fastapi import APIRouter, Request, Response

from watchglass.access.misuse import Finding, cannot_judge
from watchglass.acts import misuse, oversight_reading
from watchglass.acts.reading import history_until
from watchglass.web.portal.context import house_of, person_of, reader_of
from watchglass.web.portal.render import page
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)

_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?Z?")
_LONGEST: Final = 500
_WHAT: Final = {
    Finding.EXPLAINED: "there was a good cause that no record told",
    Finding.MISTAKE: "a mistake, without intent",
    Finding.MISUSE: "misuse",
    Finding.UNCLEAR: "it could not be found out",
}


@twin(router, "/oversight/releases")
def releases(request: Request) -> Response:
    """Every request with its answers, what was turned away and why, each emergency, each hold."""
    house, reader = house_of(request), reader_of(request)
    charter, now = house.standing().charter, house.clock.now()
    emergencies = oversight_reading.emergencies(reader, now)
    return page(
        request,
        "oversight/releases.html",
        {
            "recorded": charter is not None and charter.safeguards.record is not None,
            "requests": oversight_reading.requests(reader, now),
            "turned_away": oversight_reading.turned_away(reader),
            "emergencies": emergencies,
            "unreported": sum(each.overdue and each.followed_ms is None for each in emergencies),
            "holds": oversight_reading.holds(reader),
            "simulated_until": history_until(reader) or None,
            "now_ms": now,
        },
    )


@twin(router, "/oversight/misuse")
def signals(request: Request, signal: str = "", finding: str = "", note: str = "", key: str = "") -> Response:
    """Signals of misuse, a sentence each with its evidence; and the command that says what was made of one."""
    house, reader = house_of(request), reader_of(request)
    known = misuse.signals(reader)
    chosen = next((each for each in known if each.signal.id == signal and each.finding is None), None)
    found = finding if finding in set(Finding) else Finding.EXPLAINED.value
    said, file = " ".join(note.split())[:_LONGEST], key or "oversight.key"
    words = ["watchglass", "oversight", "settle", _address(request), "--key", file]
    words += ["--signal", chosen.signal.id if chosen else "", "--finding", found, "--note", said]
    evidence = misuse.entries_of(reader, [number for each in known for number in each.signal.evidence])
    return page(
        request,
        "oversight/misuse.html",
        {
            "signals": [
                {
                    "id": each.signal.id,
                    "kind": each.signal.kind,
                    "sentence": each.signal.sentence,
                    "at_ms": each.signal.at_ms,
                    "evidence": [{"leaf": number, "index": evidence.get(number)} for number in each.signal.evidence],
                    "index": each.index,
                    "finding": each.finding,
                    "note": each.note,
                    "settled_ms": each.settled_ms,
                    "settled_index": each.settled_index,
                }
                for each in known
            ],
            "open": sum(each.finding is None for each in known),
            "judged_until": misuse.judged_until(reader),
            "cannot_judge": cannot_judge(misuse.facts_of(reader, house.clock.now())),
            "chosen": chosen.signal.id if chosen else None,
            "command": shlex.join(words) if chosen else None,
            "simulated_until": history_until(reader) or None,
            "_finding": found,
            "_note": said,
            "_key": file,
            "_findings": {each.value: words_of for each, words_of in _WHAT.items()},
        },
    )


@twin(router, "/desk")
def desk(request: Request, source: str = "", since: str = "", until: str = "", reason: str = "") -> Response:
    """Where an investigator, a custodian or a shift lead finds the page that signs: on their own machine."""
    house = house_of(request)
    charter = house.standing().charter
    names = [each.name for each in charter.sources if charter.records(each.name)] if charter else []
    chosen = source if source in names else (names[0] if names else "")
    begin, end = (_time(each) for each in (since, until))
    url = _address(request)
    common = ["--keys", "KEYS", "--trust", "TRUST"]
    return page(
        request,
        "staff/desk.html",
        {
            "roles": sorted(person_of(request).roles),
            "recorded": bool(names),
            "sources": names,
            "source": chosen,
            "since": begin,
            "until": end,
            "reason": " ".join(reason.split())[:_LONGEST],
            "serve": shlex.join(["watchglass", "desk", "serve", url, *common]),
            "inbox": shlex.join(["watchglass", "custodian", "inbox", url, *common]),
            "request": shlex.join(
                [
                    *("watchglass", "case", "request", url, "CASE", *common, "--source", chosen or "SOURCE"),
                    *("--from", begin or "TIME", "--to", end or "TIME"),
                    *("--reason", " ".join(reason.split())[:_LONGEST] or "…"),
                ]
            ),
            "longest_ms": charter.safeguards.release.longest_ms if charter and charter.safeguards.release else None,
        },
    )


def _address(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _time(text: str) -> str:
    """A time as the command takes it; nothing where it is none."""
    return f"{text.removesuffix('Z')}Z" if _TIME.fullmatch(text) else ""
