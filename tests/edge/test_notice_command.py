"""``watchglass notice``: list, retry, test; one JSON object each, on a deployment that does not run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from telling import Receiver, edits, give_secret, status, webhook
from watchglass.bootstrap import House
from watchglass.cli.main import main
from watchglass.edge.clock import SystemClock
from world import make_house, read_json


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    code = main([*map(str, words), "--json"])
    return code, read_json(capsys.readouterr().out)


def test_test_list_and_retry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        Receiver([status(410), status(410), status(204)]) as receiver,
        make_house(tmp_path, clock=SystemClock(), edits=edits(webhook(receiver.url))) as world,
    ):
        give_secret(world)
        world.settle()
        root = world.layout.root
        world.house.close()
        assert run(capsys, "notice", "list", root) == (0, {"notices": []})
        code, said = run(capsys, "notice", "test", root, "hook")
        assert (code, said["outcome"], said["cause"]) == (1, "undelivered", "It answered 410.")
        code, listed = run(capsys, "notice", "list", root)
        assert [each["notice"] for each in listed["notices"]] == [said["notice"]]
        assert run(capsys, "notice", "retry", root, said["notice"])[0] == 1
        code, again = run(capsys, "notice", "retry", root, said["notice"])
        assert (code, again["outcome"], again["tries"]) == (0, "delivered", 3)
        assert {got.headers["webhook-id"] for got in receiver.got} == {said["notice"]}
        code, refused = run(capsys, "notice", "test", root, "elsewhere")
        assert (code, refused["error"]) == (2, "BadInput")
        code, unknown = run(capsys, "notice", "retry", root, "0" * 16)
        assert (code, unknown["error"]) == (1, "Problem")
        assert main(["notice", "list", str(root)]) == 0
        assert "Every notice arrived" in capsys.readouterr().out
        world.house = House(root, clock=world.clock)
        assert {record.leaf.role for record in world.records("notice_retried")} == {"house"}
