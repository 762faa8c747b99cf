"""Hypothesis for the charter room: parsing never surprises, deciding always answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from thorough import tries
from watchglass.charter.decide import LEASE_MS, Standing, Suspension, decide, in_force
from watchglass.charter.diff import compare
from watchglass.charter.lint import lint
from watchglass.charter.parse import CharterErrors, CharterRefused, Parsed, parse, read
from watchglass.charter.permit import (
    ConfirmBackdrop,
    Decide,
    HandOver,
    KeepClip,
    LookAt,
    Permit,
    RaiseAlert,
    Request,
    RunAnalytic,
    ShowPublicView,
    ShowReviewerView,
)
from watchglass.charter.words import explain
from watchglass.core.errors import Refused
from watchglass.core.time import DAY, HOUR

CHARTERS = Path(__file__).parents[1] / "spec" / "charters"
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(CHARTERS.glob("*.yaml"))]
HARBOUR = parse((CHARTERS / "harbour-square.yaml").read_bytes())
POLICE = parse((CHARTERS / "police-square.yaml").read_bytes())
SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
KEYS = sorted({line.split(":")[0].strip(" -{") for text in TEXTS for line in text.splitlines() if ":" in line})


def attempt(data: bytes) -> Parsed | CharterRefused | CharterErrors:
    try:
        return read(data)
    except (CharterRefused, CharterErrors) as error:
        return error


def outcome(data: bytes) -> None:
    """Parse; whatever comes is a charter that can be linted, told and compared, or an error with places."""
    result = attempt(data)
    if isinstance(result, Parsed):
        assert result.charter.data == data
        lint(result)
        assert all(section.sentences for section in explain(result.charter))
        assert compare(result.charter, result.charter) == []
        return
    found = result.faults if isinstance(result, CharterErrors) else result.refusals
    assert found
    assert all(fault.message and fault.fix and fault.line >= 1 and fault.column >= 1 for fault in found)


@settings(SLOW_MACHINE)
@given(st.binary(max_size=300))
@example(b"")
@example(b"? ")
@example(b"a: |1\n")
@example(b"!!binary a: b")
@example(b"a: >\n\n")
def test_any_bytes_give_a_charter_or_an_error_of_ours(data: bytes) -> None:
    outcome(data)


yamlish = st.text(alphabet="abc:-[]{},&*!|>'\"%@#? \n\t0123\\ue\x85\u2028", max_size=120)


@settings(SLOW_MACHINE, max_examples=tries(300))
@given(yamlish)
def test_anything_that_looks_like_yaml_gives_an_error_of_ours(text: str) -> None:
    outcome(text.encode())


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates() | st.sampled_from(KEYS),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=20,
)


@settings(SLOW_MACHINE)
@given(st.dictionaries(st.sampled_from(KEYS), values, max_size=12), st.booleans())
def test_any_yaml_value_gives_an_error_of_ours(value: dict[str, object], flow: bool) -> None:
    outcome(yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True).encode())


@settings(SLOW_MACHINE, max_examples=tries(300))
@given(st.sampled_from(TEXTS), st.data())
def test_a_charter_with_a_piece_cut_out_or_written_over_never_surprises(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    piece = data.draw(st.sampled_from(KEYS) | st.text(max_size=10))
    outcome((text[:start] + piece + text[end:]).encode("utf-8", "surrogatepass"))


names = st.sampled_from(
    ["steps-cam", "hall", "platform", "crowding", "on-the-track", "inside-at-night", "platform-crowd", "x"]
)
moments = st.integers(-DAY, 8_000_000_000_000) | st.integers(in_force(HARBOUR)[0] - DAY, in_force(HARBOUR)[1] + DAY)
requests: st.SearchStrategy[Request] = st.one_of(
    st.builds(RunAnalytic, names, names),
    st.builds(LookAt, names),
    st.builds(ShowPublicView, names),
    st.builds(ConfirmBackdrop, names),
    st.builds(RaiseAlert, names, st.none() | moments),
    st.builds(KeepClip, names),
    st.builds(ShowReviewerView, names, names | st.just("crowd-safety")),
    st.builds(Decide, names),
    st.builds(HandOver, names),
)
standings = st.builds(
    Standing,
    st.none() | st.sampled_from([HARBOUR, POLICE]),
    st.sampled_from(["production", "trial", "demo"]),
    st.frozensets(st.sampled_from(["authority", "oversight"])),
    st.sampled_from(["no", "waiting", "cosigned", "exempt"]),
    st.lists(
        st.builds(Suspension, names | st.just("all"), st.just("oversight"), st.integers(0, 10**12)), max_size=2
    ).map(tuple),
)
FINISHING = (ShowReviewerView, Decide, HandOver)


def answer(standing: Standing, request: Request, now: int) -> Permit | None:
    """The permit, or None after a refusal; anything else that is raised fails the test."""
    try:
        return decide(standing, request, now)
    except Refused as error:
        told = error.reasons and error.fix
    assert told
    return None


@settings(SLOW_MACHINE, max_examples=tries(400))
@given(standings, requests, moments)
def test_deciding_always_answers_and_never_for_longer_than_it_may(
    standing: Standing, request: Request, now: int
) -> None:
    permit = answer(standing, request, now)
    if permit is None:
        return
    charter = standing.charter
    assert charter is not None
    begin, end = in_force(charter)
    assert permit.charter_sha256 == charter.sha256
    assert now < permit.until_ms <= now + LEASE_MS
    assert standing.approvals == {"authority", "oversight"}
    assert standing.published in {"cosigned", "exempt"}
    if not isinstance(request, FINISHING):
        assert begin <= now < permit.until_ms <= end
        assert not any(order.scope == "all" for order in standing.suspensions)


running = st.sampled_from(
    [(HARBOUR, RunAnalytic("steps-cam", "on-the-track")), (POLICE, RunAnalytic("hall", "inside-at-night"))]
)


@settings(SLOW_MACHINE, max_examples=tries(200))
@given(running, st.integers(0, 2 * 366 * DAY), st.floats(0, 1))
def test_a_permit_holds_at_every_moment_until_it_ends(pair: tuple, offset: int, part: float) -> None:
    charter, request = pair
    now = in_force(charter)[0] + offset
    signed = frozenset({"authority", "oversight"})
    standing = Standing(charter, "production", signed, "cosigned", witnessed_ms=now - offset % HOUR)
    permit = answer(standing, request, now)
    assume(permit is not None)
    assert permit is not None
    later = now + int((permit.until_ms - 1 - now) * part)
    assert answer(standing, request, later) is not None


@settings(SLOW_MACHINE)
@given(standings, requests, moments)
def test_another_suspension_never_turns_a_no_into_a_yes(standing: Standing, request: Request, now: int) -> None:
    more = replace(standing, suspensions=(*standing.suspensions, Suspension("all", "oversight", 0)))
    if answer(standing, request, now) is None:
        assert answer(more, request, now) is None
