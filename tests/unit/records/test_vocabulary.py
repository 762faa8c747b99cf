from __future__ import annotations

from pathlib import Path

import pytest

from watchglass.core.errors import BadInput
from watchglass.records import reference
from watchglass.records.act_spec import ROLES, ActSpec, Basis, Lane, Need
from watchglass.records.fields import NAME
from watchglass.records.vocabulary import ACTS, spec_of

ROOT = Path(__file__).parents[3]

FINER_THAN_PUBLIC = {
    "minute",
    "account",
    "person",
    "alert",
    "verdict",
    "outcome",
    "zone",
    "score",
    "probability",
    "why",
    "by",
    "reason",
}


@pytest.mark.parametrize("spec", ACTS.values(), ids=ACTS)
def test_rules_of_the_vocabulary(spec: ActSpec) -> None:
    assert spec.meaning.endswith(".")
    assert spec.seen_by.endswith(".")
    assert spec.roles <= ROLES
    assert not FINER_THAN_PUBLIC & set(spec.clear), "law 10: such a field is committed"
    assert list(spec.committed) == sorted(spec.committed)
    assert all(act in ACTS for act in spec.refs_to)
    if spec.basis is Basis.SIGNED:
        batched = spec.name.startswith("hold_") or spec.name in {"misuse_settled", "challenge_told"}
        assert spec.lane is (Lane.BATCH if batched else Lane.PROMPT)
        assert "house" not in spec.roles, "law 11: the server cannot speak for people"
    if spec.name.startswith(("alert_", "verdict_", "clip_", "handover_", "outcome_")):
        assert spec.lane is Lane.BATCH, "law 10: growth must not tell that somebody was somewhere"
        assert spec.purpose is Need.ALWAYS


def test_every_leaf_is_unlike_any_other() -> None:
    untimed = {spec.name for spec in ACTS.values() if not spec.committed}
    once = {"log_opened", "year_began"}
    own = {"run_started", "run_stopped", "recorder_named", "checkpoint_witnessed", "entries_archived"}
    assert untimed == once | own, "these carry a run's own number, key or size, or come once"
    assert all("minute" in spec.committed for spec in ACTS.values() if spec.name not in untimed)


def test_unknown_acts_are_refused() -> None:
    for act in ("face_recognised", "", None, 3, ["alert_raised"]):
        with pytest.raises(BadInput, match="not an act"):
            spec_of(act)


def test_an_act_cannot_be_specified_wrongly() -> None:
    with pytest.raises(BadInput, match="unknown role"):
        ActSpec("x", Basis.ATTESTED, Lane.BATCH, frozenset({"spy"}), "X.", "Y.")
    with pytest.raises(BadInput, match="twice"):
        ActSpec("x", Basis.ATTESTED, Lane.BATCH, frozenset({"house"}), "X.", "Y.", {"a": NAME}, {"a": NAME})


def test_the_reference_page_is_the_codes() -> None:
    written = (ROOT / "docs/reference/records.md").read_text("utf-8")
    assert written == reference.page(), "run: python -m watchglass.records.reference > docs/reference/records.md"
    for name, spec in ACTS.items():
        assert f"### `{name}`" in written
        assert all(f"| `{field}` |" in written for field in (*spec.clear, *spec.committed))
