"""A draft is saved whole, with its record, and only over the one that was looked at."""

from __future__ import annotations

import pytest

from watchglass.access.roles import May, Role
from watchglass.acts.save_draft import Saved, save_draft
from watchglass.charter.parse import CharterErrors
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import CannotRecord, Problem, Refused, WatchglassError
from watchglass.edge.drafts import DraftFile
from world import World


@pytest.fixture
def draft(world: World) -> DraftFile:
    world.layout.charter.write_text(world.text, "utf-8")
    return world.house.draft


def new_text(world: World) -> bytes:
    return world.edited(("contact: ", "contact: new-")).encode()


def save(world: World, draft: DraftFile, text: bytes, shown: bytes | None) -> Saved:
    under, grant = world.standing().charter, world.grant(May.EDIT_DRAFT)
    return save_draft(world.house.acting, grant, draft, text, shown=shown, source="street", under=under).value


def test_a_draft_is_saved_and_recorded(world: World, draft: DraftFile) -> None:
    before, text = draft.read(), new_text(world)
    assert before is not None
    draft.path.chmod(0o640)
    saved = save(world, draft, text, sha256(before))
    assert draft.read() == text
    assert draft.path.stat().st_mode & 0o777 == 0o640
    assert saved.sha256 == b64(sha256(text))
    (record,) = world.records("draft_saved")
    assert record.leaf.role == "operator"
    assert record.leaf.clear == {"name": "demo-street", "version": saved.version}
    assert record.fields["sha256"] == saved.sha256
    assert record.fields["before"] == b64(sha256(before))
    assert record.fields["source"] == "street"
    assert record.fields["account"] == "operator"
    assert [path.name for path in world.layout.root.glob(".charter*")] == []
    standing = world.standing().charter
    assert standing is not None
    assert standing.data != text, "a draft changes nothing that is in force"


def test_the_first_draft_needs_none_before_it(world: World) -> None:
    world.layout.charter.unlink(missing_ok=True)
    save(world, world.house.draft, new_text(world), None)
    assert world.records("draft_saved")[0].fields["before"] is None


@pytest.mark.parametrize("shown", [None, b"x" * 32], ids=["saw none", "saw another"])
def test_nobody_writes_over_what_they_have_not_seen(world: World, draft: DraftFile, shown: bytes | None) -> None:
    before = draft.read()
    with pytest.raises(Problem, match="Somebody has changed the draft"):
        save(world, draft, new_text(world), shown)
    assert draft.read() == before
    assert world.records("draft_saved") == []


def test_what_is_no_charter_is_not_saved(world: World, draft: DraftFile) -> None:
    before = draft.read()
    assert before is not None
    with pytest.raises(CharterErrors):
        save(world, draft, b"watchglass: 1\n", sha256(before))
    assert draft.read() == before


def test_without_its_record_a_draft_stays_as_it_was(world: World, draft: DraftFile) -> None:
    before, text = draft.read(), new_text(world)
    assert before is not None
    world.break_the_log("draft_saved")
    with pytest.raises(WatchglassError):
        save(world, draft, text, sha256(before))
    assert draft.read() == before
    world.mend_the_log()
    world.fill_the_disk()

    def save_until_it_is_full() -> None:
        for _ in range(200):
            save(world, draft, text, sha256(draft.read() or b""))

    with pytest.raises((CannotRecord, Problem)):
        save_until_it_is_full()
    world.free_the_disk()
    assert save(world, draft, before, sha256(draft.read() or b"")).sha256 == b64(sha256(before))


def test_only_an_operator_saves(world: World, draft: DraftFile) -> None:
    for role in set(Role) - {Role.OPERATOR, Role.PUBLIC}:
        with pytest.raises(Refused):
            world.grant(May.EDIT_DRAFT, role)
    other = world.grant(May.CONFIRM_BACKDROP)
    with pytest.raises(Refused, match="not of edit-draft"):
        save_draft(world.house.acting, other, draft, new_text(world), shown=None, source="street", under=None)


def test_a_file_that_cannot_be_written_says_so(
    world: World, draft: DraftFile, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gone = DraftFile(tmp_path_factory.mktemp("gone") / "not" / "charter.yaml")
    assert gone.read() is None
    with pytest.raises(Problem, match="cannot be written"):
        save(world, gone, new_text(world), None)
    assert world.records("draft_saved") == []
    assert draft.read() is not None


def test_a_block_that_fails_leaves_the_file(world: World, draft: DraftFile) -> None:
    before = draft.read()
    with pytest.raises(ZeroDivisionError), draft.replacing(b"other"):
        raise ZeroDivisionError
    assert draft.read() == before
    assert not list(world.layout.root.glob(".charter*"))
