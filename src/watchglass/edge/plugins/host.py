"""The outside of the sandbox: a plug-in as an ``Analytic``, in a process that has no files and no network."""

from __future__ import annotations

import json
import logging
import math
import os
import select
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from watchglass.core.errors import BadInput
from watchglass.edge.plugins.installed import PlugIn
from watchglass.perception.analytics.rule import Finding, Lasting, Scene
from watchglass.perception.messages import ZoneSpec
from watchglass.perception.observation import KINDS

log = logging.getLogger(__name__)

_JAIL: Final = Path(__file__).with_name("jail.py")
_START_S: Final = 10.0
_ANSWER_S: Final = 0.5
_LONGEST_ANSWER: Final = 16_384
_MOST_FACTS: Final = 16


class _Broken(Exception):
    """The sandbox did not answer as it must."""


class Sandboxed:
    """A ``perception.analytics.Analytic`` that runs elsewhere.

    At each moment it is given what its card asks for, as plain values, and answers with a finding for as long as its
    condition holds. How long that must be, and that it is told once, is decided here. One that is slow, wrong or dead
    is stopped and stays so, ``trouble`` says why, and the source goes on without it.

    Args:
        plug_in: checked against the charter's hash.
        settings: checked against its card.
        zone: what the charter gives it.
        for_ms: how long its condition must hold.

    Raises:
        BadInput: the operating system cannot keep it in, or it does not start.
    """

    def __init__(self, plug_in: PlugIn, settings: Mapping[str, float], zone: ZoneSpec | None, for_ms: int = 0) -> None:
        self._lasting = Lasting(for_ms)
        self.trouble: str | None = None
        self._name = plug_in.name
        self._sees = plug_in.card.sees
        self._process = _bare_python()
        self._ended = weakref.finalize(self, _end, self._process)
        try:
            locked = self._hear(_START_S)
            if locked.get("locked") is not True:
                raise BadInput(
                    f"Plug-ins are refused here: {locked.get('why', 'the sandbox did not lock')}.",
                    fix="Run plug-ins on Linux (x86-64 or aarch64) with seccomp, or take them out of the charter.",
                )
            self._say(
                {
                    "sources": dict(plug_in.sources),
                    "module": plug_in.module,
                    "class": plug_in.cls,
                    "settings": dict(settings),
                    "zone": None if zone is None else _zone(zone),
                }
            )
            ready = self._hear(_START_S)
            if ready.get("ready") is not True:
                raise BadInput(
                    f"The plug-in {self._name!r} does not start ({ready.get('error', 'no reason given')}).",
                    fix="Ask its author; its source can be read with `watchglass plugin show`.",
                )
        except _Broken as error:
            self.close()
            raise BadInput(f"The plug-in {self._name!r} does not start ({error}).", fix="Ask its author.") from error
        except BadInput:
            self.close()
            raise

    def see(self, scene: Scene) -> Finding | None:
        """See ``Analytic.see``."""
        if self.trouble:
            return None
        try:
            self._say({"scene": _scene(scene, self._sees)})
            finding = self._finding(self._hear(_ANSWER_S))
        except _Broken as error:
            self._give_up(str(error))
            return None
        held = self._lasting.held(scene.at_ms, holds=finding is not None)
        reached = finding is not None and held >= self._lasting.for_ms
        return finding if self._lasting.fires(scene.at_ms, occupied=finding is not None, reached=reached) else None

    def reset(self) -> None:
        """See ``Analytic.reset``."""
        self._lasting.reset()
        if self.trouble:
            return
        try:
            self._say({"reset": True})
            self._finding(self._hear(_ANSWER_S))
        except _Broken as error:
            self._give_up(str(error))

    def close(self) -> None:
        """End the process; it ends by itself with the rule that it belongs to."""
        self._ended()

    def _give_up(self, why: str) -> None:
        self.trouble = f"the plug-in {self._name} was stopped: {why}"
        log.warning("%s", self.trouble)
        self.close()

    def _say(self, message: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message, allow_nan=False).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise _Broken("it is gone") from error

    def _hear(self, seconds: float) -> dict[str, Any]:
        """One line from the sandbox. Whoever writes more, slower or something else is broken."""
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        deadline, line = time.monotonic() + seconds, b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise _Broken(f"it did not answer within {seconds:g} s")
            part = os.read(pipe, _LONGEST_ANSWER)
            line += part
            if not part or len(line) > _LONGEST_ANSWER:
                raise _Broken("it ended" if not part else "it said too much")
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise _Broken("it did not speak JSON") from error
        if not isinstance(answer, dict):
            raise _Broken("it did not speak the protocol")
        return answer

    def _finding(self, answer: Mapping[str, Any]) -> Finding | None:
        if "error" in answer:
            raise _Broken(str(answer["error"])[:200])
        if "finding" not in answer:
            raise _Broken("it did not speak the protocol")
        raw = answer["finding"]
        if raw is None:
            return None
        try:
            score = raw.get("score")
            return Finding(None if score is None else float(score), _words(raw["why"]), _facts(raw.get("facts", {})))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _Broken(f"its finding is not one ({error})") from error


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def enforceable() -> str | None:
    """Why plug-ins are refused on this machine; None where the sandbox locks, which is tried."""
    process = _bare_python()
    try:
        line = process.communicate(b"", timeout=_START_S)[0]
        answer = json.loads(line.splitlines()[0]) if line else {}
    except (subprocess.TimeoutExpired, ValueError):
        process.kill()
        process.communicate()
        return "the sandbox does not start"
    return None if answer.get("locked") is True else str(answer.get("why", "the sandbox does not start"))


def _bare_python() -> subprocess.Popen[bytes]:
    """Python without site-packages, environment, or any file but its two pipes."""
    return subprocess.Popen(  # noqa: S603 # our own script, under a Python of our own
        [sys.executable, "-I", "-S", "-B", str(_JAIL)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"OMP_NUM_THREADS": "1"},
        cwd="/",
        close_fds=True,
    )


def _zone(zone: ZoneSpec) -> dict[str, object]:
    return {"points": [list(point) for point in zone.polygon], "line": zone.line, "area_m2": zone.area_m2}


def _scene(scene: Scene, sees: tuple[str, ...]) -> dict[str, object]:
    """What a plug-in is given: plain numbers and words, and of those only what its card asks for."""
    plain: dict[str, object] = {"at_ms": scene.at_ms}
    if "tracks" in sees:
        tracks = scene.tracks
        plain["tracks"] = [
            {"id": i, "kind": KINDS[kind], "score": round(score, 3), "box": [round(v, 1) for v in box]}
            for i, kind, score, box in zip(
                tracks.ids.tolist(), tracks.kinds.tolist(), tracks.scores.tolist(), tracks.boxes.tolist(), strict=True
            )
        ]
    if "statics" in sees:
        plain["statics"] = [
            {"id": s.id, "box": list(s.box), "since_ms": s.since_ms, "steady_ms": s.steady_ms, "gone": s.gone}
            for s in scene.statics
        ]
    if "condition" in sees:
        plain["condition"] = scene.condition.name if scene.condition else None
    return plain


def _words(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 300 or not value.isprintable():  # noqa: PLR2004 # a sentence
        raise ValueError("`why` is one printable sentence")
    return value.strip()


def _facts(value: Mapping[str, object]) -> dict[str, object]:
    """Numbers and nothing else: a sentence stands in ``why``, where a person reads it."""
    facts: dict[str, object] = {}
    for key, item in value.items():
        if isinstance(item, bool) or not isinstance(item, int | float) or not math.isfinite(item):
            raise ValueError(f"the fact {key!r} is no number")
        if not key.isidentifier() or len(key) > 40 or len(facts) >= _MOST_FACTS:  # noqa: PLR2004 # a short word
            raise ValueError("too many facts, or a name that is none")
        facts[key] = item
    return facts
