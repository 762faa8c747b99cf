"""``watchglass quality reports``, ``reported``, ``set-aside``: on a deployment that does not run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from watchglass.cli.main import main
from watchglass.core.time import HOUR, iso
from watchglass.edge.clock import SystemClock
from world import make_house, read_json

CLAUSE = "  reports: {from: [dispatch], of: [on-the-lawn], within: 10m, kept: 7d}\n"


def test_take_in_show_and_set_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: object) -> tuple[int, dict[str, Any]]:
        code = main(["quality", *map(str, words), "--json"])
        return code, read_json(capsys.readouterr().out)

    edits = (("  on_suspension:", CLAUSE + "  on_suspension:"),)
    with make_house(tmp_path / "house", clock=SystemClock(), edits=edits) as world:
        world.settle()
        root, now = world.layout.root, world.clock.now()
        world.house.close()
        log, words = tmp_path / "log.csv", tmp_path / "words.txt"
        rows = f"{iso(now - HOUR)},street,climbed in,Anna Muster\n{iso(now - 2 * HOUR)},street,noise,Bert\n"
        log.write_text(f"time,source,kind,who\n{rows}", "utf-8")
        words.write_text("climbed in = intrusion\nnoise = -\n", "utf-8")
        asked = ("reports", root, log, "--from", "dispatch", "--map", words)
        code, said = run(*asked)
        assert (code, said["new"], said["left_out"], said["dropped_values"]) == (0, 1, {"other": 1}, 2)
        assert run(*asked)[1]["new"] == 0
        code, refused = run("reports", root, log, "--from", "complaints", "--map", words)
        assert (code, refused["error"]) == (3, "Refused")
        assert run("reports", root, log, "--from", "dispatch")[0] == 2
        assert run("reports", root, tmp_path / "none.csv", "--from", "dispatch")[0] == 2
        code, shown = run("reported", root)
        (row,) = shown["rows"]
        assert (row["analytic"], row["log"]) == ("on-the-lawn", "dispatch")
        assert main(["quality", "set-aside", str(root), str(row["report"])]) == 0
        assert "both figures are told" in capsys.readouterr().out
        assert run("set-aside", root, row["report"])[0] == 1
        assert run("set-aside", root, row["report"], "--back") == (0, {"report": row["report"], "to": "back"})
        assert main(list(map(str, ("quality", *asked)))) == 0
        assert "Nothing of it was new" in capsys.readouterr().out
