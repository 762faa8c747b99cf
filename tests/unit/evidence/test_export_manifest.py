from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from a_release import (
    AUTHORITY,
    BOARD,
    CASE_KEY,
    CUSTODIANS,
    DPO,
    HEADERS,
    IDENTITIES,
    INVESTIGATOR,
    NOW,
    PURPOSE,
    RECORDER,
    SEGMENTS,
    STRANGER,
    TRUST,
    UNWATCHED,
    SmallLog,
    asked,
    attested,
    read,
    signed,
    the_charter,
)
from three_custodians import NOON, ORIGIN, PLAIN, PRIVATE, shares_of

from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.core import canonical
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.edge.entropy import SeededEntropy
from watchglass.evidence import manifest as manifests
from watchglass.evidence.chain import SCOPE, charter_text, verify
from watchglass.evidence.custody import reseal
from watchglass.evidence.manifest import Link, Manifest, Segment, SignedManifest, check_media, check_object
from watchglass.evidence.release import approval, check_request
from watchglass.evidence.shares import recover, unwrap_shares
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.merkle import leaf_hash
from watchglass.records.commitment import commit
from watchglass.records.leaf import Leaf
from watchglass.records.opening import Opened

MEDIA = b"an exported film"
CHARTER = the_charter()


class Story:
    """Everything that is recorded of one release, with a switch for each thing that may go wrong."""

    def __init__(
        self,
        *,
        custodians: Sequence[str] = ("dpo", "oversight"),
        requester: SignerKey = INVESTIGATOR,
        enrolled_role: str = "investigator",
        enrolled_month: str = "2026-11",
        enroller: SignerKey = BOARD,
        approver: SignerKey | None = None,
        granted: int | None = None,
        charter_approvers: Sequence[tuple[str, SignerKey]] = (("authority", AUTHORITY), ("oversight", BOARD)),
        grant_first: bool = False,
        source: str = "steps-cam",
        opens: bytes | None = None,
        late_case: bool = False,
        early_grant: bool = False,
        approves: dict[str, Any] | None = None,
        taker: SignerKey | None = None,
        takes: bytes | None = None,
        taken: int = 1,
        seen: int | None = None,
        purpose: str = PURPOSE,
        breaks_as: str | None = None,
        before: Sequence[tuple[Charter, Sequence[tuple[str, SignerKey]]]] = (),
    ) -> None:
        self.log = SmallLog()
        self.parts: list[tuple[bytes, dict[str, Opened]]] = []
        for charter, approvers in before:
            self._charter(approvers, charter)
        self._charter(charter_approvers)
        enrolment = signed(
            "key_enrolled",
            enroller,
            "oversight",
            {"person": "Kim"},
            purpose=None,
            clear={"enrolled_role": enrolled_role, "vkey": str(requester.verifier), "month": enrolled_month},
        )
        self._add(self.log.signed_act(enrolment), {})
        for name, one in SEGMENTS.items():
            context = one.header.context
            data, opened = attested(
                self.log,
                "segment_sealed",
                {
                    "source": source,
                    "from_ms": context.from_ms,
                    "to_ms": context.to_ms,
                    "segment": name,
                    "alert": None,
                    "ciphertext_sha256": b64(one.sha256),
                    "key_commitment": b64(one.key_commitment),
                    "bytes": len(one.data),
                },
                purpose=purpose,
            )
            self._add(data, opened)
        case = signed(
            "case_opened",
            requester,
            "investigator",
            {
                "case": "00000000000000cc",
                "number": "2026/17",
                "authority": "Order of the court of Exampleton",
                "reason": "A fall",
                "case_key": b64(CASE_KEY.public_key().public_bytes_raw()),
                "until_ms": NOW * 2,
            },
        )
        case_leaf = RECORDER.signed(case).data
        if not late_case:
            self.log.add(case_leaf)
            self._add(case_leaf, {})
        if breaks_as:
            scope = {name: asked()[name] for name in ("request", "source", "from_ms", "to_ms", "reason")}
            broken = signed("glass_broken", requester, breaks_as, {**scope, "follow_up_by_ms": NOW})
            self._add(self.log.signed_act(broken), dict(broken.opened))
            self.parts = [part for part in self.parts if part[0] != case_leaf]
            return
        self.request_statement = signed(
            "release_requested", requester, "investigator", asked(opened=b64(opens or leaf_hash(case_leaf)))
        )
        self.request = RECORDER.signed(self.request_statement).data
        if early_grant:
            self._grant([])
        self.log.add(self.request)
        self._add(self.request, dict(self.request_statement.opened))
        if late_case:
            self.log.add(case_leaf)
            self._add(case_leaf, {})
        self._release(custodians, approver, approves or {}, seen)
        self._finish(granted, grant_first=grant_first, early_grant=early_grant)
        for _ in range(taken):
            self._take(taker or requester, takes or self.grant)

    def _add(self, data: bytes, opened: dict[str, Opened]) -> None:
        self.parts.append((data, opened))

    def _charter(self, approvers: Sequence[tuple[str, SignerKey]], charter: Charter = CHARTER) -> None:
        about = {"name": charter.charter, "version": charter.version, "sha256": charter.digest}
        data, _ = attested(
            self.log,
            "charter_published",
            {"account": "ada"},
            charter=None,
            purpose=None,
            clear={**about, "text": charter.data.decode()},
        )
        self._add(data, {})
        for role, key in approvers:
            clear = {**about, "as_role": role, "seen": None}
            statement = signed("charter_approved", key, role, {}, purpose=None, charter=None, clear=clear)
            self._add(self.log.signed_act(statement), {})

    def _release(
        self, custodians: Sequence[str], approver: SignerKey | None, approves: dict[str, Any], seen: int | None
    ) -> None:
        statement = self.request_statement
        request = read(statement, self.request, {"investigator": [statement.signature.key]})
        proof = self.log.proof(self.request)
        others = [key for key in CUSTODIANS if key.public != request.by.public]  # no custodian's machine lets it happen
        accepted = check_request(request, proof, TRUST, custodians=others, charter=CHARTER.sha256, now=NOW)
        self.approvals: dict[bytes, dict[str, Opened]] = {}
        for name in custodians:
            shares = [unwrap_shares(header, name, PRIVATE[name]) for header in HEADERS.values()]
            committed = approval(request, reseal(request.terms(name), shares), accepted)
            if seen is not None:
                committed["seen"] = {**committed["seen"], "size": seen}
            given = {"refs": (request.leaf_hash,), **approves}
            answer = signed("release_approved", approver or IDENTITIES[name], "custodian", committed, **given)
            self.approvals[RECORDER.signed(answer).data] = {"seen": answer.opened["seen"]}

    def _grant(self, hashes: list[str]) -> None:
        committed = {"request": "00000000000000aa", "segments": len(SEGMENTS)}
        given = {"clear": {"approvals": hashes}, "refs": (leaf_hash(self.request),)}
        data, opened = attested(self.log, "release_granted", committed, **given)
        self._add(data, opened)
        self.grant = leaf_hash(data)

    def _take(self, taker: SignerKey, refs: bytes) -> None:
        committed = {"request": "00000000000000aa", "segments": len(self.parts)}
        statement = signed("release_taken", taker, "investigator", committed, refs=(refs,))
        self._add(self.log.signed_act(statement), {})

    def _finish(self, granted: int | None, *, grant_first: bool, early_grant: bool) -> None:
        hashes = sorted(b64(leaf_hash(leaf)) for leaf in self.approvals)[:granted]
        if grant_first:
            self._grant(hashes)
        for leaf, opened in self.approvals.items():
            self.log.add(leaf)
            self._add(leaf, opened)
        if not grant_first and not early_grant:
            self._grant(hashes)

    def manifest(self, key: SignerKey = INVESTIGATOR, **changed: Any) -> Manifest:
        given: dict[str, Any] = {
            "origin": ORIGIN,
            "media_sha256": sha256(MEDIA),
            "media_bytes": len(MEDIA),
            "made": "segments put one after the other",
            "segments": tuple(
                Segment.of(one.header, sha256=one.sha256, plain_sha256=sha256(PLAIN)) for one in SEGMENTS.values()
            ),
            "chain": tuple(self.log.link(data, opened) for data, opened in self.parts),
            "checkpoint": self.log.checkpoint(),
            "exported_ms": NOW,
            "exported_by": key.verifier,
        }
        return Manifest(**{**given, **changed})

    def signed(self, key: SignerKey = INVESTIGATOR, **changed: Any) -> SignedManifest:
        return manifests.sign(self.manifest(key, **changed), key)


@cache
def story() -> Story:
    return Story()


def refused(signed_manifest: SignedManifest, said: str, **more: Any) -> DidNotVerify:
    with pytest.raises(DidNotVerify, match=said) as caught:
        verify(signed_manifest, TRUST, CHARTER, **more)
    assert caught.value.fix
    return caught.value


def chain_with(link: Link, changed: Link | None) -> tuple[Link, ...]:
    return tuple(
        new for new in (changed if each == link else each for each in story().manifest().chain) if new is not None
    )


def one_of(act: str, place: int = 0) -> Link:
    return story().manifest().of(act)[place]


def test_an_export_verifies_from_its_bytes_and_a_trust_file() -> None:
    found = SignedManifest.parse(story().signed().encode())
    assert found == story().signed()
    assert charter_text(found.manifest) == CHARTER.data
    verified = verify(found, TRUST, CHARTER, oversight=BOARD.verifier)
    assert verified.approved_by == ("dpo", "oversight")
    assert verified.shown["reason"] == "A fall from the steps at noon."
    assert [name for name, _ in verified.accepted.witnesses] == ["w"]
    check_media(found.manifest, MEDIA)
    check_media(found.manifest, [MEDIA[:3], MEDIA[3:]])


def test_a_requester_may_show_less_and_it_still_verifies() -> None:
    request = one_of("release_requested")
    shown = {name: request.opened[name] for name in (*SCOPE, "opened")}
    verified = verify(
        story().signed(chain=chain_with(request, dataclasses.replace(request, opened=shown))), TRUST, CHARTER
    )
    assert verified.shown == {name: each.value for name, each in shown.items()}
    without_case = chain_with(one_of("case_opened"), None)
    assert verify(story().signed(chain=without_case), TRUST, CHARTER).approved_by == ("dpo", "oversight")


@pytest.mark.parametrize("hidden", SCOPE)
def test_what_was_asked_for_is_always_shown(hidden: str) -> None:
    """Otherwise pieces of another release would pass as what these custodians approved."""
    request = one_of("release_requested")
    shown = {name: each for name, each in request.opened.items() if name != hidden}
    changed = dataclasses.replace(request, opened=shown)
    error = refused(story().signed(chain=chain_with(request, changed)), f"`{hidden}` of the request is not shown")
    assert error.details["field"] == hidden


def test_each_custodian_shows_the_checkpoint_that_they_had_seen() -> None:
    for place in range(2):
        link = one_of("release_approved", place)
        changed = dataclasses.replace(link, opened={})
        refused(story().signed(chain=chain_with(link, changed)), "`seen` of the approval is not shown")


def test_a_field_that_no_such_record_holds_is_refused() -> None:
    """A house may write what it likes into its log; a witness does not read it."""
    made = Story()
    place, (data, opened) = next((at, part) for at, part in enumerate(made.parts) if b"segment_sealed" in part[0])
    leaf, false = Leaf.parse(data), Opened(bytes(16), "noon")
    commitments = {**leaf.commitments, "from_ms": commit(false.salt, "from_ms", false.value)}
    bad = dataclasses.replace(leaf, commitments=commitments).encode()
    made.log.entries[made.log.entries.index(data)] = bad
    made.parts[place] = (bad, {**opened, "from_ms": false})
    refused(made.signed(), "commits to what no such record holds")


def test_another_file_is_not_the_one_that_was_exported() -> None:
    manifest = story().manifest()
    for media in (MEDIA + b"\0", MEDIA[:-1], b"", MEDIA[::-1]):
        with pytest.raises(DidNotVerify, match="not the one that was exported"):
            check_media(manifest, media)
    same_hash = dataclasses.replace(manifest, media_bytes=3)
    with pytest.raises(DidNotVerify):
        check_media(same_hash, MEDIA)


def test_who_signs_is_who_exports() -> None:
    good = story().signed()
    refused(dataclasses.replace(good, sig=good.sig[::-1]), "signature")
    refused(dataclasses.replace(good, manifest=dataclasses.replace(good.manifest, exported_ms=NOW + 1)), "signature")
    refused(story().signed(STRANGER), "not enrolled as investigator")
    with pytest.raises(BadInput, match="would sign"):
        manifests.sign(story().manifest(), STRANGER)


NEEDED = (
    "charter_published",
    "charter_approved",
    "key_enrolled",
    "release_requested",
    "release_approved",
    "release_granted",
    "release_taken",
    "segment_sealed",
)


@pytest.mark.parametrize("act", NEEDED)
def test_no_record_of_the_chain_can_be_left_out(act: str) -> None:
    for place in range(len(story().manifest().of(act))):
        refused(story().signed(chain=chain_with(one_of(act, place), None)), "lacks|may not speak")


@pytest.mark.parametrize("place", range(15))
def test_no_record_of_the_chain_can_be_changed_or_moved(place: int) -> None:
    links = story().manifest().chain
    if place >= len(links):
        assert len(links) > 10
        return
    link = links[place]
    hour = json.loads(link.data)["hour"]
    changed = Link(link.data.replace(hour.encode(), b"2026-11-22T00Z"), link.index, link.path, link.opened)
    refused(story().signed(chain=chain_with(link, changed)), "is not what the tree")
    moved = dataclasses.replace(link, path=(bytes(32), *link.path[1:]))
    refused(story().signed(chain=chain_with(link, moved)), "is not what the tree")
    for name, each in link.opened.items():
        false = dataclasses.replace(link, opened={**link.opened, name: Opened(bytes(16), each.value)})
        error = refused(story().signed(chain=chain_with(link, false)), "not the one that the leaf committed to")
        assert error.details["field"] == name


def test_a_shown_field_that_the_record_lacks_is_refused() -> None:
    link = one_of("release_granted")
    more = dataclasses.replace(link, opened={"colour": Opened(bytes(16), "red")})
    refused(story().signed(chain=chain_with(link, more)), "shows 'colour'")


def test_a_checkpoint_that_no_witness_signed_is_refused() -> None:
    log = story().log
    refused(story().signed(checkpoint=log.checkpoint(witness=None)), "Too few trusted witnesses")
    refused(story().signed(origin="demo.other.example"), "another log")
    alone = story().signed(checkpoint=log.checkpoint(witness=None))
    with pytest.raises(DidNotVerify, match="No witness cosigned"):
        verify(alone, UNWATCHED, CHARTER)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"custodians": ("control-room", "dpo")},
            "control-room, dpo approved, which the charter",
        ),
        ({"custodians": ("oversight",)}, "oversight approved, which"),
        ({"custodians": ()}, "Nobody approved"),
        ({"granted": 1}, "does not name an approval"),
        ({"grant_first": True}, "came before it"),
        ({"approver": STRANGER}, "may not speak as custodian"),
        ({"enrolled_role": "reviewer"}, "may not speak as investigator"),
        ({"enrolled_month": "2026-10"}, "may not speak as investigator"),
        ({"enroller": STRANGER}, "may not speak as oversight"),
        ({"charter_approvers": (("authority", AUTHORITY),)}, "approval of the charter by oversight"),
        ({"charter_approvers": (("authority", STRANGER), ("oversight", BOARD))}, "may not speak as authority"),
        ({"source": "other-cam"}, "not what was asked for"),
        ({"opens": b"x" * 32}, "case that the request does not name"),
        ({"late_case": True}, "case that the request does not name"),
        ({"early_grant": True}, "'release_granted' came before the request"),
        ({"approves": {"refs": (b"x" * 32,)}}, "'release_approved' in the chain is of another request or charter"),
        ({"approves": {"charter": b"x" * 32}}, "'release_approved' in the chain is of another request or charter"),
        ({"requester": DPO}, "dpo approved what they had asked for themselves"),
        ({"requester": SignerKey.from_seed("another.name", b"d" * 32)}, "dpo approved what they had asked for"),
        ({"purpose": "crowd-safety"}, "is not what was asked for"),
        ({"taken": 0}, "lacks exactly one record of 'release_taken'"),
        ({"taken": 2}, "lacks exactly one record of 'release_taken'"),
        ({"taker": STRANGER}, "may not speak as investigator"),
        ({"takes": b"x" * 32}, "What was taken is not what this grant is about"),
        ({"seen": 2}, "approved without having seen the request"),
        ({"seen": 99}, "approved without having seen the request"),
    ],
)
def test_a_chain_with_something_wrong_in_it_is_refused(wrong: dict[str, Any], said: str) -> None:
    refused(Story(**wrong).signed(wrong.get("requester", INVESTIGATOR)), said)


def test_what_was_opened_in_an_emergency_says_so() -> None:
    found = verify(Story(breaks_as="shift-lead", enrolled_role="shift-lead").signed(), TRUST, CHARTER)
    assert (found.glass, found.approved_by, found.shown["source"]) == (True, (), "steps-cam")
    assert not verify(story().signed(), TRUST, CHARTER).glass


def test_an_emergency_that_the_charter_does_not_know_is_refused() -> None:
    refused(Story(breaks_as="investigator").signed(), "lets nobody open originals in an emergency as investigator")
    refused(Story(breaks_as="shift-lead").signed(), "may not speak as shift-lead")
    both = Story()
    another = signed("release_requested", INVESTIGATOR, "investigator", asked(reason="Another reason."))
    both._add(both.log.signed_act(another), {})
    refused(both.signed(), "exactly one request or use of the emergency rule .it has 2")


def test_it_is_the_key_that_counts_and_not_what_a_file_calls_it() -> None:
    renamed = SignerKey.from_seed("board", b"o" * 32)
    found = verify(Story(custodians=("oversight", "dpo"), enroller=renamed).signed(), TRUST, CHARTER)
    assert found.approved_by == ("dpo", "oversight")


def test_one_custodian_twice_is_one_custodian() -> None:
    twice = Story(custodians=("oversight", "oversight"))
    assert len(twice.manifest().of("release_approved")) == 2
    refused(twice.signed(), "oversight approved, which the charter's rule does not permit")


def test_another_charter_and_another_oversight_are_told() -> None:
    other = parse(CHARTER.data.replace(b"version: 3", b"version: 4"))
    with pytest.raises(DidNotVerify, match="made under another charter"):
        verify(story().signed(), TRUST, other)
    refused(story().signed(), "another oversight than the one that you know", oversight=DPO.verifier)


def keys_of(name: str) -> dict[str, SignerKey]:
    return {
        role: SignerKey.generate(f"{name}.{role}", SeededEntropy(name + role)) for role in ("authority", "oversight")
    }


OLDEST, OLD = keys_of("oldest"), keys_of("old")


def earlier(version: int, keys: dict[str, SignerKey], since: str) -> Charter:
    """A charter from before, which held already when all this happened."""
    text = CHARTER.data.decode()
    for old, new in (
        ("version: 3", f"version: {version}"),
        ("from: 2026-12-01", f"from: {since}"),
        (str(AUTHORITY.verifier), str(keys["authority"].verifier)),
        (str(BOARD.verifier), str(keys["oversight"].verifier)),
    ):
        assert old in text
        text = text.replace(old, new)
    return parse(text.encode())


def succession(first: dict[str, SignerKey], second: dict[str, SignerKey], third: dict[str, SignerKey]) -> Story:
    """Three charters, each approved with the keys given; the last is the one of the release. ``OLD`` is in force."""
    before = [
        (earlier(1, OLDEST, "2026-11-01"), tuple(first.items())),
        (earlier(2, OLD, "2026-11-02"), tuple(second.items())),
    ]
    return Story(before=before, charter_approvers=tuple(third.items()), enroller=OLD["oversight"])


def test_each_charter_is_approved_with_the_outgoing_keys() -> None:
    found = verify(succession(OLDEST, OLDEST, OLD).signed(), TRUST, CHARTER, oversight=OLDEST["oversight"].verifier)
    assert found.approved_by == ("dpo", "oversight")
    assert found.first_oversight == OLDEST["oversight"].verifier
    own = {"authority": AUTHORITY, "oversight": BOARD}
    for keys in ((OLDEST, OLDEST, own), (OLDEST, OLD, OLD), (OLD, OLDEST, OLD), (OLDEST, OLD, own)):
        refused(succession(*keys).signed(), "may not speak as authority")
    mixed = {"authority": OLDEST["authority"], "oversight": OLD["oversight"]}
    refused(succession(OLDEST, mixed, OLD).signed(), "may not speak as oversight")
    refused(succession(OLDEST, {"authority": OLDEST["authority"]}, OLD).signed(), "by oversight, for version 2")


@pytest.mark.parametrize("who", [BOARD, OLD["oversight"]])
def test_it_is_the_first_oversight_that_is_compared(who: SignerKey) -> None:
    signed_manifest = succession(OLDEST, OLDEST, OLD).signed()
    error = refused(signed_manifest, "names another oversight than the one that you know", oversight=who.verifier)
    assert error.details["field"] == "oversight"


def test_a_charter_whose_version_does_not_count_up_is_refused() -> None:
    own = (("authority", AUTHORITY), ("oversight", BOARD))
    back = earlier(9, {"authority": AUTHORITY, "oversight": BOARD}, "2026-11-01")
    refused(Story(before=[(back, own)]).signed(), "does not follow from the one before")


@pytest.mark.parametrize("name", ["sha256", "key_commitment", "from_ms", "to_ms", "segment"])
def test_a_segment_that_was_recorded_otherwise_is_refused(name: str) -> None:
    first, *rest = story().manifest().segments
    to: Any = {"from_ms": NOON - 1, "to_ms": NOON + 1, "segment": "f" * 16}.get(name, b"x" * 32)
    segments = (dataclasses.replace(first, **{name: to}), *rest)
    refused(story().signed(segments=segments), "recorded with another|lacks the record")


def test_a_segment_whose_record_is_not_opened_proves_nothing() -> None:
    link = one_of("segment_sealed")
    for name in ("segment", "ciphertext_sha256", "key_commitment"):
        fewer = {field: each for field, each in link.opened.items() if field != name}
        changed = chain_with(link, dataclasses.replace(link, opened=fewer))
        refused(story().signed(chain=changed), "lacks the record|or it is not shown")


def test_a_sealed_segment_that_was_kept_shows_what_was_in_it() -> None:
    manifest = story().manifest()
    one = next(iter(SEGMENTS.values()))
    key = recover(one.header, shares_of(one, "dpo", "oversight"))
    assert check_object(manifest, one.data, key) == PLAIN
    with pytest.raises(DidNotVerify, match="not the key"):
        check_object(manifest, one.data, bytes(32))
    with pytest.raises(DidNotVerify, match="as it was recorded"):
        check_object(manifest, bytes(one.data) + b"\0", key)
    first, *rest = manifest.segments
    lie = dataclasses.replace(manifest, segments=(dataclasses.replace(first, plain_sha256=bytes(32)), *rest))
    with pytest.raises(DidNotVerify, match="something else than the manifest says"):
        check_object(lie, one.data, key)
    with pytest.raises(BadInput, match="does not name segment"):
        check_object(dataclasses.replace(manifest, segments=tuple(rest)), one.data, key)


def test_a_manifest_is_parsed_strictly() -> None:
    good = story().signed().encode()
    value = json.loads(good)
    bad: list[Any] = [
        {**value, "watchglass_export": 2},
        {**value, "more": 1},
        {name: each for name, each in value.items() if name != "media"},
        {**value, "media": {**value["media"], "more": 1}},
        {**value, "segments": []},
        {**value, "segments": value["segments"][:1] * 2},
        {**value, "chain": []},
        {**value, "chain": value["chain"][::-1]},
        {**value, "chain": [{**value["chain"][0], "more": 1}]},
        {**value, "chain": [{**value["chain"][0], "opened": {"x": 1}}]},
        {**value, "chain": [{**value["chain"][0], "opened": None}]},
        {**value, "chain": [{**value["chain"][0], "leaf": b64(b"{}")}]},
        {**value, "chain": [1]},
        {**value, "sig": "x"},
        {**value, "exported_by": "x"},
        {**value, "checkpoint": 1},
        [],
        1,
    ]
    for each in bad:
        with pytest.raises(BadInput):
            SignedManifest.parse(canonical.encode(each) + b"\n")
    for data in (b"", b"\n", good[:-1], good + b"\n"):
        with pytest.raises(BadInput):
            SignedManifest.parse(data)
