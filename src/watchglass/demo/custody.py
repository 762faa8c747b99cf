"""The demo's custodians, its investigator and its shift lead, and what they do in its 28 days: a simulator.

Nobody investigated anything. The cases below are written here, and played through the real acts at times of the virtual
clock, so that the pages have something to show; their texts say that they are simulated, and so do the pages. Who holds
a key plays in a process of its own (``signer.py``), as everybody does in the demo.

What is played, in days after the beginning:

=====  ==================================================================================================
  6.5  a case; a request for the seconds around an alert on the lawn; one custodian refuses: too little reason
 12.4  another case; oversight and dpo approve, it is granted, taken, and the case is closed with what it gave
 16.6  a request for five hours: the house denies it before any custodian sees it
 19.2  the shift lead looks at five clips that others decided days before: a signal, which oversight settles later
 21.3  or when there is next an alert on the lawn: the shift lead uses the emergency rule, and reports later
 25.3  likewise, and does not report: overdue a day later, and a signal that waits for oversight
=====  ==================================================================================================

Besides: each custodian publishes a key for each month, and two days after the originals of a month are past their
retention, oversight and dpo destroy theirs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from watchglass.access.authorise import authorise
from watchglass.access.policies import policies_of
from watchglass.access.roles import May
from watchglass.acts.accounts import person
from watchglass.acts.releases import request_of, segments_of
from watchglass.acts.segments import Segment
from watchglass.acts.view_clip import view_clip
from watchglass.bootstrap import House
from watchglass.charter.decide import decide
from watchglass.charter.permit import ShowReviewerView
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import Problem, Refused
from watchglass.core.time import DAY, HOUR, MINUTE, millis, moment, month_of
from watchglass.demo.originals import charter_in
from watchglass.demo.people import People
from watchglass.ledger.proof import prove
from watchglass.records.act_spec import Lane
from watchglass.records.outbox import Row
from watchglass.records.statement import SignedStatement

CUSTODIANS: Final = ("control-room", "dpo", "oversight")
INVESTIGATOR: Final = "investigator"
SHIFT_LEAD: Final = "shift-lead"
BOARD: Final = "board"
"""Oversight itself, which enrols keys; one of the custodians is of its house, with a key of its own."""
NAMES: Final[Mapping[str, str]] = {INVESTIGATOR: "Ines Vermaat (invented)", SHIFT_LEAD: "lee"}
"""Whom oversight enrols; the shift lead signs in as ``lee`` too."""
SIMULATED: Final = "Simulated for the demo: "
"""What every text of a case begins with."""
_LAWN: Final = "on-the-lawn"
_SLACK: Final = 2 * DAY
_SIGNER_S: Final = 20

Steps = Iterator[None]
Moment = tuple[int, Callable[[], object]]


class Hand:
    """Somebody's process, and their folder of keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(  # noqa: S603 (our own module; Ctrl-C is for the demo alone)
            [sys.executable, "-m", "watchglass.demo.signer", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        """What they answer.

        Raises:
            Problem: they refuse, with their own words, or are gone.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **what}) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        except (OSError, ValueError) as error:
            raise Problem(
                f"The process of {self.folder.name} ended.", fix="Remove the demo's directories and start it again."
            ) from error
        if "error" in answer:
            raise Problem(f"{self.folder.name} says: {answer['error']}", fix=answer["fix"])
        return answer

    def close(self) -> None:
        """Let them go."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_SIGNER_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Hands:
    """Everybody who holds a key to originals, or asks for them. A context manager: their processes end with it.

    Args:
        people: the demo's folder of people; theirs are made in it.
        months: the months of the history and the one after.
    """

    def __init__(self, people: People, origin: str, months: Sequence[str]) -> None:
        self.origin = origin
        self.months = tuple(months)
        self.custodians: dict[str, str] = {}
        self.sealing: dict[tuple[str, str], str] = {}
        self.enrolled: dict[tuple[str, str], str] = {}
        self._hands: dict[str, Hand] = {}
        folders = {name: people.folder / "custodians" / name for name in CUSTODIANS}
        folders |= {role: people.folder / role for role in NAMES}
        try:
            for name, folder in folders.items():
                folder.mkdir(mode=0o700, parents=True)
                self._hands[name] = Hand(folder)
            self._hands[BOARD] = Hand(people.key_of("oversight").parent)
            self._make_keys()
        except BaseException:
            self.close()
            raise

    def _make_keys(self) -> None:
        for name in CUSTODIANS:
            made = self.of(name).ask("new-signing", file="identity.key", name=f"{name}.custodian.{self.origin}")
            self.custodians[name] = made["public"]
            for month in self.months:
                made = self.of(name).ask("new-sealing", file=f"{month}.key", what=f"sealing key of {month}")
                self.sealing[name, month] = made["public"]
        for role in NAMES:
            for month in self.months[:-1]:
                file = self.identity(month)
                made = self.of(role).ask("new-signing", file=file, name=f"{role}.{month}.{self.origin}")
                self.enrolled[role, month] = made["public"]
        made = self.of(SHIFT_LEAD).ask("new-sealing", file="break-glass.key", what="break-glass key")
        self.glass = made["public"]

    def of(self, name: str) -> Hand:
        """A custodian's, by name; or the investigator's or shift lead's, by role."""
        return self._hands[name]

    def identity(self, month: str) -> str:
        """The file of an enrolled key: the last month's is the one that is used now."""
        return "identity.key" if month == self.months[-2] else f"identity-{month}.key"

    def close(self) -> None:
        for hand in self._hands.values():
            hand.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self.close()


def months_of(begin: int, end: int) -> list[str]:
    """The months from ``begin`` to ``end`` and the one after."""
    found, at = [], begin
    while True:
        found.append(month_of(at))
        if at > end and found[-1] > month_of(end):
            return found
        at = month_after(at)


def month_after(ms: int) -> int:
    """When the month after that of ``ms`` begins."""
    when = moment(ms)
    return millis(datetime(when.year + when.month // 12, when.month % 12 + 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was handed in."""

    id: str
    leaf_hash: bytes
    statement: SignedStatement
    until_ms: int


class Custody:
    """Plays custodians, cases and the emergency through the real acts.

    Args:
        trust: the trust file that custodians check requests against.
    """

    def __init__(self, house: House, hands: Hands, trust: Path) -> None:
        self._house = house
        self._hands = hands
        self._trust = trust

    @property
    def now(self) -> int:
        return self._house.clock.now()

    def begin_month(self, month: str) -> None:
        """Custodians publish the month's keys; oversight enrols the keys of those who may ask."""
        self._publish_keys(month)
        for role, name in NAMES.items():
            clear = {"enrolled_role": role, "vkey": self._hands.enrolled[role, month], "month": month}
            self._hand_in(self._sign(BOARD, "key_enrolled", clear=clear, committed={"person": name}))

    def next_month(self) -> None:
        """Custodians publish the key of the month to come, so that recording goes on when this one ends."""
        self._publish_keys(self._hands.months[-1])

    def _publish_keys(self, month: str) -> None:
        for name in CUSTODIANS:
            clear = {"custodian": name, "period": month, "key": self._hands.sealing[name, month]}
            self._hand_in(self._sign(name, "sealing_key_published", clear=clear))

    def schedule(self, begin: int, until: int) -> Iterator[Moment]:
        """What happens when."""
        yield from self._months(begin, until)
        for days, steps, waits in (
            (6.5, self._refused(), (0, 20 * MINUTE, 3 * HOUR)),
            (12.4, self._granted(), (0, 15 * MINUTE, 40 * MINUTE, 90 * MINUTE, 2 * HOUR, 2 * DAY)),
            (16.6, self._too_wide(), (0, 10 * MINUTE)),
            (19.2, self._curious(), (0,)),
            (19.9, self._settled(), tuple(range(0, 6 * DAY, 6 * HOUR))),
            (21.3, self._emergency(report=True), tuple(range(0, 3 * DAY, 30 * MINUTE))),
            (25.3, self._emergency(report=False), tuple(range(0, 1 * DAY, 30 * MINUTE))),
        ):
            for wait in waits:
                yield begin + round(days * DAY) + wait, partial(next, steps, None)

    def _months(self, begin: int, until: int) -> Iterator[Moment]:
        record = charter_in(self._house).safeguards
        keep = record.retention.sealed_ms or 0
        at = month_after(begin)
        while at < until:
            yield at, partial(self.begin_month, month_of(at))
            gone = at + keep + _SLACK
            if gone < until:
                yield gone, partial(self._destroy, month_of(at - 1))
            at = month_after(at)

    def _destroy(self, month: str) -> None:
        """Oversight and dpo destroy their keys of a month: no permitted set of custodians remains."""
        for name in ("oversight", "dpo"):
            row = self._house.store.read().one(
                "SELECT leaf_hash FROM sealing_key WHERE custodian = ? AND period = ?", name, month
            )
            assert row is not None
            clear, refs = {"custodian": name, "period": month}, [bytes(row["leaf_hash"])]
            self._hand_in(self._sign(name, "period_destroyed", clear=clear, refs=refs))
            self._hands.of(name).ask("destroy", period=month)

    # ---- cases -------------------------------------------------------------------------------------------------------

    def _refused(self) -> Steps:
        place = self._seconds(_LAWN)
        if place is None:
            return
        case = self._case("DEMO-1", "a complaint about noise; no order of a court", "somebody was loud on the lawn.")
        yield
        asked = self._request(*case, place, "to see who was loud.")
        yield
        reason = "Noise is no purpose of this camera, and the case names no order. Ask the residents instead."
        self._answer(asked, "dpo", {"reason": SIMULATED + reason})
        yield

    def _granted(self) -> Steps:
        place = self._seconds(_LAWN)
        if place is None:
            return
        authority = "Order of the district court of Exampleton, 7 Gs 112/26 (invented)"
        case = self._case("DEMO-2", authority, "a person fell into an open trench below the lawn.")
        yield
        asked = self._request(*case, place, "to see how the person fell, and whether the barrier stood.")
        yield
        self._approve(asked, "oversight")
        yield
        self._approve(asked, "dpo")
        self._house.grant_releases()
        self._tick()
        yield
        self._take(asked)
        yield
        result = SIMULATED + "the barrier had been moved; the works department was told. The copy was destroyed."
        values = {"case": case[0], "opened": b64(case[1]), "result": result}
        self._hand_in(self._sign(INVESTIGATOR, "case_closed", committed=values, purpose=self._purpose(_LAWN)))
        yield

    def _too_wide(self) -> Steps:
        case = self._case("DEMO-3", "Request of the police of Exampleton, 26-4411 (invented)", "a bicycle was stolen.")
        yield
        place = {"source": "street", "from_ms": self.now - 5 * HOUR, "to_ms": self.now - MINUTE}
        with suppress(Refused):  # which is what it is for: the house denies it, and records that
            self._request(*case, place, "to look through the whole morning.")
        yield

    def _curious(self) -> Steps:
        """Looks at clips that nothing explains, by the reviewer's own page."""
        rows = self._house.store.read().all(
            "SELECT alert.id, alert.source, alert.purpose FROM alert JOIN verdict ON verdict.alert = alert.id"
            " JOIN clip ON clip.alert = alert.id AND clip.destroyed_ms IS NULL"
            " JOIN account ON account.id = verdict.account"
            " WHERE verdict.decided_ms < ? AND account.name != 'lee' ORDER BY raised_ms DESC LIMIT 5",
            self.now - 2 * DAY,
        )
        account = self._row("SELECT id FROM account WHERE name = 'lee'")["id"]
        for row in rows:
            who = person(self._house.store.read(), account)
            grant = authorise(who, May.SEE_CLIP, under=policies_of(charter_in(self._house)))
            permit = decide(self._house.standing(), ShowReviewerView(row["source"], row["purpose"]), self.now)
            view_clip(self._house.acting, grant, permit, row["id"])
        yield

    def _settled(self) -> Steps:
        while (row := self._house.store.read().one("SELECT id FROM misuse_signal WHERE finding IS NULL")) is None:
            yield
        note = SIMULATED + "lee trained a new reviewer with these clips; the supervisor of both confirms it."
        values = {"signal": row["id"], "finding": "explained", "note": note}
        self._hand_in(self._sign(BOARD, "misuse_settled", committed=values))
        yield

    def _emergency(self, *, report: bool) -> Steps:
        while (place := self._seconds(_LAWN, not_older_than=HOUR)) is None:
            yield
        number = self._number()
        glass = charter_in(self._house).safeguards.release
        assert glass is not None
        assert glass.break_glass is not None
        values = {
            "request": number,
            **place,
            "reason": SIMULATED + "somebody called that a child was near the open trench.",
            "follow_up_by_ms": self.now + glass.break_glass.follow_up_ms,
        }
        purpose = self._purpose(_LAWN)
        broken = self._hand_in(self._sign(SHIFT_LEAD, "glass_broken", committed=values, purpose=purpose, keep=number))
        yield
        if not report:
            return
        said = SIMULATED + "two adults crossed the lawn, no child. Nothing was kept."
        values = {"request": number, "report": said, "case": None}
        self._hand_in(self._sign(SHIFT_LEAD, "glass_followed_up", committed=values, purpose=purpose, refs=[broken]))
        yield

    # ---- the acts ----------------------------------------------------------------------------------------------------

    def _case(self, number: str, authority: str, reason: str) -> tuple[str, bytes]:
        name = self._number()
        key = self._hands.of(INVESTIGATOR).ask("new-sealing", file=f"case-{name}.key", what=f"key of the case {name}")
        values = {
            "case": name,
            "number": number,
            "authority": authority,
            "reason": SIMULATED + reason,
            "case_key": key["public"],
            "until_ms": self.now + 60 * DAY,
        }
        purpose = self._purpose(_LAWN)
        leaf = self._hand_in(self._sign(INVESTIGATOR, "case_opened", committed=values, purpose=purpose, keep=name))
        return name, leaf

    def _request(self, case: str, opened: bytes, place: Mapping[str, Any], reason: str) -> Asked:
        charter, number = charter_in(self._house), self._number()
        row = self._row("SELECT case_key FROM evidence_case WHERE id = ?", case)
        assert charter.safeguards.release is not None
        until = self.now + charter.safeguards.release.valid_ms
        values = {
            "request": number,
            **place,
            "case": case,
            "opened": b64(opened),
            "reason": SIMULATED + reason,
            "recipient": b64(bytes(row["case_key"])),
            "until_ms": until,
        }
        purpose = self._purpose(_LAWN)
        statement = self._sign(INVESTIGATOR, "release_requested", committed=values, purpose=purpose, keep=number)
        return Asked(number, self._hand_in(statement), statement, until)

    def _approve(self, asked: Asked, name: str) -> None:
        house, charter = self._house, charter_in(self._house)
        index = int(self._row("SELECT idx FROM entry WHERE leaf_hash = ?", asked.leaf_hash)["idx"])
        leaf, proof = prove(house.tiles, index)
        answer = self._hands.of(name).ask(
            "approve",
            **self._terms("release_approved", name, refs=[asked.leaf_hash], purpose=asked.statement.leaf.purpose),
            request=asked.statement.encode().decode(),
            leaf=b64(leaf),
            proof=proof.encode().decode(),
            investigator=asked.statement.signature.vkey,
            custodian=name,
            custodians=[each.key for each in charter.safeguards.custodians],
            headers=[b64(each.header) for each in self._asked_for(asked)],
            trust=str(self._trust),
        )
        self._hand_in(SignedStatement.parse(answer["statement"].encode()), unb64(answer["bundle"]))

    def _answer(self, asked: Asked, name: str, values: Mapping[str, Any]) -> None:
        purpose = asked.statement.leaf.purpose
        committed = {"request": asked.id, "custodian": name, **values}
        self._hand_in(self._sign(name, "release_refused", committed=committed, purpose=purpose, refs=[asked.leaf_hash]))

    def _take(self, asked: Asked) -> None:
        row = self._row("SELECT granted_leaf_hash FROM release_request WHERE id = ?", asked.id)
        if row["granted_leaf_hash"] is None:
            raise Problem("The demo's release was not granted.", fix="Remove its directories and start it again.")
        values = {"request": asked.id, "segments": len(self._asked_for(asked))}
        refs, purpose = [bytes(row["granted_leaf_hash"])], asked.statement.leaf.purpose
        self._hand_in(self._sign(INVESTIGATOR, "release_taken", committed=values, purpose=purpose, refs=refs))

    def _asked_for(self, asked: Asked) -> list[Segment]:
        reader = self._house.store.read()
        return segments_of(reader, request_of(reader, asked.id))

    def _sign(self, who: str, act: str, *, keep: str | None = None, **more: Any) -> SignedStatement:
        committed = more.pop("committed", {})
        asked = {**self._terms(act, who, **more), "committed": committed, "keep": keep}
        return SignedStatement.parse(self._hands.of(who).ask("sign", **asked)["statement"].encode())

    def _terms(
        self,
        act: str,
        who: str,
        *,
        clear: Mapping[str, Any] | None = None,
        purpose: str | None = None,
        refs: Sequence[bytes] = (),
    ) -> dict[str, Any]:
        """What every signature is about."""
        return {
            "act": act,
            "role": {BOARD: "oversight"}.get(who, "custodian" if who in CUSTODIANS else who),
            "file": self._file(who),
            "origin": self._house.origin,
            "now": self.now,
            "charter": b64(charter_in(self._house).sha256),
            "purpose": purpose,
            "clear": dict(clear or {}),
            "refs": [b64(ref) for ref in refs],
        }

    def _file(self, who: str) -> str:
        if who == BOARD:
            return "signing.key"
        return "identity.key" if who in CUSTODIANS else self._hands.identity(month_of(self.now))

    def _hand_in(self, statement: SignedStatement, bundle: bytes | None = None) -> bytes:
        """Hand it in as over a network, and let the witness cosign it."""
        done = self._house.hand_in(statement, bundle)
        self._tick()
        return unb64(done["leaf_hash"])

    def _tick(self) -> None:
        self._house.sequencer.tick((Lane.PROMPT,))

    def _seconds(self, analytic: str, *, not_older_than: int = 2 * DAY) -> dict[str, Any] | None:
        """The last recorded stretch around an alert of this analytic; None where there is none."""
        row = self._house.store.read().one(
            "SELECT source, min(from_ms) AS begin, max(to_ms) AS end FROM segment"
            " WHERE purpose = ? AND destroyed_ms IS NULL AND from_ms > ? GROUP BY alert ORDER BY begin DESC LIMIT 1",
            self._purpose(analytic),
            self.now - not_older_than,
        )
        if row is None or row["end"] > self.now:
            return None
        return {"source": row["source"], "from_ms": int(row["begin"]), "to_ms": int(row["end"])}

    def _purpose(self, analytic: str) -> str:
        return charter_in(self._house).analytic(analytic).purpose

    def _number(self) -> str:
        return self._house.entropy.bytes(8).hex()

    def _row(self, sql: str, *values: str | bytes) -> Row:
        row = self._house.store.read().one(sql, *values)
        assert row is not None
        return row
