"""Checkpoints: one text form, and only a key named like the log speaks for it."""

from __future__ import annotations

import pytest

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import checkpoint, note
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.merkle import EMPTY_ROOT

LOG = SignerKey.from_seed("log.example/2026", b"l" * 32)
OTHER = SignerKey.from_seed("other.example", b"o" * 32)
WITNESS = SignerKey.from_seed("w1.example", b"w" * 32, KeyType.COSIGNATURE_V1)
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


def test_the_specifications_text_is_read_and_written_back() -> None:
    text = f"example.com/behind-the-sofa\n20852163\n{ROOT}\n"
    assert Checkpoint.parse_text(text).text == text
    extended = f"{text}an extension\n"
    assert Checkpoint.parse_text(extended).text == extended


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"log\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"log\n01\n{ROOT}\n",
        f"log\n+1\n{ROOT}\n",
        f"log\n-1\n{ROOT}\n",
        f"log\n1 \n{ROOT}\n",
        f"log\n\u0661\n{ROOT}\n",
        f"log\n{2**63}\n{ROOT}\n",
        f"log\n1\n{ROOT[:-1]}\n",
        f"log\n1\n{ROOT[:-2]}J=\n",
        "log\n1\nAAAA\n",
        f"log\n1\n{ROOT}\n\n",
        f"log\n0\n{ROOT}\n",
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        Checkpoint.parse_text(text)


def test_only_a_key_of_the_logs_own_name_speaks_for_it() -> None:
    one = Checkpoint(LOG.name, 0, EMPTY_ROOT)
    opened = checkpoint.open_checkpoint(one.sign([LOG]), [LOG.verifier, OTHER.verifier])
    assert opened.checkpoint == one
    with pytest.raises(DidNotVerify, match="No trusted key of the log"):
        checkpoint.open_checkpoint(one.sign([OTHER]), [LOG.verifier, OTHER.verifier])
    only_cosigned = note.Note(one.text, (note.sign_text(one.text, WITNESS, seconds=5),)).encode()
    with pytest.raises(DidNotVerify, match="No trusted key of the log"):
        checkpoint.open_checkpoint(only_cosigned, [LOG.verifier, WITNESS.verifier])
