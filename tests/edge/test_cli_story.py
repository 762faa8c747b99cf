"""The whole story on the command line, as its people would do it: no portal, no network, every command the real one."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import pytest

from watchglass.access.authorise import authorise
from watchglass.access.roles import May, Role
from watchglass.acts.accounts import person
from watchglass.acts.inspect_openings import take_openings
from watchglass.bootstrap import House
from watchglass.cli.main import main
from watchglass.demo import CHARTER, STREET
from watchglass.edge.inference import shipped
from world import SEALING, read_json

ORIGIN = "safety.exampleton.example"
BEGIN, SHORT = 13, 24
"""Where the story's piece of the shipped clip begins, and its length, in seconds: people gather, and cross the lawn."""


class Story:
    """Everybody's folder, and what they type."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        self.root = folder / "deployment"
        self.charter = self.root / "charter.yaml"
        self.trust = folder / "trust"

    def does(self, *words: object, exits: int = 0) -> dict[str, Any]:
        """Run a command with ``--json`` in this process."""
        code = main([*map(str, words), "--json"])
        out = self.capsys.readouterr().out
        assert out.count("\n") == 1, out
        result = read_json(out)
        assert code == exits, result
        return result

    def key(self, name: str) -> Path:
        return self.folder / name / "signing.key"

    def oversight(self, verb: str, *words: object, exits: int = 0) -> dict[str, Any]:
        return self.does("oversight", verb, self.root, "--key", self.key("oversight"), *words, exits=exits)

    def verify(self, exits: int = 0) -> dict[str, Any]:
        return self.does("ledger", "verify", self.root / "ledger", "--trust", self.trust, exits=exits)


@pytest.fixture
def witness(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[Story, str]]:
    """A deployment with its charter filled in, everybody's keys, and a witness that runs elsewhere."""
    story = Story(tmp_path, capsys)
    made = story.does("init", story.root, "--origin", ORIGIN)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    publics = {}
    for name, kind in (("authority", "signing"), ("oversight", "signing"), ("openings", "openings")):
        file = story.key(name)
        publics[name] = story.does("key", "new", file, "--name", f"{name}.example", "--kind", kind, "--no-passphrase")[
            "public"
        ]
    witness_key = story.does("witness", "new", tmp_path / "witness", "--name", "witness.example")["key"]
    since = datetime.now(UTC).date()
    values = {
        "AUTHORITY_KEY": publics["authority"], "OVERSIGHT_KEY": publics["oversight"],
        "OPENINGS_KEY": publics["openings"], "WITNESS_KEY": witness_key,
        "WITNESS_URL": f"http://127.0.0.1:{port}", "MODEL_HASH": f"sha256:{shipped().sha256}",
        "FROM": since.isoformat(), "UNTIL": (since + timedelta(days=90)).isoformat(),
    }  # fmt: skip
    text = CHARTER.read_text("utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    text = SEALING.sub("  retention: {reviewer_clips: 7d, alerts: 1y}\n", text)
    text = text.replace("delay: 0s, hide_below: 0", "delay: 15m, hide_below: 3").replace("loop: true", "loop: false")
    story.charter.write_text(text, "utf-8")
    story.trust.write_text(
        f"log {made['log_vkey']}\nwitness w {witness_key} http://127.0.0.1:{port}\nquorum w\n", "utf-8"
    )
    words = ("witness", "serve", str(tmp_path / "witness"), "--listen", f"127.0.0.1:{port}", "--log", made["log_vkey"])
    process = subprocess.Popen([sys.executable, "-m", "watchglass", *words], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "watches" in process.stderr.readline()
    try:
        yield story, made["log_vkey"]
    finally:
        process.terminate()
        process.wait(30)
        process.stderr.close()


def short_clip(to: Path) -> None:
    """A piece of the shipped street, packets copied, so that the pipeline has real people to see."""
    with av.open(str(STREET)) as source, av.open(str(to), "w") as target:
        video = source.streams.video[0]
        out = target.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.dts is None or packet.pts is None or not BEGIN <= packet.pts * packet.time_base < BEGIN + SHORT:
                continue
            shift = round(BEGIN / packet.time_base)
            packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, out
            target.mux(packet)


def published(story: Story) -> None:
    """Both approve on their own machines; the deployment publishes; the witness cosigns."""
    check = story.does("charter", "check", story.charter)
    assert check["ok"], check["findings"]
    approvals = []
    for role in ("authority", "oversight"):
        words = ("charter", "sign", story.charter, "--as", role, "--key", story.key(role), "--origin", ORIGIN)
        approvals += ["--approval", story.does(*words)["approval"]]
    told = story.does("charter", "publish", story.root, story.charter, *approvals)
    assert told["version"] >= 1
    assert told["receipt"]["origin"] == ORIGIN


def openings(story: Story) -> Path:
    """What the portal's openings page gives to oversight."""
    with House(story.root) as house:
        row = house.store.read().one("SELECT id FROM account WHERE name = 'board'")
        assert row is not None
        board = person(house.store.read(), int(row["id"]))
        file = story.folder / "bundle.json"
        file.write_bytes(take_openings(house.acting, authorise(board, May.TAKE_OPENINGS)).value)
    return file


@pytest.mark.slow
def test_from_nothing_to_a_verified_ledger_and_back(witness: tuple[Story, str]) -> None:  # noqa: PLR0915 (one story)
    story, _ = witness
    short_clip(story.root / "media" / "street.mp4")

    # nothing runs before there is a charter, nor is anybody let in whose record nobody could open
    assert "There is no charter" in story.does("run", story.root, "--once", exits=3)["message"]

    # a charter that was changed after it was signed is not the one that was signed
    words = ("charter", "sign", story.charter, "--as", "authority", "--key", story.key("authority"), "--origin", ORIGIN)
    early = story.does(*words)["approval"]
    refused = story.does("charter", "publish", story.root, story.charter, "--approval", early, exits=4)
    assert "oversight is missing" in refused["message"]
    published(story)
    story.does("user", "add", story.root, "board", "--role", Role.OVERSIGHT, "--generate")

    # the street, once
    ran = story.does("run", story.root, "--once")
    street = ran["sources"]["street"]
    assert street["frames"] > SHORT * 9
    assert SHORT - 1 < street["video_seconds"] < SHORT + 2
    assert street["error"] is None
    assert ran["alerts"].keys() <= {"intrusion", "crowd_density"}
    assert sum(ran["alerts"].values()) > 0
    assert (ran["ok"], ran["stopped"], ran["lost"], ran["refused"]) == (True, False, 0, 0)
    assert set(ran["ledger"]) == {"size", "root", "dir"}

    # from outside
    seen = story.verify()
    assert (seen["size"], seen["root"]) == (ran["ledger"]["size"], ran["ledger"]["root"])
    assert seen["witnesses"]
    proof = story.folder / "proof"
    story.does("ledger", "prove", story.root / "ledger", "--index", 1, "-o", proof)
    checked = story.does("ledger", "check-proof", proof, "--trust", story.trust)
    assert checked["entry"]["act"] == "charter_published"
    proof.write_bytes(proof.read_bytes().replace(b"index 1", b"index 2"))
    story.does("ledger", "check-proof", proof, "--trust", story.trust, exits=4)

    # oversight stops everything, and it stays stopped until a witness has seen that it may go on
    ordered = story.oversight("suspend", "--all", "--reason", "It counts shadows.")
    assert ordered["leaf_hash"]
    stopped = story.does("run", story.root, "--once", exits=3)
    assert any("suspended by oversight" in reason for reason in stopped["reasons"])
    story.oversight("resume", "--analytic", "on-the-lawn", "--reason", "r", "--what-changed", "w", exits=1)
    story.oversight("resume", "--all", "--reason", "It was looked at.", "--what-changed", "The zone.")
    again = story.does("run", story.root, "--once")
    # The same film, as the clock goes: a busy machine looks less often, and may miss a crowd of a second.
    assert again["alerts"]["intrusion"] == ran["alerts"]["intrusion"]
    assert again["alerts"].keys() <= {"intrusion", "crowd_density"}

    # one analytic, signed on a machine without a network and carried over
    with House(story.root) as house:
        (story.folder / "standing.json").write_text(json.dumps(house.describe()))
    order = story.folder / "order.json"
    story.does(
        "oversight", "suspend", story.folder / "standing.json", "--key", story.key("oversight"), "-o", order,
        "--analytic", "on-the-lawn", "--reason", "A try.",
    )  # fmt: skip
    story.does("oversight", "hand-in", story.root, order)
    story.does("oversight", "hand-in", story.root, order, exits=1)
    less = story.does("run", story.root, "--once")
    assert less["alerts"].get("intrusion", 0) < ran["alerts"]["intrusion"]

    # a person's key
    rita = story.does("key", "new", story.key("rita"), "--name", "rita.example", "--no-passphrase")["public"]
    month = f"{datetime.now(UTC):%Y-%m}"
    enrolling = ("--vkey", rita, "--role", "reviewer", "--month", month, "--person", "Rita R.")
    story.oversight("enrol", *enrolling)
    story.oversight("enrol", *enrolling, exits=1)
    story.does(
        "oversight", "enrol", story.root, "--key", story.key("authority"), "--vkey", rita, "--role", "reviewer",
        "--month", month, "--person", "Rita R.", exits=4,
    )  # fmt: skip

    # what only oversight can read
    bundle = openings(story)
    opening = ("oversight", "open", bundle, "--ledger", story.root / "ledger", "--key")
    opened = story.does(*opening, story.key("openings"))
    fields = {entry["act"]: entry["fields"] for entry in opened["entries"]}
    assert fields["suspension_ordered"]["reason"] == "A try."
    assert fields["key_enrolled"]["person"] == "Rita R."
    assert fields["alert_raised"]["source"] == "street"
    assert re.fullmatch(r"[0-9a-f]{16}", fields["alert_raised"]["alert"])
    one = next(entry for entry in opened["entries"] if entry["act"] == "alert_raised")
    assert story.does(*opening, story.key("openings"), "--index", one["index"])["entries"] == [one]
    other = story.folder / "other" / "openings.key"
    story.does("key", "new", other, "--name", "o.example", "--kind", "openings", "--no-passphrase")
    story.does(*opening, other, exits=4)

    # the log went on, and was never rewritten
    grown = story.verify()
    assert grown["continues"] == seen["size"] < grown["size"]
    shutil.copytree(story.root / "ledger", story.folder / "copy")
    file = next(path for path in sorted((story.folder / "copy").rglob("entries/**/*")) if path.is_file())
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    bad = story.does("ledger", "verify", story.folder / "copy", "--trust", story.trust, exits=4)
    assert bad["error"] == "DidNotVerify"

    # for people, too
    assert main(["ledger", "verify", str(story.root / "ledger"), "--trust", str(story.trust)]) == 0
    assert story.capsys.readouterr().out.rstrip().endswith("Verified.")
