"""Lies about original video: releases, emergencies, holds, what is kept too long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from dishonest import Lie, Made
from made_cases import (
    a_fresh_piece,
    answer,
    ask,
    break_glass,
    close_case,
    cosigned,
    grant,
    open_case,
    order_hold,
    report,
    some_pieces,
    take,
    the_piece,
)
from made_life import Life
from made_stories import lifted, ordered
from made_town import EXPLANATION, MadeRequest, Piece, Search, Story
from watchglass.charter.permit import GrantRelease, Permit
from watchglass.core.digest import b64, sha256
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND, month_of
from watchglass.ledger.keys import SignerKey
from watchglass.records.leaf import Signature
from watchglass.records.statement import SignedStatement, message

RELEASES: Final = "releases"
WAIT: Final = "disclosed-after-witnesses"
GLASS: Final = "emergencies"


def requested(life: Life, key: SignerKey | None = None, **more: object) -> Search[tuple[MadeRequest, Piece]]:
    """A request within a new case, which witnesses have cosigned."""
    piece, own = yield from the_piece(life)
    key = key or own
    opened = open_case(life, key, piece.purpose)
    yield 5 * MINUTE
    asked = ask(life, key, opened, piece, **more)  # type: ignore[arg-type]  # what a liar gives instead
    yield from cosigned(life, asked.leaf)
    return asked, piece


def permit(life: Life, piece: Piece) -> Permit:
    """The charter's yes to a grant; it knows nothing of approvals."""
    found = life.town.permit(GrantRelease(piece.source, piece.purpose, piece.from_ms, piece.to_ms))
    assert found is not None
    return found


def granted(life: Life, *custodians: str, wait_ms: int = 10 * MINUTE) -> Story:
    """These custodians approve, and the house grants, enough or not."""
    asked, piece = yield from requested(life)
    approvals = []
    for name in custodians:
        yield 10 * MINUTE
        approvals.append(answer(life, asked, name))
    yield wait_ms
    life.town.planted.append(grant(life, asked, approvals, permit(life, piece)))


def too_few(life: Life) -> Story:
    yield from granted(life, "oversight")


def without_the_one(life: Life) -> Story:
    yield from granted(life, "control-room", "dpo")


def twice_the_same(life: Life) -> Story:
    yield from granted(life, "oversight", "oversight")


def too_late(life: Life) -> Story:
    yield from granted(life, "oversight", "dpo", wait_ms=DAY + 5 * HOUR)


def by_the_requester(life: Life) -> Story:
    """A custodian's key is enrolled for the investigator too, and approves what it asked for."""
    town, key = life.town, life.town.keys["dpo"]
    while not life.may_look():
        yield MINUTE
    clear = {"enrolled_role": "investigator", "vkey": str(key.verifier), "month": month_of(town.now)}
    town.signed("key_enrolled", town.keys["oversight-office"], "oversight", clear=clear, committed={"person": "dora"})
    yield 10 * MINUTE
    asked, piece = yield from requested(life, key)
    approvals = [answer(life, asked, "dpo")]
    yield 10 * MINUTE
    approvals.append(answer(life, asked, "oversight"))
    yield 10 * MINUTE
    town.planted.append(grant(life, asked, approvals, permit(life, piece)))


def of_another_request(life: Life) -> Story:
    """What was approved for one request is granted for another."""
    first, _ = yield from requested(life)
    second, piece = yield from requested(life)
    approvals = []
    for name in ("oversight", "dpo"):
        yield 10 * MINUTE
        approvals.append(answer(life, first, name))
    yield 10 * MINUTE
    life.town.planted.append(grant(life, second, approvals, permit(life, piece)))


def fabricated(statement: SignedStatement, liar: SignerKey, origin: str) -> SignedStatement:
    """The statement with a signature that the key which it names never made."""
    signature = Signature(statement.signature.vkey, liar.sign(message(origin, statement.leaf)))
    return replace(statement, leaf=replace(statement.leaf, signature=signature))


def forged_approval(life: Life) -> Story:
    """One approval is genuine, the other is made up by the house."""
    town = life.town
    asked, piece = yield from requested(life)
    yield 10 * MINUTE
    genuine = answer(life, asked, "oversight")
    committed = {
        "request": asked.id,
        "custodian": "dpo",
        "scope_sha256": b64(sha256(b"scope")),
        "recipient": asked.recipient,
        "bundle_sha256": b64(sha256(b"bundle")),
        "until_ms": asked.until_ms,
        "seen": {"size": 0, "root": b64(sha256(b""))},
    }
    statement = town.sign(
        "release_approved",
        town.keys["dpo"],
        "custodian",
        committed=committed,
        refs=[asked.leaf],
        purpose=asked.purpose,
    )
    forged = town.take_in(fabricated(statement, SignerKey.generate("liar.example", town.entropy), town.origin))
    town.planted.append(forged)
    yield 10 * MINUTE
    grant(life, asked, [genuine, forged], permit(life, piece))


def forged_refusal(life: Life) -> Story:
    """A refusal in a custodian's name, with a signature that their key never made."""
    town = life.town
    asked, _ = yield from requested(life)
    committed = {"request": asked.id, "custodian": "control-room", "reason": EXPLANATION}
    statement = town.sign(
        "release_refused",
        town.keys["control-room"],
        "custodian",
        committed=committed,
        refs=[asked.leaf],
        purpose=asked.purpose,
    )
    forged = fabricated(statement, SignerKey.generate("liar.example", town.entropy), town.origin)
    town.planted.append(town.take_in(forged))


def before_witnesses(life: Life) -> Story:
    """Asked for, approved and granted at once, before any witness had seen the request."""
    piece, key = yield from the_piece(life)
    opened = open_case(life, key, piece.purpose)
    yield from cosigned(life, opened[1])
    every = life.plan.pace[0]
    yield every - life.town.now % every + SECOND
    asked = ask(life, key, opened, piece)
    approvals = [answer(life, asked, name) for name in ("oversight", "dpo")]
    life.town.planted.append(grant(life, asked, approvals, permit(life, piece)))


def taken_at_once(life: Life) -> Story:
    """Handed out before any witness had seen that it was granted."""
    asked, piece = yield from requested(life)
    approvals = []
    for name in ("oversight", "dpo"):
        yield 10 * MINUTE
        approvals.append(answer(life, asked, name))
    every = life.plan.pace[0]
    yield 10 * MINUTE - life.town.now % every + every + SECOND
    leaf = grant(life, asked, approvals, permit(life, piece))
    life.town.planted.append(take(life, asked, leaf))


def taken_by_another(life: Life) -> Story:
    """Somebody takes what another one had asked for."""
    town = life.town
    asked, piece = yield from requested(life)
    approvals = []
    for name in ("oversight", "dpo"):
        yield 10 * MINUTE
        approvals.append(answer(life, asked, name))
    town.enrol("ivo", "investigator", month_of(town.now))
    yield 10 * MINUTE
    leaf = grant(life, asked, approvals, permit(life, piece))
    yield from cosigned(life, leaf)
    yield 10 * MINUTE
    key = town.key_of("ivo")
    assert key is not None
    town.planted.append(take(life, replace(asked, key=key), leaf))


def granted_suspended(life: Life) -> Story:
    """Everything is suspended, and a release is granted hours later."""
    asked, _ = yield from requested(life)
    approvals = []
    for name in ("oversight", "dpo"):
        yield 10 * MINUTE
        approvals.append(answer(life, asked, name))
    order = yield from ordered(life, None)
    yield 5 * HOUR
    life.town.planted.append(grant(life, asked, approvals, life.town.charter))
    yield 5 * HOUR
    yield from lifted(life, order)


def kept_without_a_rule(life: Life) -> Story:
    """The charter keeps no originals, and one is sealed."""
    while life.under is None:
        yield MINUTE
    town = life.town
    committed = {
        "source": "corner-0",
        "from_ms": town.now - 20 * SECOND,
        "to_ms": town.now - 10 * SECOND,
        "segment": town.number(),
        "alert": None,
        "ciphertext_sha256": b64(sha256(b"piece")),
        "key_commitment": b64(sha256(b"key")),
        "bytes": 100_000,
    }
    purpose = town.charter.purposes[0].name
    leaf = town.attest("segment_sealed", under=town.charter, committed=committed, purpose=purpose)
    town.planted.append(leaf)


def second_month_key(life: Life) -> Story:
    """A custodian publishes another key for the same month; the first one is still used by somebody."""
    while not life.may_look() or ("dpo", month_of(life.town.now)) not in life.town.month_keys:
        yield MINUTE
    town, month = life.town, month_of(life.town.now)
    first = town.month_keys["dpo", month]
    town.publish_key("dpo", month)
    town.planted.append(town.month_keys["dpo", month])
    town.month_keys["dpo", month] = first


def lifted_by_the_other(life: Life) -> Story:
    """Oversight ordered a hold, and the authority lifts it."""
    town = life.town
    while not (found := some_pieces(life)):
        yield HOUR
    made = order_hold(life, "oversight", found[0])
    yield 6 * HOUR
    committed = {"hold": made.id, "reason": EXPLANATION}
    leaf = town.signed("hold_lifted", town.keys["authority"], "authority", committed=committed, refs=[made.leaf])
    town.planted.append(leaf)


def never_explained(life: Life) -> Story:
    """The emergency rule is used, and nobody reports on it."""
    found = yield from a_fresh_piece(life)
    assert found is not None
    life.town.planted.append(break_glass(life, found[1], found[0], life.town.number()))


def explained_late(life: Life) -> Story:
    """The report comes a day late."""
    found = yield from a_fresh_piece(life)
    assert found is not None
    piece, key, follow = found
    number = life.town.number()
    leaf = break_glass(life, key, piece, number)
    yield follow + 8 * HOUR
    report(life, leaf, number, piece.purpose)
    life.town.planted.append(leaf)


def without_the_rule(life: Life) -> Story:
    """The charter has no emergency rule, and somebody uses one."""
    town = life.town
    piece, _ = yield from the_piece(life)
    key = town.key_of("sam")
    assert key is not None
    number = town.number()
    committed = {
        "request": number,
        "source": piece.source,
        "from_ms": piece.from_ms,
        "to_ms": piece.to_ms,
        "reason": EXPLANATION,
        "follow_up_by_ms": town.now + DAY,
    }
    leaf = town.signed("glass_broken", key, "shift-lead", committed=committed, purpose=piece.purpose)
    town.planted.append(leaf)
    yield HOUR
    report(life, leaf, number, piece.purpose)


def the_first_pieces(life: Life) -> Story:
    """Nothing is done: what is kept too long is planted, by the end of the life."""
    yield life.end - life.town.now - MINUTE
    kept = [piece for piece in life.town.pieces if piece.keep_until_ms < life.end - 26 * HOUR]
    life.town.planted += [min(kept, key=lambda piece: piece.made_ms).leaf]


def the_first(act: str) -> Callable[[Made], None]:
    """Nothing is done: the first record of what is kept too long is planted."""

    def plant(made: Made) -> None:
        made.planted = [next(at for at, entry in enumerate(made.entries) if b'"act":"%b"' % act.encode() in entry)]

    return plant


def the_month_keys(life: Life) -> Story:
    """The keys of the first month are never destroyed."""
    month = month_of(life.plan.begin)
    yield life.end - life.town.now - MINUTE
    life.town.planted += [leaf for (_, of), leaf in life.town.month_keys.items() if of == month]


def destroyed_though_held(life: Life) -> Story:
    """A month's key is destroyed while a hold stands for which nobody sealed their shares anew."""
    town = life.town
    month = month_of(life.plan.begin)
    while not (found := some_pieces(life)):
        yield HOUR
    order_hold(life, "oversight", found[0])
    yield life.end - town.now - 12 * HOUR
    for name in ("oversight", "dpo"):
        town.planted.append(town.destroy_key(name, month))


# ---- what only openings show -----------------------------------------------------------------------------------------


def other_scope(life: Life) -> Story:
    """A custodian approved other minutes than were asked for."""
    asked, piece = yield from requested(life)
    approvals = []
    for name, scope in (("oversight", {}), ("dpo", {"scope_sha256": b64(sha256(b"another scope"))})):
        yield 10 * MINUTE
        approvals.append(answer(life, asked, name, yes=True, **scope))
    yield 10 * MINUTE
    life.town.planted.append(approvals[1])
    grant(life, asked, approvals, permit(life, piece))


def other_recipient(life: Life) -> Story:
    """A custodian sealed the shares to somebody else's key."""
    asked, piece = yield from requested(life)
    approvals = []
    for name, key in (("oversight", {}), ("dpo", {"recipient": b64(sha256(b"another key"))})):
        yield 10 * MINUTE
        approvals.append(answer(life, asked, name, yes=True, **key))
    yield 10 * MINUTE
    life.town.planted.append(approvals[1])
    grant(life, asked, approvals, permit(life, piece))


def closed_case(life: Life) -> Story:
    """Originals are asked for in a case that was closed before."""
    piece, key = yield from the_piece(life)
    opened = open_case(life, key, piece.purpose)
    yield from cosigned(life, opened[1])
    yield 20 * MINUTE
    close_case(life, key, opened, piece.purpose)
    yield 20 * MINUTE
    asked = ask(life, key, opened, piece)
    life.town.planted.append(asked.leaf)


def no_case(life: Life) -> Story:
    """Originals are asked for in a case that nobody opened."""
    piece, key = yield from the_piece(life)
    asked = ask(life, key, (life.town.number(), sha256(b"no case"), b64(sha256(b"a key"))), piece)
    life.town.planted.append(asked.leaf)


def too_much(life: Life) -> Story:
    """More is asked for than the charter lets one request open."""
    piece, key = yield from the_piece(life)
    opened = open_case(life, key, piece.purpose)
    yield from cosigned(life, opened[1])
    wide = replace(piece, from_ms=piece.to_ms - 5 * HOUR)
    life.town.planted.append(ask(life, key, opened, wide).leaf)


def somebody_elses_case(life: Life) -> Story:
    """An investigator asks in a case that another one opened."""
    town = life.town
    piece, key = yield from the_piece(life)
    opened = open_case(life, key, piece.purpose)
    town.enrol("ivo", "investigator", month_of(town.now))
    yield 20 * MINUTE
    other = town.key_of("ivo")
    assert other is not None
    town.planted.append(ask(life, other, opened, piece).leaf)


def no_authority(life: Life) -> Story:
    """A case is opened without saying by what authority."""
    town = life.town
    piece, key = yield from the_piece(life)
    committed = {
        "case": town.number(),
        "number": "EX-1",
        "authority": " ",
        "reason": EXPLANATION,
        "case_key": b64(sha256(b"a key")),
        "until_ms": town.now + DAY,
    }
    town.planted.append(town.signed("case_opened", key, "investigator", committed=committed, purpose=piece.purpose))


def other_segments_named(life: Life) -> Story:
    """The grant speaks of another request than the one that it refers to."""
    asked, piece = yield from requested(life)
    approvals = []
    for name in ("oversight", "dpo"):
        yield 10 * MINUTE
        approvals.append(answer(life, asked, name))
    yield 10 * MINUTE
    other = replace(asked, id=life.town.number())
    life.town.planted.append(grant(life, other, approvals, permit(life, piece)))


ORIGINALS: Final = (
    Lie("too-few-approvals", "A release is granted with one approval of the two that it needs.", (RELEASES,), too_few),
    Lie(
        "not-the-one-needed",
        "Two custodians approve a release, and the one of whom the charter asks is not among them.",
        (RELEASES,),
        without_the_one,
    ),
    Lie(
        "one-custodian-twice",
        "A release is granted with two approvals of one and the same custodian.",
        (RELEASES,),
        twice_the_same,
    ),
    Lie(
        "approved-by-requester",
        "A custodian approves what they asked for themselves.",
        (RELEASES,),
        by_the_requester,
    ),
    Lie(
        "approvals-of-another",
        "What custodians approved for one request is granted for another.",
        (RELEASES,),
        of_another_request,
    ),
    Lie(
        "forged-approval",
        "The house makes up one of two approvals; the signature is not the custodian's.",
        ("signatures", RELEASES),
        forged_approval,
    ),
    Lie(
        "forged-refusal",
        "The house makes up a refusal; the signature is not the custodian's.",
        ("signatures",),
        forged_refusal,
    ),
    Lie(
        "granted-too-late",
        "A release is granted when its request had run out.",
        (RELEASES,),
        too_late,
        changes={"keep_ms": 5 * DAY},
    ),
    Lie(
        "granted-before-witnesses",
        "A request is approved and granted before a witness has seen it.",
        (WAIT,),
        before_witnesses,
    ),
    Lie(
        "taken-before-witnesses",
        "Released originals are taken before a witness has seen the grant.",
        (WAIT,),
        taken_at_once,
    ),
    Lie("taken-by-another", "Released originals are taken by somebody who did not ask.", (RELEASES,), taken_by_another),
    Lie(
        "granted-suspended",
        "A release is granted while everything is suspended.",
        ("suspensions",),
        granted_suspended,
    ),
    Lie(
        "kept-without-rule",
        "An original is sealed, and the charter keeps none.",
        ("allowed",),
        kept_without_a_rule,
        changes={"sealing": False, "cases": 0},
    ),
    Lie("second-month-key", "A custodian publishes a second key for a month.", ("month-keys",), second_month_key),
    Lie(
        "hold-lifted-by-another",
        "The authority lifts a hold that oversight ordered.",
        ("retention-originals",),
        lifted_by_the_other,
    ),
    Lie("emergency-unexplained", "Somebody uses the emergency rule and never reports.", (GLASS,), never_explained),
    Lie("emergency-late", "The report on an emergency comes hours after its time.", (GLASS,), explained_late),
    Lie(
        "emergency-without-rule",
        "Somebody uses the emergency rule of a charter that has none.",
        (GLASS,),
        without_the_rule,
        changes={"glass": False},
    ),
    Lie(
        "originals-kept",
        "Sealed originals are kept past their retention.",
        ("retention-originals",),
        the_first_pieces,
        sins=frozenset({"keep-segments"}),
    ),
    Lie(
        "clips-kept",
        "Mosaicked clips are kept past their retention.",
        ("retention",),
        after=the_first("clip_kept"),
        sins=frozenset({"keep-clips"}),
        changes={"clips_ms": DAY},
    ),
    Lie(
        "alerts-kept",
        "What was decided about alerts is kept past its retention.",
        ("retention",),
        after=the_first("alert_decided"),
        sins=frozenset({"keep-alerts"}),
        changes={"alerts_kept_ms": DAY},
    ),
    Lie(
        "month-keys-kept",
        "The custodians never destroy the keys of a month.",
        ("month-keys",),
        the_month_keys,
        sins=frozenset({"keep-month-keys"}),
        changes={"begin": 1_795_435_200_000 + 4 * DAY, "days": 10.0, "alerts_a_day": 4.0, "heartbeat_ms": HOUR},
    ),
    Lie(
        "destroyed-though-held",
        "Custodians destroy the key of a month while a hold stands, without having sealed their shares anew.",
        ("holds",),
        destroyed_though_held,
        depth="openings",
        changes={"begin": 1_795_435_200_000 + 5 * DAY, "days": 6.0, "alerts_a_day": 4.0, "heartbeat_ms": HOUR},
        sins=frozenset({"keep-month-keys"}),
    ),
    Lie(
        "other-scope",
        "A custodian's approval is for another scope than the request's.",
        ("scopes",),
        other_scope,
        depth="openings",
    ),
    Lie(
        "other-recipient",
        "A custodian sealed the shares to another key than the request's.",
        ("scopes",),
        other_recipient,
        depth="openings",
    ),
    Lie(
        "grant-of-another",
        "A grant is of another request than it refers to.",
        ("scopes",),
        other_segments_named,
        depth="openings",
    ),
    Lie("too-much", "A request is for more than the charter lets one open.", ("scopes",), too_much, depth="openings"),
    Lie(
        "somebody-elses-case",
        "Originals are asked for in a case that another person opened.",
        ("cases",),
        somebody_elses_case,
        depth="openings",
    ),
    Lie("no-authority", "A case names no legal authority.", ("cases",), no_authority, depth="openings"),
    Lie("closed-case", "Originals are asked for in a case that was closed.", ("cases",), closed_case, depth="openings"),
    Lie("no-case", "Originals are asked for in a case that nobody opened.", ("cases",), no_case, depth="openings"),
)
