"""The command line as such: help, versions, typos, exit codes, and exactly one JSON object on stdout."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from watchglass import __version__
from watchglass.cli.main import GROUPS, main, parser
from watchglass.cli.output import Parser
from world import World, make_house, read_json


def commands() -> list[tuple[str, ...]]:
    """Every command, by its words."""
    found: list[tuple[str, ...]] = []

    def walk(current: Parser, words: tuple[str, ...]) -> None:
        children = [a.choices for a in current._actions if isinstance(a.choices, dict)]
        for choices in children:
            for name, child in choices.items():
                walk(child, (*words, name))
        if not children:
            found.append(words)

    walk(parser(), ())
    return found


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, object]]:
    """Run with ``--json``; fails unless stdout is exactly one object on one line."""
    code = main([*map(str, words), "--json"])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return code, read_json(out)


def test_every_command_of_the_issue_is_there_with_help_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    known = commands()
    asked = (
        "init", "charter check", "charter explain", "charter diff", "charter sign", "charter publish", "run", "demo",
        "ledger verify", "ledger prove", "ledger check-proof", "user add", "key new", "model show", "bench",
        "oversight suspend", "oversight resume", "witness serve",
    )  # fmt: skip
    for words in asked:
        assert tuple(words.split())[:2] in {each[: len(words.split())] for each in known}, words
    for words in known:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--help"])
        assert ended.value.code == 0
        told = capsys.readouterr().out
        assert told.startswith(f"usage: watchglass {' '.join(words)}")
        assert "--json" in told, words
        assert "--virtual-time" not in told


def test_the_groups_that_are_listed_are_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    for name in GROUPS:
        assert re.search(rf"^    {name}\b", told, re.MULTILINE), name
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
    assert "0 fine, 1 found a problem" in " ".join(told.split())


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"watchglass {__version__}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "COMMAND"),
        (["ledgr", "verify"], "watchglass ledger"),
        (["chartr"], "watchglass charter"),
        (["xyzzy"], "no command"),
        (["ledger"], "COMMAND"),
        (["ledger", "verifi", "x"], "verifi"),
        (["ledger", "prove", "x"], "--index"),
        (["ledger", "prove", "x", "--index", "one"], "one"),
        (["run"], "DIR"),
        (["run", ".", "--twice"], "--twice"),
        (["demo", "--port", "0"], "port"),
        (["demo", "--port", "70000"], "port"),
        (["key", "new"], "file"),
        (["key", "new", "f", "--name", "n", "--kind", "odd"], "odd"),
        (["user", "add", ".", "rita", "--role", "king"], "king"),
        (["user", "add", ".", "rita", "--role", "public"], "public"),
        (["oversight", "suspend", ".", "--key", "k", "--reason", "r"], "--all"),
        (["oversight", "suspend", ".", "--key", "k", "--reason", "r", "--all", "--analytic", "a"], "not allowed with"),
        (["witness", "serve", "d"], "--log"),
        (["init", "d"], "name"),
        (["init", "d", "--origin", "demo.x.example"], "demo."),
        (["init", "d", "--origin", "x.example", "--video", "v.mp4"], "--video"),
        (["init", "d", "--trial", "--origin", "x.example"], "name of its own"),
        (["init", "d", "--trial", "--video", "nothing.mp4"], "nothing.mp4"),
        (["init", "d", "--trial", "--listen", "0.0.0.0:1"], "this machine only"),
    ],
)
def test_usage_errors_exit_2_with_one_object_and_a_way_out(
    words: Sequence[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, result = run(capsys, *words)
    assert code == 2
    assert result["error"] == "BadInput"
    assert told in f"{result['message']} {result['fix']}"
    assert main(list(words)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("watchglass: ")
    assert "What to do: " in said.err
    assert sorted(tmp_path.iterdir()) == []


def test_places_that_are_no_deployment(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    key = tmp_path / "k.key"
    assert run(capsys, "key", "new", key, "--name", "k.example", "--no-passphrase")[0] == 0
    for words in (
        ("run", tmp_path / "none"),
        ("run", tmp_path, "--once"),
        ("user", "add", tmp_path, "rita", "--role", "clerk", "--generate"),
        ("oversight", "suspend", tmp_path / "none", "--key", key, "--all", "--reason", "r"),
        ("oversight", "suspend", tmp_path / "none", "--key", tmp_path / "no.key", "--all", "--reason", "r"),
        ("oversight", "hand-in", tmp_path, tmp_path / "nothing"),
        ("oversight", "open", tmp_path / "b", "--ledger", tmp_path, "--key", key),
        ("charter", "check", tmp_path / "no.yaml"),
        ("charter", "sign", tmp_path / "no.yaml", "--as", "authority", "--key", key, "--origin", "x.example"),
        ("ledger", "verify", tmp_path / "none"),
    ):
        code, result = run(capsys, *words)
        assert (code, result["error"]) == (2, "BadInput"), words
        assert result["fix"]


def test_a_portal_that_does_not_answer(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    key = tmp_path / "k.key"
    run(capsys, "key", "new", key, "--name", "k.example", "--no-passphrase")
    code, result = run(capsys, "oversight", "suspend", "http://127.0.0.1:9", "--key", key, "--all", "--reason", "r")
    assert (code, result["error"]) == (1, "Problem")
    assert "does not answer" in str(result["message"])


def test_a_key_is_never_overwritten_and_passphrases_need_a_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ("key", "new", tmp_path / "k.key", "--name", "k.example")
    code, made = run(capsys, *words, "--no-passphrase")
    assert code == 0
    assert str(made["public"]).startswith("k.example+")
    before = (tmp_path / "k.key").read_bytes()
    assert run(capsys, *words, "--no-passphrase")[0] == 2
    assert (tmp_path / "k.key").read_bytes() == before
    code, result = run(capsys, "key", "new", tmp_path / "other.key", "--name", "k.example")
    assert code == 2
    assert "terminal" in str(result["message"])
    code, result = run(
        capsys, "key", "new", tmp_path / "k.key" / "in-a-file.key", "--name", "k.example", "--no-passphrase"
    )
    assert code in (1, 2)
    assert result["fix"]


def test_the_machines_refusal_is_a_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    code, result = run(capsys, "init", tmp_path / "file" / "d", "--origin", "x.example")
    assert code in (1, 2)
    assert result["fix"]
    assert "Traceback" not in json.dumps(result)


def test_accounts_on_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with make_house(tmp_path) as world:
        root = world.layout.root
        code, result = run(capsys, "user", "add", root, "rita", "--role", "reviewer", "--generate")
        assert (code, result["error"]) == (2, "BadInput")  # the deployment is open in another place
        assert "already runs" in str(result["message"])
    code, result = run(capsys, "user", "add", root, "rita", "--role", "reviewer", "--role", "responder", "--generate")
    assert code == 0
    assert len(str(result["password"])) > 10
    assert result["roles"] == ["reviewer", "responder"]
    assert result["receipt"]
    (tmp_path / "word").write_text("short\n")
    code, result = run(capsys, "user", "add", root, "rosa", "--role", "clerk", "--password-file", tmp_path / "word")
    assert code == 2
    (tmp_path / "word").write_bytes(b"\xff\xfe")
    assert run(capsys, "user", "add", root, "rosa", "--role", "clerk", "--password-file", tmp_path / "word")[0] == 2
    (tmp_path / "word").write_text("nine green elephants dance\n")
    code, result = run(capsys, "user", "add", root, "rosa", "--role", "clerk", "--password-file", tmp_path / "word")
    assert code == 0
    assert "password" not in result
    code, result = run(capsys, "user", "add", root, "rosa", "--role", "clerk", "--generate")
    assert (code, result["error"]) == (2, "BadInput")


def test_a_deployment_without_a_charter_says_what_comes_first(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, made = run(capsys, "init", tmp_path / "d", "--origin", "x.example")
    assert (code, made["trial"]) == (0, False)
    code, result = run(capsys, "user", "add", tmp_path / "d", "rita", "--role", "reviewer", "--generate")
    assert (code, result["error"]) == (1, "CannotRecord")
    assert "charter" in str(result["fix"])
    code, result = run(capsys, "run", tmp_path / "d", "--once")
    assert (code, result["error"]) == (3, "Refused")
    code, result = run(capsys, "init", tmp_path / "d", "--origin", "x.example")
    assert (code, result["error"]) == (2, "BadInput")


def test_as_a_process_logs_are_on_stderr_and_the_exit_code_is_the_errors(world: World) -> None:
    world.suspend()
    root = world.layout.root
    world.close()
    done = subprocess.run(
        [sys.executable, "-m", "watchglass", "run", str(root), "--once", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    result = read_json(done.stdout)
    assert (done.returncode, result["error"]) == (3, "Refused")
