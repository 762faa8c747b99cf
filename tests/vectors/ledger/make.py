"""Writes the vectors beside it, always the same bytes: `python tests/vectors/ledger/make.py`.

Seeds are fixed and Ed25519 is deterministic, so a change in a vector is a change in a format.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from watchglass.core import canonical
from watchglass.core.digest import b64
from watchglass.ledger import fork, lodging, merkle, note, receipt, witness
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.growth import Growth
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.proof import Proof
from watchglass.ledger.tiles import encode_bundle

LOG = SignerKey.from_seed("log.example/2026", b"l" * 32)
OTHER = SignerKey.from_seed("other.example", b"o" * 32)
DEMO = SignerKey.from_seed("demo.example", b"d" * 32)
W1 = SignerKey.from_seed("w1.example", b"1" * 32, KeyType.COSIGNATURE_V1)
W2 = SignerKey.from_seed("w2.example", b"2" * 32, KeyType.COSIGNATURE_V1)
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
TRUST = f"log {LOG.verifier}\nwitness w1 {W1.verifier}\nwitness w2 {W2.verifier}\ngroup both 2 w1 w2\nquorum both\n"
Files = dict[str, bytes]


def entries(n: int) -> list[bytes]:
    return [canonical.encode({"act": "vector", "n": i}) for i in range(n)]


def checkpoint(size: int, root: bytes, *, by: SignerKey = LOG, cosigned_by: tuple[SignerKey, ...] = (W1, W2)) -> bytes:
    one = Checkpoint(by.name, size, root)
    lines = [note.sign_text(one.text, w, seconds=1_790_000_000 + size) for w in cosigned_by]
    return note.add_signatures(one.sign([by]), lines)


def log(content: list[bytes], *cuts: int) -> Files:
    """A log that was published at each size in ``cuts`` and now has all of ``content``."""
    growth, files = Growth(), {}
    for size in (*cuts, len(content)):
        growth.append(content[growth.size : size])
        files.update({f"log/{path}": data for path, data in growth.files()})
        growth.written()
    files["log/checkpoint"] = checkpoint(growth.size, growth.root())
    return {**files, "trust": TRUST.encode()}


def seen(size: int) -> bytes:
    return checkpoint(size, merkle.root(merkle.leaf_hashes(entries(size))))


def changed(files: Files, path: str, data: bytes) -> Files:
    assert files[path] != data
    return {**files, path: data}


def without(files: Files, path: str) -> Files:
    return {name: data for name, data in files.items() if name != path}


def expect(**details: object) -> Files:
    return {"expect.json": json.dumps(details, indent=1, sort_keys=True).encode() + b"\n"}


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def cosignature(later: int, shorter: int) -> bytes:
    """The checkpoint of 3 entries with W1's cosignature, whose time was changed or whose end was cut off."""
    opened = note.parse_note(seen(3))
    line = next(line for line in opened.signatures if line.name == W1.name)
    seconds = int.from_bytes(line.signature[:8], "big") + later
    changed = seconds.to_bytes(8, "big") + line.signature[8:]
    bad = note.Signature(line.name, line.key_id, changed[: len(changed) - shorter])
    return note.Note(opened.text, (*(other for other in opened.signatures if other != line), bad)).encode()


def note_cases() -> dict[str, tuple[str, Files]]:
    keys = f"{LOG.verifier}\n".encode()
    good = note.sign_note("two\n\nparts\n", [LOG, OTHER])
    forged = note.add_signatures(
        note.sign_note("hello\n", [OTHER]), [note.Signature(LOG.name, LOG.verifier.key_id, bytes(64))]
    )
    both = keys + f"{OTHER.verifier}\n".encode()
    return {
        "note-specification": (
            "The example of c2sp.org/signed-note.",
            {"note": SPEC_NOTE.encode(), "keys": f"{SPEC_KEY}\n".encode()},
        ),
        "note-unknown-key-ignored": (
            "A second signature by a key nobody knows changes nothing.",
            {"note": good, "keys": keys},
        ),
        "note-known-key-fails_fail": (
            "One known key signed well, the other's signature is wrong: the whole note is refused.",
            {"note": forged, "keys": both},
        ),
        "note-nobody-known_fail": (
            "No known key signed.",
            {"note": note.sign_note("hello\n", [OTHER]), "keys": keys},
        ),
        "note-text-changed_fail": (
            "The text was changed after signing.",
            {"note": good.replace(b"two", b"tvo"), "keys": keys},
        ),
        "note-crlf_fail": (
            "Carriage returns are control characters.",
            {"note": good.replace(b"\n", b"\r\n"), "keys": keys},
        ),
        "note-cosignature": (
            "A witness's cosignature/v1 with its time.",
            {"note": seen(3), "keys": f"{W1.verifier}\n".encode()},
        ),
        "note-cosignature-other-time_fail": (
            "The time is signed: one second later is another signature.",
            {"note": cosignature(1, 0), "keys": f"{W1.verifier}\n".encode()},
        ),
        "note-cosignature-no-time_fail": (
            "A cosignature carries a time; zero is none.",
            {"note": cosignature(-1_790_000_003, 0), "keys": f"{W1.verifier}\n".encode()},
        ),
        "note-cosignature-short_fail": (
            "A cosignature has 72 bytes.",
            {"note": cosignature(0, 1), "keys": f"{W1.verifier}\n".encode()},
        ),
        "note-cosignature-as-plain-note_fail": (
            "The same key as type 01 signs something else: the two are never taken for each other.",
            {"note": seen(3), "keys": f"{W1.speaking.verifier}\n".encode()},
        ),
    }


def proof_cases() -> dict[str, tuple[str, Files]]:
    content = entries(300)
    hashes = merkle.leaf_hashes(content)
    root, paths = merkle.all_inclusion_proofs(hashes)
    signed = checkpoint(300, root)
    good = Proof(256, paths[256], signed)
    rest = {"trust": TRUST.encode(), "entry": content[256]}
    return {
        "proof-entry-256": ("Entry 256 of 300.", {"proof": good.encode(), **rest}),
        "proof-with-extra": (
            "Extra data is carried.",
            {"proof": Proof(256, paths[256], signed, b"x").encode(), **rest},
        ),
        "proof-other-entry_fail": (
            "The proof of entry 256 does not prove another.",
            {"proof": good.encode(), **rest, "entry": content[255]},
        ),
        "proof-other-index_fail": (
            "The index is part of what is proved.",
            {"proof": Proof(255, paths[256], signed).encode(), **rest},
        ),
        "proof-path-too-long_fail": (
            "A hash too many.",
            {"proof": Proof(256, (*paths[256], bytes(32)), signed).encode(), **rest},
        ),
        "proof-without-quorum_fail": (
            "Only one of two witnesses cosigned.",
            {"proof": Proof(256, paths[256], checkpoint(300, root, cosigned_by=(W1,))).encode(), **rest},
        ),
        "proof-leading-zero_fail": (
            "Numbers have one form.",
            {"proof": good.encode().replace(b"index 256", b"index 0256"), **rest},
        ),
    }


def log_cases() -> dict[str, tuple[str, Files]]:
    content = entries(300)
    good = log(content, 3, 256)
    forged = [*content[:77], canonical.encode({"act": "forged"}), *content[78:]]
    consistent = log(forged, 3, 256)
    bundle, tile = "log/tile/entries/000", "log/tile/0/000"
    return {
        "log-300-entries": (
            "A log with full, partial and leftover tiles.",
            {**good, **expect(size=300, root=b64(_root(content)))},
        ),
        "log-empty": (
            "A log without entries has a checkpoint and nothing else.",
            {**log([]), **expect(size=0, root=b64(merkle.EMPTY_ROOT))},
        ),
        "log-continues": (
            "The log continues what was seen at 256.",
            {**good, "trust.seen": seen(256), **expect(size=300, root=b64(_root(content)))},
        ),
        "log-entry-changed_fail": (
            "Entry 77 was changed and nothing else: an auditor that looks at tiles alone would not see it.",
            {**changed(good, bundle, encode_bundle(forged[:256])), **expect(path="tile/entries/000", entry=77)},
        ),
        "log-tile-changed_fail": (
            "One bit of a tile.",
            {**changed(good, tile, flip(good[tile], 40)), **expect(path="tile/0/000", entry=1)},
        ),
        "log-entry-and-tile-changed_fail": (
            "Entry 77 and its tile agree with each other, but not with the level above.",
            {**good, bundle: consistent[bundle], tile: consistent[tile], **expect(path="tile/entries/000", entry=0)},
        ),
        "log-all-tiles-changed_fail": (
            "All entries and tiles agree, but the checkpoint is the old one.",
            {**consistent, "log/checkpoint": good["log/checkpoint"], **expect(path="checkpoint")},
        ),
        "log-rewritten_fail": (
            "Rewritten and signed again by log and witnesses: found only against the remembered checkpoint.",
            {**consistent, "trust.seen": seen(256), **expect(path="checkpoint")},
        ),
        "log-rewritten-not-seen": (
            "The same log, where nothing was seen before: it verifies. This is why a trust file remembers.",
            {**consistent, **expect(size=300, root=b64(_root(forged)))},
        ),
        "log-rolled-back_fail": (
            "Entries were taken away.",
            {**log(content[:256]), "trust.seen": seen(300), **expect(path="checkpoint")},
        ),
        "log-partial-missing_fail": (
            "The partial tile of the present checkpoint is gone.",
            {**without(good, "log/tile/0/001.p/44"), **expect(path="tile/0/001.p/44")},
        ),
        "log-old-partial-changed_fail": (
            "A partial bundle of an earlier checkpoint was changed: somebody may still be served it.",
            {
                **changed(good, "log/tile/entries/000.p/3", flip(good["log/tile/entries/000.p/3"], 20)),
                **expect(path="tile/entries/000.p/3"),
            },
        ),
        "log-torn-bundle_fail": (
            "A bundle was cut off.",
            {**changed(good, bundle, good[bundle][:-1]), **expect(path="tile/entries/000", entry=255)},
        ),
        "log-demo-in-production-trust_fail": (
            "A demonstration's log never passes a production trust file.",
            {**log([]), "log/checkpoint": checkpoint(0, merkle.EMPTY_ROOT, by=DEMO), **expect()},
        ),
    }


def trust_cases() -> dict[str, tuple[str, Files]]:
    root = _root(entries(3))
    good = {"checkpoint": checkpoint(3, root), "trust": TRUST.encode()}
    return {
        "trust-two-witnesses": ("Both witnesses cosigned.", good),
        "trust-one-of-two_fail": (
            "Two are asked for, one cosigned.",
            {**good, "checkpoint": checkpoint(3, root, cosigned_by=(W2,))},
        ),
        "trust-other-log_fail": (
            "Signed by a log that is not in the file.",
            {**good, "checkpoint": checkpoint(3, root, by=OTHER)},
        ),
        "trust-member-twice_fail": (
            "A witness counts once.",
            {**good, "trust": TRUST.replace("2 w1 w2", "2 w1 w1").encode()},
        ),
        "trust-demo-with-another_fail": (
            "A file that names a demo log names no other.",
            {
                "checkpoint": checkpoint(3, root),
                "trust": TRUST.replace("witness w1", f"log {DEMO.verifier}\nwitness w1", 1).encode(),
            },
        ),
        "trust-no-quorum-line_fail": (
            "The quorum line is never implied.",
            {**good, "trust": TRUST.rpartition("quorum")[0].encode()},
        ),
    }


def receipt_cases() -> dict[str, tuple[str, Files]]:
    content = entries(5)
    hashes = merkle.leaf_hashes(content)
    one = receipt.issue(hashes, issued_ms=1_790_000_000_000, merge_by_ms=1_790_003_600_000, signer=LOG)[3]
    good = {"receipt.json": one.encode(), "entry": content[3], "key": f"{LOG.verifier}\n".encode()}
    late = {"merged": f"{b64(hashes[2])}\n".encode(), "as_of": b"1790003600001\n"}
    return {
        "receipt-genuine": ("Entry 3 of a batch of 5.", good),
        "receipt-other-entry_fail": ("It is for one entry only.", {**good, "entry": content[2]}),
        "receipt-other-log_fail": ("It is by one log only.", {**good, "key": f"{OTHER.verifier}\n".encode()}),
        "receipt-due-changed_fail": (
            "The due time is signed.",
            {**good, "receipt.json": good["receipt.json"].replace(b"1790003600000", b"1790003700000")},
        ),
        "receipt-kept": ("The entry is in the log.", {**good, **late, "merged": f"{b64(hashes[3])}\n".encode()}),
        "receipt-not-yet-due": ("Not there yet, and not due yet.", {**good, **late, "as_of": b"1790003600000\n"}),
        "receipt-broken_fail": (
            "A millisecond past its due time it is not there: proof against the operator.",
            {**good, **late},
        ),
    }


def witness_cases() -> dict[str, tuple[str, Files]]:
    hashes = merkle.leaf_hashes(entries(9))
    other = merkle.leaf_hashes([b"x", *entries(9)[1:]])

    def case(old: int, new: int, tree: list[bytes], status: int, **more: bytes) -> Files:
        proof = merkle.consistency_proof(merkle.reader_of(tree[: max(old, new)]), min(old, new), new)
        body = witness.Request(old, tuple(proof), Checkpoint(LOG.name, new, merkle.root(tree[:new])).sign([LOG]))
        files = {"request": body.encode(), "keys": f"{LOG.verifier}\n".encode(), "status": f"{status}\n".encode()}
        return {**files, **more}

    at_5 = Checkpoint(LOG.name, 5, merkle.root(hashes[:5])).text.encode()
    return {
        "witness-first": ("The first checkpoint of a log.", case(0, 5, hashes, 200)),
        "witness-grows": ("It follows.", case(5, 9, hashes, 200, known=at_5)),
        "witness-unknown-log_fail": ("404.", case(0, 5, hashes, 404, keys=f"{OTHER.verifier}\n".encode())),
        "witness-old-larger_fail": ("400.", case(6, 5, hashes, 400, known=at_5)),
        "witness-stale_fail": ("409 with the size it knows.", case(3, 9, hashes, 409, known=at_5)),
        "witness-fork-same-size_fail": ("409.", case(5, 5, other, 409, known=at_5)),
        "witness-fork-stale-request_fail": (
            "409: another tree of the size that it knows, although the request names an older size.",
            case(3, 5, other, 409, known=at_5),
        ),
        "witness-again": (
            "The same checkpoint once more is cosigned again, with a new time.",
            case(5, 5, hashes, 200, known=at_5),
        ),
        "witness-fork_fail": ("422: the proof is of another past.", case(5, 9, other, 422, known=at_5)),
    }


def tree_cases() -> dict[str, tuple[str, Files]]:
    return {
        "tree-70000": (
            'The root over the leaves {"seq":i,"act":"x"} for i from 0 to 69,999.',
            {
                "leaves.json": json.dumps({"count": 70_000, "prefix": '{"seq":', "suffix": ',"act":"x"}'}).encode()
                + b"\n",
                "root": b"/EKYYq6VLY+pFnn/ovs2vgbNMe/AESe6s1L9ixzl3sY=\n",
            },
        )
    }


def _root(content: list[bytes]) -> bytes:
    return merkle.root(merkle.leaf_hashes(content))


def all_cases() -> dict[str, tuple[str, Files]]:
    cases: dict[str, tuple[str, Files]] = {}
    made = (note_cases, proof_cases, log_cases, trust_cases, receipt_cases, witness_cases, tree_cases)
    for make in (*made, lodged_cases, fork_cases):
        cases |= make()
    return cases


def lodged_cases() -> dict[str, tuple[str, Files]]:
    body = b"what oversight lodged"
    receipt_note = lodging.Lodged.of(LOG.name, body, 1_790_000_000).sign(W1)
    rest = {"body": body, "keys": f"{W1.verifier}\n".encode()}
    as_cosignature = note.Note(
        note.parse_note(receipt_note).text,
        (note.sign_text(note.parse_note(receipt_note).text, W1, seconds=1_790_000_000),),
    ).encode()
    return {
        "lodged-receipt": (
            "A witness's receipt for the body, by the cosigning key in `keys`.",
            {"note": receipt_note, **rest},
        ),
        "lodged-other-body_fail": ("It is for other bytes.", {"note": receipt_note, **rest, "body": b"another"}),
        "lodged-other-witness_fail": (
            "Another witness signed it.",
            {"note": receipt_note, **rest, "keys": f"{W2.verifier}\n".encode()},
        ),
        "lodged-other-time_fail": (
            "The time is signed.",
            {"note": receipt_note.replace(b"1790000000", b"1790000001"), **rest},
        ),
        "lodged-as-cosignature_fail": (
            "A receipt is no cosignature: signed as type 04 it is none.",
            {"note": as_cosignature, **rest},
        ),
    }


def fork_cases() -> dict[str, tuple[str, Files]]:
    hashes = merkle.leaf_hashes(entries(9))
    other = merkle.leaf_hashes([b"x", *entries(9)[1:]])

    def at(size: int, tree: list[bytes], by: SignerKey = LOG) -> bytes:
        return Checkpoint(by.name, size, merkle.root(tree[:size])).sign([by])

    def case(kind: fork.ForkKind, known: bytes, shown: bytes) -> Files:
        return {"fork": fork.Fork(kind, W1.verifier.label, 1_790_000_000, (LOG.verifier,), known, shown).encode()}

    forged = Checkpoint(LOG.name, 5, merkle.root(other[:5])).sign([SignerKey.from_seed(LOG.name, b"f" * 32)])
    return {
        "fork-same-size": ("Two trees of one size.", case(fork.ForkKind.SAME_SIZE, at(5, hashes), at(5, other))),
        "fork-rewritten": (
            "The larger does not begin with the smaller.",
            case(fork.ForkKind.REWRITTEN, at(5, hashes), at(9, other)),
        ),
        "fork-shrunk": ("Less than before.", case(fork.ForkKind.SHRUNK, at(9, hashes), at(5, hashes))),
        "fork-unproven": ("Larger, and no proof came.", case(fork.ForkKind.UNPROVEN, at(5, hashes), at(9, other))),
        "fork-same-tree_fail": (
            "One tree twice contradicts nothing.",
            case(fork.ForkKind.SAME_SIZE, at(5, hashes), at(5, hashes)),
        ),
        "fork-not-signed_fail": (
            "The log did not sign the second.",
            case(fork.ForkKind.SAME_SIZE, at(5, hashes), forged),
        ),
    }


def write(folder: Path) -> None:
    for old in folder.iterdir():
        if old.is_dir() and old.name != "__pycache__":
            shutil.rmtree(old)
    for name, (words, files) in all_cases().items():
        for path, data in {**files, "README.md": f"# {name}\n\n{words}\n".encode()}.items():
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
