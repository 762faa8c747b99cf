"""Signed notes: the specification's own example, Go's example keys, and everything that must be refused."""

from __future__ import annotations

import pytest

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import cosignature, note
from watchglass.ledger.keys import KeyType, SignerKey, VerifierKey

SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
GO_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

ALICE = SignerKey.from_seed("alice.example", b"a" * 32)
BOB = SignerKey.from_seed("bob.example", b"b" * 32)
WITNESS = SignerKey.from_seed("w1.example", b"w" * 32, KeyType.COSIGNATURE_V1)


def test_the_specifications_example_opens() -> None:
    key = VerifierKey.parse(SPEC_KEY)
    assert str(key) == SPEC_KEY
    opened = note.open_note(SPEC_NOTE, [key])
    assert opened.text == "This is an example message.\n"
    assert opened.encode() == SPEC_NOTE


def test_gos_secret_key_makes_gos_signature() -> None:
    signer = SignerKey.parse(GO_SECRET)
    assert str(signer.verifier) == GO_KEY
    assert signer.export() == GO_SECRET
    assert note.sign_note(GO_TEXT, [signer]) == f"{GO_TEXT}\n{GO_LINE}".encode()


def test_unknown_keys_are_ignored_and_a_failing_known_key_rejects() -> None:
    data = note.sign_note("hello\n", [ALICE, BOB])
    assert [v.key for v in note.open_note(data, [BOB.verifier]).verified] == [BOB.verifier]
    forged = note.add_signatures(
        note.sign_note("hello\n", [ALICE]), [note.Signature("bob.example", BOB.verifier.key_id, bytes(64))]
    )
    note.open_note(forged, [ALICE.verifier])
    with pytest.raises(DidNotVerify):
        note.open_note(forged, [ALICE.verifier, BOB.verifier])
    with pytest.raises(DidNotVerify, match="None of the trusted keys"):
        note.open_note(data, [WITNESS.verifier])
    same_name = SignerKey.from_seed("alice.example", b"other" + bytes(27))
    with pytest.raises(DidNotVerify, match="None of the trusted keys"):
        note.open_note(data, [same_name.verifier])


def test_a_text_with_blank_lines_ends_at_the_last_one() -> None:
    data = note.sign_note("one\n\ntwo\n", [ALICE])
    assert note.open_note(data, [ALICE.verifier]).text == "one\n\ntwo\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"text\n",
        b"text\n\n",
        b"text\n\n- alice.example AAAA\n",
        "text\n\n— alice.example AAAAAAAA".encode(),
        "text\n\n— alice.example AAAA\n".encode(),
        "text\n\n— alice.example AAAAAAA\n".encode(),
        "text\n\n— alice.example AAAAAB==\n".encode(),
        "text\n\n— alice.example  AAAAAAAA\n".encode(),
        "text\n\n— alice+example AAAAAAAA\n".encode(),
        "te\txt\n\n— alice.example AAAAAAAA\n".encode(),
        "te\rxt\n\n— alice.example AAAAAAAA\n".encode(),
        b"\xff\n\n" + "— alice.example AAAAAAAA\n".encode(),
        "text\n\n— alice.example AAAAAAAA\n\n".encode(),
        ("text\n\n" + "— alice.example AAAAAAAA\n" * 129).encode(),
        b"x" * (note.MAX_NOTE_BYTES + 1),
    ],
)
def test_what_is_not_a_note_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        note.parse_note(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        SPEC_KEY.replace("530d903a", "530d903b"),
        SPEC_KEY.replace("530d903a", "530D903A"),
        SPEC_KEY.replace("foo", "fop"),
        SPEC_KEY[:-4],
        SPEC_KEY.replace("example.com/foo", "example com"),
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "x+00000000+Bukyeg==",
    ],
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        VerifierKey.parse(text)


def test_a_secret_never_shows_in_errors_or_repr() -> None:
    with pytest.raises(BadInput) as caught:
        SignerKey.parse(GO_SECRET[:-3] + "!!!")
    assert "AYEKFALV" not in str(caught.value.as_json())
    assert "AYEKFALV" not in repr(SignerKey.parse(GO_SECRET))


def test_a_cosignature_carries_its_time_and_cannot_be_moved_to_another() -> None:
    text = "log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    line = note.sign_text(text, WITNESS, seconds=1_679_315_147)
    data = note.Note(text, (line,)).encode()
    assert note.open_note(data, [WITNESS.verifier]).verified[0].seconds == 1_679_315_147
    moved = (1_679_315_148).to_bytes(8, "big") + line.signature[8:]
    with pytest.raises(DidNotVerify):
        cosignature.verify(text, WITNESS.verifier, moved)
    with pytest.raises(DidNotVerify):
        cosignature.verify(text, WITNESS.verifier, line.signature[:-1])
    with pytest.raises(DidNotVerify):
        cosignature.verify(text, WITNESS.verifier, b"\xff" * 8 + line.signature[8:])
    with pytest.raises(BadInput):
        note.sign_text(text, WITNESS)
    with pytest.raises(BadInput):
        cosignature.sign(text, ALICE, 1)


def test_the_same_key_has_another_id_as_a_witness() -> None:
    as_log = SignerKey.from_seed("w1.example", b"w" * 32)
    assert as_log.verifier.key_id != WITNESS.verifier.key_id
    assert VerifierKey.parse(str(WITNESS.verifier)) == WITNESS.verifier


def test_raw_signatures_for_records() -> None:
    signature = ALICE.sign(b"watchglass/signed-act/v1\n...")
    ALICE.verifier.verify(b"watchglass/signed-act/v1\n...", signature)
    with pytest.raises(DidNotVerify):
        ALICE.verifier.verify(b"watchglass/signed-act/v1\n..!", signature)
    with pytest.raises(DidNotVerify):
        BOB.verifier.verify(b"watchglass/signed-act/v1\n...", signature)
