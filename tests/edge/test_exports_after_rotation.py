"""Exports under a charter whose keys are others than those of the charter before it: the chain walks from the first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from test_witnessed_log import forge

from guarded import enrol
from signers_world import Signers, signers
from watchglass.bootstrap import SeededEntropy, VirtualClock, exporting
from watchglass.charter.parse import parse
from watchglass.core.errors import DidNotVerify
from watchglass.core.time import HOUR
from watchglass.edge.trust import load_trust, pin_oversight
from watchglass.evidence import chain
from watchglass.evidence.manifest import Link, SignedManifest, sign
from watchglass.ledger.keys import SignerKey
from world import NOON


def key(name: str) -> SignerKey:
    return SignerKey.generate(f"{name}.example", SeededEntropy(name))


def publish_with(people: Signers, role: str, new: SignerKey) -> None:
    """The next charter names another key for ``role``; the outgoing ones approve it."""
    world = people.scene.world
    world.publish(world.edited((str(world.keys[role].verifier), str(new.verifier))))
    world.keys[role] = new
    people.settle()


def newcomer(people: Signers, name: str) -> None:
    """Whoever is oversight now enrols another investigator."""
    people.scene.keys["investigator"] = key(name)
    enrol(people.scene.world, "investigator", name, people.scene.keys["investigator"])
    people.settle()


@contextmanager
def rotated(folder: Path, *roles: str) -> Iterator[Signers]:
    """A world in which the keys of ``roles`` were changed, one charter after the other, two hours apart."""
    clock = VirtualClock(NOON)
    with signers(folder / "place", clock=clock) as people:
        for number, role in enumerate(roles):
            publish_with(people, role, key(f"{role}-{number}"))
            clock.advance(2 * HOUR)
        if "oversight" in roles:
            newcomer(people, "Kim")
        yield people


def exported(people: Signers, folder: Path) -> Path:
    people.film()
    video = folder / "street.mp4"
    exporting.export(people.office("investigator"), people.taken(), video)
    return video


def parsed(video: Path) -> SignedManifest:
    return SignedManifest.parse(exporting.manifest_of(video).read_bytes())


def check(people: Signers, video: Path, *, remembers: SignerKey | None) -> dict[str, object]:
    """Verify as somebody elsewhere, whose trust file remembers that first oversight."""
    folder = video.parent / "elsewhere"
    folder.mkdir(exist_ok=True)
    file = people.scene.world.trust_file(folder / "trust")
    if remembers is not None:
        (folder / "trust.oversight").unlink(missing_ok=True)
        pin_oversight(load_trust(file), remembers.verifier)
    return exporting.check(video, exporting.manifest_of(video), file)


def rewritten(people: Signers, video: Path, links: Sequence[Link]) -> None:
    """The investigator signs a manifest with another chain."""
    manifest = dataclasses.replace(parsed(video).manifest, chain=tuple(sorted(links, key=lambda link: link.index)))
    signed = sign(manifest, people.scene.keys["investigator"])
    exporting.manifest_of(video).write_bytes(signed.encode())


def version_of(link: Link) -> int | None:
    return int(link.leaf.clear["version"]) if link.leaf.act.startswith("charter_") else None


@pytest.mark.parametrize("roles", [("oversight",), ("authority",), ("oversight", "authority", "oversight")])
def test_an_export_verifies_after_keys_were_changed(tmp_path: Path, roles: tuple[str, ...]) -> None:
    first = key("first")
    with rotated(tmp_path, *roles) as people:
        video = exported(people, tmp_path)
        inside = parsed(video).manifest
        versions = list(range(1, len(roles) + 2))
        assert [version_of(link) for link in inside.of("charter_published")] == versions
        assert [version_of(link) for link in inside.of("charter_approved")] == sorted(versions * 2)
        log = people.office("dpo").look().log
        told = check(people, video, remembers=None)
        assert (told["oversight_known"], told["first_oversight"]) == (None, log.charters[0].oversight.key)
        assert told["oversight"] == str(people.scene.world.keys["oversight"].verifier)
        assert (told["first_oversight"] == told["oversight"]) == ("oversight" not in roles)
        remembered = load_trust(people.machine("dpo") / "trust")
        assert str(remembered.oversight) == told["first_oversight"]
        told = exporting.check(video, exporting.manifest_of(video), remembered.path)
        assert told["oversight_known"] is True
        with pytest.raises(DidNotVerify, match="names another oversight than the one that you know") as caught:
            check(people, video, remembers=first)
        assert caught.value.details["field"] == "oversight"


def test_a_chain_that_lacks_the_charter_before_does_not_verify(tmp_path: Path) -> None:
    with rotated(tmp_path, "oversight", "authority") as people:
        video = exported(people, tmp_path)
        whole = parsed(video).manifest.chain
        for missing in ({1}, {2}, {1, 2}):
            rewritten(people, video, [link for link in whole if version_of(link) not in missing])
            with pytest.raises(DidNotVerify, match=r"may not speak as (authority|oversight)"):
                check(people, video, remembers=None)
        for link in whole:
            if link.leaf.act == "charter_approved":
                rewritten(people, video, [each for each in whole if each != link])
                with pytest.raises(DidNotVerify, match=f"lacks the approval of the charter by {link.leaf.role}"):
                    check(people, video, remembers=None)
        rewritten(people, video, whole)
        assert check(people, video, remembers=None)["ok"]


def test_a_forged_charter_in_between_does_not_verify(tmp_path: Path) -> None:
    """The house writes a charter with keys of its own into its log, approved by these keys, and by nobody else."""
    with rotated(tmp_path, "authority") as people:
        world = people.scene.world
        mine = {role: key(f"forged-{role}") for role in ("authority", "oversight")}
        edits = [(str(world.keys[role].verifier), str(mine[role].verifier)) for role in mine]
        forge(people, world.edited(*edits), mine)
        video = exported(people, tmp_path)
        whole = parsed(video).manifest.chain
        assert {version_of(link) for link in whole} == {None, 1, 2}  # the forged one is carried by no honest export
        log = people.office("investigator").look().log
        forged = [
            Link(entry.data, entry.index, log.prove(entry.index).path)
            for act in ("charter_published", "charter_approved")
            for entry in log.of(act)
            if entry.leaf.clear["version"] == 3
        ]
        assert len(forged) == 3
        signed = parsed(video)
        links = tuple(sorted((*whole, *forged), key=lambda link: link.index))
        moved = dataclasses.replace(
            signed.manifest, chain=tuple(dataclasses.replace(link, path=log.prove(link.index).path) for link in links),
            checkpoint=log.note,
        )  # fmt: skip
        policy = load_trust(people.machine("dpo") / "trust").policy
        charter = parse(chain.charter_text(moved))
        with pytest.raises(DidNotVerify, match="may not speak as authority"):
            chain.verify(sign(moved, people.scene.keys["investigator"]), policy, charter)
        honest = dataclasses.replace(moved, chain=tuple(link for link in moved.chain if version_of(link) != 3))
        assert chain.verify(sign(honest, people.scene.keys["investigator"]), policy, charter).approved_by


def test_whoever_was_oversight_then_enrolled(tmp_path: Path) -> None:
    """A release of the first charter is exported after oversight changed, with the enrolment of the first oversight."""
    clock = VirtualClock(NOON)
    with signers(tmp_path / "place", clock=clock) as people:
        before = people.scene.world.keys["oversight"]
        people.film()
        number = people.taken()
        publish_with(people, "oversight", key("second"))
        clock.advance(HOUR)
        video = tmp_path / "street.mp4"
        exporting.export(people.office("investigator"), number, video)
        assert [version_of(link) for link in parsed(video).manifest.of("charter_published")] == [1]
        assert check(people, video, remembers=before)["oversight_known"] is True


def test_the_key_of_an_oversight_that_is_gone_enrols_nobody(tmp_path: Path) -> None:
    clock = VirtualClock(NOON)
    with signers(tmp_path / "place", clock=clock) as people:
        scene = people.scene
        house, gone, first = scene.world.house, scene.world.keys["oversight"], scene.keys["investigator"].verifier
        publish_with(people, "oversight", key("second"))
        clock.advance(2 * HOUR)
        clear = {"enrolled_role": "investigator", "vkey": str(key("friend").verifier), "month": "2026-11"}
        friend = scene.sign(
            "key_enrolled", "oversight", {"person": "A friend"}, clear=clear, role="oversight", key=gone
        )
        house.store.commit(lambda tx: tx.record(house.acting.recorder.signed(friend)))
        newcomer(people, "Kim")
        log = people.office("dpo").look().log
        month = {"role": "investigator", "month": "2026-11"}
        with pytest.raises(DidNotVerify, match=r"has enrolled the key friend\.example for no investigator"):
            log.enrolment(key("friend").verifier, **month)
        for vkey, oversight in ((first, gone), (key("Kim").verifier, key("second"))):
            assert log.succession.oversight_for(log.enrolment(vkey, **month)) == [oversight.verifier] * 2
        number_of = people.film() and people.taken()
        video = tmp_path / "street.mp4"
        exporting.export(people.office("investigator"), number_of, video)
        stray = next(entry for entry in log.of("key_enrolled") if entry.leaf.clear == clear)
        log = people.office("investigator").look().log
        links = [*parsed(video).manifest.chain, Link(stray.data, stray.index, ())]
        manifest = dataclasses.replace(
            parsed(video).manifest,
            chain=tuple(
                dataclasses.replace(link, path=log.prove(link.index).path)
                for link in sorted(links, key=lambda link: link.index)
            ),
            checkpoint=log.note,
        )
        policy, charter = log.trust.policy, parse(chain.charter_text(manifest))
        with pytest.raises(DidNotVerify, match="may not speak as oversight"):
            chain.verify(sign(manifest, scene.keys["investigator"]), policy, charter)


def test_an_export_under_the_first_charter_carries_that_one_alone(tmp_path: Path) -> None:
    with signers(tmp_path / "place", clock=VirtualClock(NOON)) as people:
        video = exported(people, tmp_path)
        inside = parsed(video).manifest
        assert [version_of(link) for link in inside.of("charter_published")] == [1]
        assert len(inside.of("charter_approved")) == 2
        told = check(people, video, remembers=people.scene.world.keys["oversight"])
        assert told["oversight_known"] is True
        assert told["first_oversight"] == told["oversight"]


def test_a_manifest_of_before_carries_the_releases_charter_alone(tmp_path: Path) -> None:
    """Under a second charter with the same keys, as it was written before; the enrolment is older than that charter."""
    clock = VirtualClock(NOON)
    with signers(tmp_path / "place", clock=clock) as people:
        clock.advance(2 * HOUR)
        world = people.scene.world
        world.publish(world.edited(("review: {within: 2m}", "review: {within: 3m}")))
        people.settle()
        clock.advance(2 * HOUR)
        video = exported(people, tmp_path)
        whole = parsed(video).manifest.chain
        assert {version_of(link) for link in whole} == {None, 1, 2}
        rewritten(people, video, [link for link in whole if version_of(link) != 1])
        assert check(people, video, remembers=world.keys["oversight"])["oversight_known"] is True
