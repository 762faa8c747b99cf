"""The one table of what the portal answers to, and what each answer needs. What is not listed does not exist.

The guard looks a request up here before the application sees it, so a page that somebody forgets to list cannot be
reached at all; ``check`` refuses to start when the application and this table disagree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import Match, compile_path

from watchglass.access.roles import May
from watchglass.evidence.custody import LARGEST_BUNDLE

MAX_BODY: Final = 256 * 1024
"""The largest request body, bytes. The portal takes forms and signed statements; nobody uploads pictures to it."""
LARGEST_LOG: Final = 1_000_000
"""Of a log that others keep; below what a form's parser keeps in memory, so that no name in it touches a disk."""
LARGEST_BUNDLE_BODY: Final = LARGEST_BUNDLE * 4 // 3 + MAX_BODY
"""Of a signed act with its bundle of shares: the bundle in base64, and the statement."""


class Pace(StrEnum):
    """Which rate limit counts a request."""

    PAGE = "page"
    LOG = "log"
    LOGIN = "login"
    SIGNED = "signed"
    ASKED = "asked"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Rule:
    """One endpoint.

    Attributes:
        needs: what the person must be allowed to do; ``May.SEE_PUBLIC`` is everyone, ``May.KEEP_OWN_ACCOUNT`` any
            signed-in person.
        csrf: whether an unsafe request must carry the session's token. Only sign-in (no session yet) and the
            signed acts (the signature is the authority, no cookie is looked at) go without.
        stream: server-sent events; stays open.
        largest: bytes that a request's body may have, where it is more than forms and statements need.
    """

    method: str
    path: str
    needs: May
    csrf: bool = True
    pace: Pace = Pace.PAGE
    stream: bool = False
    largest: int = MAX_BODY

    @property
    def public(self) -> bool:
        return self.needs is May.SEE_PUBLIC


def _get(needs: May, *paths: str, pace: Pace = Pace.PAGE, stream: bool = False) -> tuple[Rule, ...]:
    return tuple(Rule("GET", path, needs, pace=pace, stream=stream) for path in paths)


def _both(needs: May, *paths: str) -> tuple[Rule, ...]:
    """Pages together with their data twins."""
    return tuple(rule for path in paths for rule in _get(needs, path, f"{path}.json"))


def _post(needs: May, *paths: str) -> tuple[Rule, ...]:
    return tuple(Rule("POST", path, needs) for path in paths)


PUBLIC: Final = (
    *_get(May.SEE_PUBLIC, "/", "/index.json"),
    *_both(May.SEE_PUBLIC, "/tour", "/register", "/originals", "/costs", "/charter", "/ledger"),
    *_both(May.SEE_PUBLIC, "/how-well"),
    *_get(May.SEE_PUBLIC, "/how-well/{table}.csv"),
    *_both(May.SEE_PUBLIC, "/register/sources/{name}", "/register/analytics/{name}", "/register/models/{name}"),
    *_both(May.SEE_PUBLIC, "/register/sources/{name}/heartbeats"),
    *_both(May.SEE_PUBLIC, "/charter/versions", "/charter/versions/{n}", "/charter/diff/{a}/{b}"),
    *_both(May.SEE_PUBLIC, "/view/{source}"),
    *_get(May.SEE_PUBLIC, "/view/{source}/still.png", "/view/{source}/now.webp", "/view/{source}/backdrop.png"),
    *_get(May.SEE_PUBLIC, "/view/{source}/events", stream=True),
    *_both(May.SEE_PUBLIC, "/ledger/entries/{index}", "/ledger/verify"),
    *_both(May.SEE_PUBLIC, "/audit", "/audit/{day}"),
    *_get(May.SEE_PUBLIC, "/audit/{day}/report"),
    *_get(May.SEE_PUBLIC, "/api"),
    *_get(May.SEE_PUBLIC, "/api/openapi.json", "/api/v1/standing"),
    *_get(May.SEE_PUBLIC, "/healthz", "/static/{path:path}", pace=Pace.NONE),
    *_get(May.SEE_PUBLIC, "/log/checkpoint", "/log/tile/{path:path}", "/log/years/{name}", pace=Pace.LOG),
    Rule("POST", "/api/v1/signed-acts", May.SEE_PUBLIC, csrf=False, pace=Pace.SIGNED),
    Rule("POST", "/api/v1/charters", May.SEE_PUBLIC, csrf=False, pace=Pace.SIGNED),
    Rule("POST", "/api/v1/bundles", May.SEE_PUBLIC, csrf=False, pace=Pace.SIGNED, largest=LARGEST_BUNDLE_BODY),
    Rule("POST", "/api/v1/queries", May.SEE_PUBLIC, csrf=False, pace=Pace.ASKED),
    Rule("POST", "/api/v1/segments", May.SEE_PUBLIC, csrf=False, pace=Pace.ASKED),
)

SESSION: Final = (
    *_get(May.SEE_PUBLIC, "/login"),
    Rule("POST", "/login", May.SEE_PUBLIC, csrf=False, pace=Pace.LOGIN),
    *_post(May.KEEP_OWN_ACCOUNT, "/logout", "/account"),
    *_both(May.KEEP_OWN_ACCOUNT, "/account"),
)

STAFF: Final = (
    *_both(May.SEE_QUEUE, "/review"),
    *_get(May.SEE_QUEUE, "/review/events", stream=True),
    *_both(May.SEE_QUEUE, "/review/mine"),
    *_both(May.SEE_QUEUE, "/review/samples"),
    *_get(May.SEE_CLIP, "/review/samples/{sample}/clip.mp4"),
    *_post(May.DECIDE_ALERT, "/review/samples/{sample}/answer"),
    *_both(May.SEE_DOUBTS, "/doubts"),
    *_both(May.SEE_QUEUE, "/review/alerts/{alert}"),
    *_get(May.SEE_QUEUE, "/review/alerts/{alert}/still.png"),
    *_get(May.SEE_CLIP, "/review/alerts/{alert}/clip.mp4"),
    *_post(
        May.DECIDE_ALERT,
        "/review/alerts/{alert}/verdict",
        "/review/alerts/{alert}/undo",
        "/review/alerts/{alert}/claim",
        "/review/alerts/{alert}/release",
    ),
    *_both(May.RESPOND, "/respond"),
    *_get(May.RESPOND, "/respond/events", stream=True),
    *_both(May.RESPOND, "/respond/{alert}"),
    *_get(May.RESPOND, "/respond/{alert}/still.png"),
    *_post(May.RESPOND, "/respond/{alert}/step", "/respond/{alert}/outcome"),
    *_both(May.SEE_DRILLS, "/drills"),
    *_post(May.PLAN_DRILL, "/drills", "/drills/{drill}/call-off"),
    *_post(May.RUN_DRILL, "/drills/{drill}/begin", "/drills/{drill}/end", "/drills/{drill}/tell"),
    *_both(May.SETTLE_NOTICES, "/notices"),
    *_post(May.SETTLE_NOTICES, "/notices/test", "/notices/{notice}/again", "/notices/{notice}/give-up"),
    *_both(May.KEEP_REPORTS, "/reports"),
    Rule("POST", "/reports", May.KEEP_REPORTS, largest=LARGEST_LOG),
    *_post(May.KEEP_REPORTS, "/reports/{report}/aside", "/reports/{report}/back"),
    *_both(May.PREPARE_RELEASE, "/desk"),
    *_both(May.SEE_STAFF_FIGURES, "/figures"),
    *_both(May.SEE_QUALITY, "/quality"),
    *_get(May.SEE_QUALITY, "/quality/{table}.csv"),
    *_post(May.RECALIBRATE, "/quality/{analytic}/recalibrate", "/quality/{analytic}/withdraw-calibration"),
    *_both(May.SEE_SOURCES, "/sources", "/sources/{name}"),
    *_get(May.SEE_SOURCES, "/sources/events", stream=True),
    *_both(May.CONFIRM_BACKDROP, "/sources/{name}/backdrop"),
    *_get(May.CONFIRM_BACKDROP, "/sources/{name}/backdrop/proposal.png", "/sources/{name}/backdrop/view.png"),
    *_post(
        May.CONFIRM_BACKDROP,
        "/sources/{name}/backdrop/confirm",
        "/sources/{name}/backdrop/withdraw",
        "/sources/{name}/backdrop/propose",
    ),
    *_both(May.EDIT_DRAFT, "/sources/{name}/zones"),
    *_get(May.EDIT_DRAFT, "/sources/{name}/zones/backdrop.png", "/sources/{name}/zones/charter.yaml"),
    *_post(May.EDIT_DRAFT, "/sources/{name}/zones"),
)

OVERSIGHT: Final = (
    *_both(May.SEE_EVERYTHING_DONE, "/oversight"),
    *_both(May.PREPARE_SUSPENSION, "/oversight/suspend"),
    *_both(May.SEE_RELEASES, "/oversight/releases"),
    *_both(May.SEE_SIGNALS, "/oversight/misuse"),
    *_both(May.TAKE_OPENINGS, "/oversight/openings"),
    *_post(May.TAKE_OPENINGS, "/oversight/openings"),
)

ADMINISTRATION: Final = (
    *_both(May.MANAGE_ACCOUNTS, "/accounts"),
    *_post(
        May.MANAGE_ACCOUNTS,
        "/accounts",
        "/accounts/{account}/roles",
        "/accounts/{account}/password",
        "/accounts/{account}/close",
    ),
)

RULES: Final = PUBLIC + SESSION + STAFF + OVERSIGHT + ADMINISTRATION

_SAMPLES: Final = {"path": "tile/0/000", "index": "1", "n": "1", "a": "1", "b": "2", "account": "1"}
_PARAMETER: Final = re.compile(r"\{(\w+)(?::\w+)?\}")


def sample(path: str) -> str:
    """A concrete path of the template ``path``, for the checks at the start and in the tests."""
    return _PARAMETER.sub(lambda found: _SAMPLES.get(found[1], "sample"), path)


class Table:
    """Finds the rule of a request. Fixed paths win over patterns, and patterns with more fixed text over others."""

    def __init__(self, rules: Iterable[Rule] = RULES) -> None:
        self._fixed: dict[tuple[str, str], Rule] = {}
        patterns: list[tuple[re.Pattern[str], Rule]] = []
        for rule in rules:
            if "{" not in rule.path:
                self._fixed[rule.method, rule.path] = rule
                continue
            patterns.append((compile_path(rule.path)[0], rule))
        self._patterns = sorted(patterns, key=lambda item: -len(_PARAMETER.sub("", item[1].path)))

    def find(self, method: str, path: str) -> Rule | None:
        """The rule of this request, or None: then it does not exist."""
        rule = self._fixed.get((method, path))
        if rule is not None:
            return rule
        for pattern, candidate in self._patterns:
            if candidate.method == method and pattern.match(path):
                return candidate
        return None

    def methods(self, path: str) -> set[str]:
        """Which methods the path answers to."""
        return {method for method in ("GET", "POST") if self.find(method, path) is not None}


def check(app: FastAPI, rules: Iterable[Rule] = RULES) -> None:
    """Stop the start when the application and the table disagree.

    Raises:
        RuntimeError: an endpoint has no rule, a rule has no endpoint, or a request would be judged by one rule and
            answered by the endpoint of another.
    """
    listed = {(rule.method, rule.path): rule for rule in rules}
    table = Table(listed.values())
    contexts = list(iter_route_contexts(app.routes))
    served: set[tuple[str, str]] = set()
    for route in contexts:
        path = route.path or ""
        if not route.methods:
            raise RuntimeError(f"{path} is not a plain endpoint; the route table can only judge those.")
        for method in route.methods - {"HEAD", "OPTIONS"}:
            served.add((method, path))
            if (method, path) not in listed:
                raise RuntimeError(f"{method} {path} has no rule in the portal's route table.")
            judged, answered = table.find(method, sample(path)), _answers(contexts, method, sample(path))
            if judged is None or judged.path != path or answered != path:
                by = judged.path if judged else "none"
                raise RuntimeError(f"{method} {path} would be judged by the rule of {by} and answered by {answered}.")
    missing = sorted(f"{method} {path}" for method, path in listed.keys() - served)
    if missing:
        raise RuntimeError("The portal's route table lists endpoints that do not exist: " + ", ".join(missing))


def _answers(contexts: Iterable[RouteContext], method: str, path: str) -> str:
    """The template of the endpoint that the application itself would choose."""
    scope = {"type": "http", "method": method, "path": path, "headers": [], "path_params": {}}
    return next((route.path or "" for route in contexts if route.matches(dict(scope))[0] is Match.FULL), "nothing")
