"""Cases, releases, emergencies and holds in a life, each as the product lets it happen."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from made_life import Life
from made_town import EXPLANATION, MadeHold, MadeRequest, Piece, Search, Story, soon
from watchglass.charter.permit import BreakGlass, GrantRelease, RequestRelease
from watchglass.core.digest import b64, sha256
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND, month_of
from watchglass.evidence.release import Request
from watchglass.evidence.subsets import can_still_open
from watchglass.ledger.keys import SignerKey


def some_pieces(life: Life) -> list[Piece]:
    """The pieces around one alert that are still kept and can be opened."""
    town = life.town
    charter = town.charter
    if charter.safeguards.record is None:
        return []
    found = [
        piece
        for piece in town.pieces
        if not piece.destroyed
        and piece.keep_until_ms > town.now + HOUR
        and month_of(piece.from_ms) == month_of(piece.to_ms)
        and can_still_open(town.subsets(charter), {who for who, of in town.destroyed if of == month_of(piece.from_ms)})
    ]
    return [life.dice.choice(found)] if found else []


def open_case(life: Life, key: SignerKey, purpose: str) -> tuple[str, bytes, str]:
    """A case: its number, its record, and the key that originals are sealed to."""
    town = life.town
    number = town.number()
    recipient = b64(X25519PrivateKey.from_private_bytes(town.entropy.bytes(32)).public_key().public_bytes_raw())
    committed = {
        "case": number,
        "number": f"EX-{life.dice.randrange(1000)}",
        "authority": "Order of the district court of Exampleton",
        "reason": EXPLANATION,
        "case_key": recipient,
        "until_ms": town.now + 30 * DAY,
    }
    leaf = town.signed("case_opened", key, "investigator", committed=committed, purpose=purpose)
    return number, leaf, recipient


def ask(
    life: Life, key: SignerKey, case: tuple[str, bytes, str], piece: Piece, *, role: str = "investigator"
) -> MadeRequest:
    """A request for what lies around a piece."""
    town = life.town
    release = town.charter.safeguards.release
    assert release is not None
    number, until = town.number(), town.now + release.valid_ms
    committed = {
        "request": number,
        "source": piece.source,
        "from_ms": piece.from_ms,
        "to_ms": piece.to_ms,
        "case": case[0],
        "opened": b64(case[1]),
        "reason": EXPLANATION,
        "recipient": case[2],
        "until_ms": until,
    }
    charter = town.charter
    leaf = town.signed("release_requested", key, role, committed=committed, purpose=piece.purpose)
    return MadeRequest(
        number, leaf, case[0], piece.source, piece.purpose, piece.from_ms, piece.to_ms, case[2], until, key,
        charter.sha256,
    )  # fmt: skip


def answer(life: Life, asked: MadeRequest, custodian: str, *, yes: bool = True, **otherwise: object) -> bytes:
    """A custodian's approval or refusal."""
    town = life.town
    key = otherwise.pop("key", town.keys[custodian])
    refs = otherwise.pop("refs", [asked.leaf])
    assert isinstance(key, SignerKey)
    more = {"purpose": asked.purpose, "refs": refs}
    if not yes:
        committed: dict[str, object] = {"request": asked.id, "custodian": custodian, "reason": EXPLANATION}
        return town.signed("release_refused", key, "custodian", committed={**committed, **otherwise}, **more)
    request = Request(
        asked.leaf, asked.id, town.origin, asked.charter, asked.purpose, asked.source, asked.from_ms, asked.to_ms,
        asked.case, b"", "", b"", asked.until_ms, asked.key.verifier,
    )  # fmt: skip
    assert town.log.published is not None
    head = town.log.published.checkpoint
    committed = {
        "request": asked.id,
        "custodian": custodian,
        "scope_sha256": b64(request.scope_sha256),
        "recipient": asked.recipient,
        "bundle_sha256": b64(sha256(town.entropy.bytes(8))),
        "until_ms": asked.until_ms,
        "seen": {"size": head.size, "root": b64(head.root)},
    }
    return town.signed("release_approved", key, "custodian", committed={**committed, **otherwise}, **more)


def grant(life: Life, asked: MadeRequest, approvals: list[bytes], under: object) -> bytes:
    """The house grants."""
    return life.town.attest(
        "release_granted",
        under=under,  # type: ignore[arg-type]  # a permit, or what a liar takes instead
        clear={"approvals": sorted(b64(each) for each in approvals)},
        committed={"request": asked.id, "segments": 1},
        refs=[asked.leaf],
        purpose=asked.purpose,
    )


def take(life: Life, asked: MadeRequest, granted: bytes) -> bytes:
    """The one who asked takes it."""
    committed = {"request": asked.id, "segments": 1}
    return life.town.signed(
        "release_taken", asked.key, "investigator", committed=committed, refs=[granted], purpose=asked.purpose
    )


def cosigned(life: Life, leaf: bytes) -> Story:
    """Wait for the witnesses."""
    while not (life.town.kind == "trial" or life.town.log.is_cosigned(leaf)):
        yield 5 * SECOND


def the_piece(life: Life) -> Search[tuple[Piece, SignerKey]]:
    """Wait until there is something that can be asked for; gives a piece and the investigator's key of the month."""
    while True:
        found, key = some_pieces(life), life.town.key_of("ines")
        if found and key is not None and life.may_look() and not life.town.suspensions():
            return found[0], key
        yield HOUR


def still(life: Life, asked: MadeRequest) -> bool:
    """Whether a request can still be answered: the same charter, the same month, in time."""
    town = life.town
    return (
        town.charter.sha256 == asked.charter and town.key_of("ines") is asked.key and asked.until_ms > town.now + MINUTE
    )


def case(life: Life) -> Story:
    """A case: sometimes a denied request, then one that is answered; closed, mostly, with what it gave."""
    town, dice = life.town, life.dice
    piece, key = yield from the_piece(life)
    opened = open_case(life, key, piece.purpose)
    yield soon(town)
    if dice.random() < 0.3:
        denied(life, opened[0], piece.source)
        yield soon(town)
    wanted = RequestRelease(piece.source, piece.purpose, piece.from_ms, piece.to_ms)
    if piece.destroyed or town.key_of("ines") is not key or town.permit(wanted) is None:
        return
    yield from release(life, ask(life, key, opened, piece), piece)
    yield soon(town, DAY)
    closer = town.key_of("ines")
    if closer is not None and dice.random() < 2 / 3:
        close_case(life, closer, opened, piece.purpose)


def close_case(life: Life, key: SignerKey, case: tuple[str, bytes, str], purpose: str) -> bytes:
    """Nothing more can be asked for within it."""
    committed = {"case": case[0], "opened": b64(case[1]), "result": EXPLANATION}
    return life.town.signed("case_closed", key, "investigator", committed=committed, purpose=purpose)


def release(life: Life, asked: MadeRequest, piece: Piece) -> Story:
    """Custodians answer a request; if enough of them approve it is granted, and then taken."""
    town, dice = life.town, life.dice
    yield from cosigned(life, asked.leaf)
    approvals = yield from answers(life, asked)
    if not any(set(each) <= approvals.keys() for each in town.subsets(town.charter)):
        return
    yield dice.randrange(100, 2_000)
    wanted = GrantRelease(piece.source, piece.purpose, piece.from_ms, piece.to_ms)
    while (permit := town.permit(wanted)) is None or not still(life, asked) or piece.destroyed:
        if not still(life, asked) or piece.destroyed:
            return
        yield 10 * MINUTE
    granted = grant(life, asked, list(approvals.values()), permit)
    yield from cosigned(life, granted)
    yield soon(town, 3 * HOUR)
    if still(life, asked) and dice.random() < 0.9:
        take(life, asked, granted)


def answers(life: Life, asked: MadeRequest) -> Search[dict[str, bytes]]:
    """A permitted set of custodians approves, mostly; sometimes one is missing, sometimes another refuses."""
    town, dice, approvals = life.town, life.dice, dict[str, bytes]()
    subset = list(dice.choice(town.subsets(town.charter)))
    dice.shuffle(subset)
    others = [each.name for each in town.charter.safeguards.custodians if each.name not in subset]
    if dice.random() < 0.2:
        subset.pop()
    for name in subset:
        yield soon(town, 2 * HOUR)
        if not still(life, asked):
            return {}
        approvals[name] = answer(life, asked, name)
    if others and dice.random() < 0.3:
        answer(life, asked, others[0], yes=False)
    return approvals


def denied(life: Life, case_id: str, source: str) -> None:
    """The house turned a request away."""
    committed = {
        "statement_sha256": b64(sha256(life.town.entropy.bytes(8))),
        "by": "ines",
        "case": case_id,
        "source": source,
        "why": "That is more than an hour.",
    }
    life.town.attest("release_denied", under=life.town.charter, committed=committed)


def emergency(life: Life) -> Story:
    """The shift lead uses the emergency rule right after an alert, and reports in time."""
    town, dice = life.town, life.dice
    found = yield from a_fresh_piece(life)
    if found is None:
        return
    piece, key, follow = found
    number = town.number()
    leaf = break_glass(life, key, piece, number)
    yield dice.randrange(10 * MINUTE, follow * 9 // 10)
    report(life, leaf, number, piece.purpose)


def a_fresh_piece(life: Life) -> Search[tuple[Piece, SignerKey, int] | None]:
    """Wait for something that the emergency rule opens: the piece, the shift lead's key, and by when to report."""
    town = life.town
    for _ in range(200):
        release = town.charter.safeguards.release
        recent = [p for p in town.pieces if not p.destroyed and p.glass and p.from_ms > town.now - 90 * MINUTE]
        key = town.key_of("sam")
        if recent and key is not None and release is not None and release.break_glass is not None:
            piece = recent[-1]
            wanted = BreakGlass(piece.source, piece.purpose, piece.from_ms, piece.to_ms, "shift-lead")
            if town.permit(wanted) is not None:
                return piece, key, release.break_glass.follow_up_ms
        yield 10 * MINUTE
    return None


def break_glass(life: Life, key: SignerKey, piece: Piece, number: str) -> bytes:
    """The emergency rule is used."""
    town = life.town
    release = town.charter.safeguards.release
    assert release is not None
    assert release.break_glass is not None
    committed = {
        "request": number,
        "source": piece.source,
        "from_ms": piece.from_ms,
        "to_ms": piece.to_ms,
        "reason": EXPLANATION,
        "follow_up_by_ms": town.now + release.break_glass.follow_up_ms,
    }
    return town.signed("glass_broken", key, "shift-lead", committed=committed, purpose=piece.purpose)


def report(life: Life, leaf: bytes, number: str, purpose: str) -> bytes:
    """And reported on, with the key of the month."""
    town = life.town
    key = town.key_of("sam")
    assert key is not None
    committed = {"request": number, "report": EXPLANATION, "case": None}
    return town.signed("glass_followed_up", key, "shift-lead", committed=committed, refs=[leaf], purpose=purpose)


def hold(life: Life) -> Story:
    """The authority or oversight has some originals kept; custodians keep their shares; later it is lifted."""
    town, dice = life.town, life.dice
    for _ in range(100):
        found = some_pieces(life)
        if found:
            break
        yield HOUR
    else:
        return
    piece = found[0]
    role = dice.choice(("authority", "oversight"))
    made = order_hold(life, role, piece)
    for custodian in town.charter.safeguards.custodians:
        yield soon(town, 4 * HOUR)
        keep_hold(life, made, custodian.name)
    yield dice.randrange(HOUR, 4 * DAY)
    if dice.random() < 2 / 3:
        key = town.keys["oversight-office" if role == "oversight" else role]
        committed = {"hold": made.id, "reason": EXPLANATION}
        town.signed("hold_lifted", key, role, committed=committed, refs=[made.leaf])
        made.lifted = True


def order_hold(life: Life, role: str, piece: Piece) -> MadeHold:
    """The order."""
    town = life.town
    number, until = town.number(), town.now + 60 * DAY
    committed = {
        "hold": number,
        "source": piece.source,
        "from_ms": piece.from_ms,
        "to_ms": piece.to_ms,
        "reason": EXPLANATION,
        "until_ms": until,
    }
    key = town.keys["oversight-office" if role == "oversight" else role]
    leaf = town.signed("hold_ordered", key, role, committed=committed)
    made = MadeHold(number, leaf, role, piece.source, piece.from_ms, piece.to_ms, until)
    town.holds.append(made)
    return made


def keep_hold(life: Life, made: MadeHold, custodian: str) -> bytes:
    """A custodian seals their shares of what is held anew."""
    town = life.town
    committed = {
        "hold": made.id,
        "custodian": custodian,
        "recipient": b64(X25519PrivateKey.from_private_bytes(town.entropy.bytes(32)).public_key().public_bytes_raw()),
        "bundle_sha256": b64(sha256(town.entropy.bytes(8))),
    }
    made.kept_by.add(custodian)
    return town.signed("hold_kept", town.keys[custodian], "custodian", committed=committed, refs=[made.leaf])
