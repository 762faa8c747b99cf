"""Trust files: strict, with the line in every complaint; quorums; demonstrations never pass for the real thing."""

from __future__ import annotations

import pytest

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import note, policy
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.merkle import EMPTY_ROOT

LOG = SignerKey.from_seed("log.example", b"l" * 32)
DEMO = SignerKey.from_seed("demo.watchglass.example", b"d" * 32)
TRIAL = SignerKey.from_seed("trial.watchglass.example", b"t" * 32)
WITNESSES = {
    name: SignerKey.from_seed(f"{name.lower()}.example", name.encode() * 16, KeyType.COSIGNATURE_V1)
    for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")
}
HEAD = f"log {LOG.verifier} https://log.example/ledger\n" + "".join(
    f"witness {name} {key.verifier}\n" for name, key in WITNESSES.items()
)
NESTED = (
    "# two kinds of witnesses\n"
    f"{HEAD}\n  \t\n group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n"
    "group X-and-Y\tall X-witnesses  Y-witnesses\nquorum X-and-Y\n"
)


def signed(*by: str, log: SignerKey = LOG) -> bytes:
    one = Checkpoint(log.name, 0, EMPTY_ROOT)
    return note.add_signatures(
        one.sign([log]), [note.sign_text(one.text, WITNESSES[name], seconds=1_000 + i) for i, name in enumerate(by)]
    )


def test_the_specifications_example_of_two_levels() -> None:
    trust = policy.parse(NESTED.encode())
    assert trust.logs[0].url == "https://log.example/ledger"
    accepted = trust.accept(signed("X1", "X3", "Y2"))
    assert accepted.witnesses == (("X1", 1_000), ("X3", 1_001), ("Y2", 1_002))
    for few in [(), ("X1", "Y1"), ("X1", "X2"), ("Y1", "Y2", "Y3"), ("X1", "Y1", "Y2")]:
        with pytest.raises(DidNotVerify, match="Too few"):
            trust.accept(signed(*few))


def test_no_quorum_and_a_single_witness() -> None:
    policy.parse(f"{HEAD}quorum none\n".encode()).accept(signed())
    one = policy.parse(f"{HEAD}quorum X2\n".encode())
    one.accept(signed("X2"))
    with pytest.raises(DidNotVerify):
        one.accept(signed("X1", "X3"))


def test_a_witness_cannot_stand_in_for_the_log() -> None:
    text = Checkpoint(LOG.name, 0, EMPTY_ROOT).text
    data = note.Note(text, (note.sign_text(text, WITNESSES["X1"], seconds=1),)).encode()
    with pytest.raises(DidNotVerify, match="No trusted key of the log"):
        policy.parse(f"{HEAD}quorum X1\n".encode()).accept(data)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("lgo x\n", 1, "Did you mean log"),
        ("log\n", 1, "log KEY"),
        (f"log {LOG.verifier} a b\n", 1, "log KEY"),
        ("log nonsense\n", 1, "not a verifier key"),
        (f"log {WITNESSES['X1'].verifier}\n", 1, "type 04"),
        (f"log {LOG.verifier}\nlog {LOG.verifier}\n", 2, "twice"),
        (f"witness w {LOG.verifier}\n", 1, "type 01"),
        (f"witness {WITNESSES['X1'].verifier}\n", 1, "witness NAME KEY"),
        (f"{HEAD}witness Z {WITNESSES['X1'].verifier}\n", 8, "twice"),
        (f"witness none {WITNESSES['X1'].verifier}\n", 1, "none is taken"),
        (f"witness w {WITNESSES['X1'].verifier}\nwitness w {WITNESSES['X2'].verifier}\n", 2, "defined on line 1"),
        (f"{HEAD}group g 3 X1 X2\n", 8, "never agree"),
        (f"{HEAD}group g 0 X1 X2\n", 8, "all, any or a number"),
        (f"{HEAD}group g two X1 X2\n", 8, "all, any or a number"),
        (f"{HEAD}group g all\n", 8, "Name at least one member"),
        (f"{HEAD}group g all X1 x2\n", 8, "no witness or group"),
        (f"{HEAD}group g all X1 none\n", 8, "no witness or group"),
        (f"{HEAD}group g all g\n", 8, "no witness or group"),
        (f"{HEAD}group g any X1 X1\n", 8, "already in the group"),
        (f"{HEAD}group g any X1\ngroup h any X1\n", 9, "already in the group of line 8"),
        (f"{HEAD}group X1 any X2\n", 8, "already defined"),
        (f"{HEAD}quorum X4\n", 8, "Did you mean X"),
        (f"{HEAD}quorum none\nquorum none\n", 9, "second quorum"),
        (f"{HEAD}quorum X1 X2\n", 8, "quorum NAME"),
        (f"{HEAD}quorum\r\n", 8, "control character"),
    ],
)
def test_complaints_name_the_line(text: str, line: int, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        policy.parse(text.encode())
    assert caught.value.details["line"] == line
    assert said in f"{caught.value.message} {caught.value.fix}"


@pytest.mark.parametrize(
    "data", [b"", HEAD.encode(), f"{HEAD}quorum none".encode(), b"\xff\n", b"#" * (1 << 20) + b"\n"]
)
def test_incomplete_files_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        policy.parse(data)


@pytest.mark.parametrize("special", [DEMO, TRIAL])
def test_a_demo_or_trial_is_named_alone_and_says_so(special: SignerKey) -> None:
    with pytest.raises(BadInput, match="together with another log"):
        policy.parse(f"log {LOG.verifier}\nlog {special.verifier}\nquorum none\n".encode())
    alone = policy.parse(f"log {special.verifier}\nquorum none\n".encode())
    assert alone.deployment.sentence
    alone.accept(signed(log=special))
    production = policy.parse(f"{HEAD}quorum none\n".encode())
    assert production.deployment.sentence is None
    with pytest.raises(DidNotVerify, match="the trust file is for a production one"):
        production.accept(signed(log=special))
    with pytest.raises(DidNotVerify):
        alone.accept(signed())
