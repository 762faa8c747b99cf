"""``watchglass ledger``: verify a log from outside; make and check proofs that stand alone."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from watchglass.bootstrap import archived, keeping_evidence, load_trust, open_whole, remember
from watchglass.bootstrap.archived import Archivals
from watchglass.cli import archive, carry
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem
from watchglass.core.time import SECOND, iso
from watchglass.ledger import receipt as receipts
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.policy import Deployment, told
from watchglass.ledger.proof import MAX_PROOF_BYTES, Proof, prove
from watchglass.ledger.receipt import Merge
from watchglass.ledger.verify import verify_log

_ONLY_ITSELF = (
    "Without a trust file this only says that the log agrees with itself. Whoever can rewrite it wholly can make "
    "that true again: give --trust FILE to check who signed it and what was seen before."
)

_PROMISES = {
    "genuine": "The receipt is genuine. Give --log DIR_OR_URL to see whether the promise was kept.",
    Merge.KEPT.value: "The record is in the log: the promise was kept.",
    Merge.NOT_YET_DUE.value: "The record is not in the log, and no witness has cosigned it after that time yet.",
}


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the group to the command line."""
    group = subparsers.add_parser("ledger", help="verify from outside what was done; make and check proofs")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)

    verify = commands.add_parser(
        "verify", help="re-read and re-hash every byte of a log, compare every tile, check signatures and witnesses"
    )
    verify.add_argument("where", metavar="DIR_OR_URL", help="the ledger's directory or its address")
    verify.add_argument("--trust", type=Path, metavar="FILE", help="trust file; FILE.seen remembers what was seen")
    verify.add_argument(
        "--against",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a checkpoint of this log that somebody else got; the log must continue it too. May be repeated",
    )
    _archives(verify)
    verify.set_defaults(run=run_verify, render=render_verify)

    proof = commands.add_parser("prove", help="write the proof that an entry is in a log")
    proof.add_argument("where", metavar="DIR_OR_URL", help="the ledger's directory or its address")
    proof.add_argument("--index", type=int, required=True, metavar="N", help="which entry, counted from 0")
    proof.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it here instead of printing it")
    _archives(proof)
    proof.set_defaults(run=run_prove, render=render_prove)

    check = commands.add_parser("check-proof", help="check a proof offline")
    check.add_argument("file", type=Path, metavar="FILE", help="the proof that `ledger prove` wrote")
    check.add_argument("--trust", type=Path, required=True, metavar="FILE", help="trust file")
    check.add_argument("--entry", type=Path, metavar="FILE", help="the entry, if the proof does not carry it")
    check.set_defaults(run=run_check, render=render_check)

    receipt = commands.add_parser("check-receipt", help="check a receipt, and whether its promise was kept")
    receipt.add_argument("file", type=Path, metavar="FILE", help="the receipt")
    receipt.add_argument("--entry", type=Path, required=True, metavar="FILE", help="the record it was given for")
    receipt.add_argument("--trust", type=Path, required=True, metavar="FILE", help="trust file")
    receipt.add_argument("--log", metavar="DIR_OR_URL", help="verify this log and look for the record in it")
    receipt.set_defaults(run=run_receipt, render=render_receipt)

    carry.add(commands)
    archive.add(commands)


def _archives(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--archive",
        action="append",
        default=[],
        metavar="DIR_OR_URL",
        help="where entries were archived that the ledger no longer serves. May be repeated",
    )


def run_verify(args: argparse.Namespace) -> dict[str, Any]:
    """Verify a whole log and, with a trust file, remember its checkpoint."""
    progress = _progress if sys.stderr.isatty() and not args.json else None
    trust = None if args.trust is None else load_trust(args.trust)
    if trust is None and args.against:
        raise BadInput("Another checkpoint is checked with the keys of a trust file.", fix="Give --trust FILE too.")
    against, archivals = [_read(file) for file in args.against], Archivals()
    with closing(open_whole(args.where, args.archive)) as reader:
        if trust is None:
            verified = verify_log(reader, progress=progress, on_entries=archivals.take, archived=True)
            left = archived.as_json(verified, archivals.check(verified))
            return {"ok": True, **verified.as_json(), **left, "warning": _ONLY_ITSELF}
        with keeping_evidence(trust):
            verified = verify_log(
                reader,
                trust.policy,
                seen=trust.seen,
                against=against,
                progress=progress,
                on_entries=archivals.take,
                archived=True,
            )
    left = archived.as_json(verified, archivals.check(verified))
    result = {"ok": True, **verified.as_json(), **left, "trust": str(args.trust), "remembered": True}
    result["against"] = [str(file) for file in args.against]
    try:
        remember(trust, verified.signed.note.encode())
    except CannotRecord as error:
        result |= {"ok": False, "remembered": False, "problem": f"It could not be remembered. {error.message}"}
    return result


def run_prove(args: argparse.Namespace) -> dict[str, Any]:
    """Make the proof of one entry; the entry itself travels in its ``extra`` line."""
    with closing(open_whole(args.where, args.archive)) as reader:
        entry, bare = prove(reader, args.index)
    proof = Proof(bare.index, bare.path, bare.checkpoint, extra=entry)
    text = proof.encode()
    result: dict[str, Any] = {"ok": True, "index": args.index, "leaf_hash": b64(leaf_hash(entry))}
    if args.output is None:
        return {**result, "proof": text.decode()}
    try:
        args.output.write_bytes(text)
    except OSError as error:
        raise Problem(f"{args.output} cannot be written: {error.strerror}.", fix="Choose another file.") from error
    return {**result, "file": str(args.output)}


def run_check(args: argparse.Namespace) -> dict[str, Any]:
    """Check a proof against a trust file."""
    proof = Proof.parse(_read(args.file))
    entry = proof.extra if args.entry is None else _read(args.entry)
    if entry is None:
        raise BadInput("This proof does not carry its entry.", fix="Give the entry's file with --entry.")
    trust = load_trust(args.trust)
    leaf = leaf_hash(entry)
    accepted = proof.check(leaf, trust.policy, seen=trust.seen)
    checkpoint = accepted.signed.checkpoint
    kind = Deployment.of(checkpoint.origin)
    return {
        "ok": True,
        "origin": checkpoint.origin,
        "index": proof.index,
        "size": checkpoint.size,
        "root": b64(checkpoint.root),
        "leaf_hash": b64(leaf),
        "deployment": kind.value,
        "notice": kind.sentence,
        "witnesses": told(accepted.witnesses),
        "entry": _shown(entry),
    }


def run_receipt(args: argparse.Namespace) -> dict[str, Any]:
    """Check that a receipt is genuine and, against a verified log, that its promise was not broken."""
    receipt = receipts.parse(_read(args.file))
    leaf = leaf_hash(_read(args.entry))
    trust = load_trust(args.trust)
    key = next((log.key for log in trust.policy.logs if log.key == receipt.key), None)
    if key is None:
        raise DidNotVerify(
            f"The trust file does not name the log key of this receipt ({receipt.key}).",
            fix="Use the trust file of the log that gave the receipt.",
        )
    receipts.check(receipt, leaf, key)
    result: dict[str, Any] = {
        "ok": True,
        "origin": receipt.origin,
        "leaf_hash": b64(leaf),
        "issued": iso(receipt.issued_ms),
        "merge_by": iso(receipt.merge_by_ms),
        "promise": "genuine",
        "notice": Deployment.of(receipt.origin).sentence,
    }
    if args.log is None:
        return result
    found: set[bytes] = set()
    with closing(open_whole(args.log, ())) as reader, keeping_evidence(trust):
        verified = verify_log(
            reader,
            trust.policy,
            seen=trust.seen,
            on_bundle=lambda _, hashes: found.update({leaf}.intersection(hashes)),
            archived=True,
        )
    if verified.checkpoint.origin != receipt.origin:
        raise BadInput(
            f"The receipt is for {receipt.origin}, this log is {verified.checkpoint.origin}.",
            fix="Give the log that the receipt is for.",
        )
    as_of = max((seconds for _, seconds in verified.witnesses), default=0) * SECOND
    merged = receipts.check_merged(receipt, leaf, key, merged=found, as_of_ms=as_of)
    return {**result, "promise": merged.value, "witnesses": told(verified.witnesses)}


def render_verify(result: dict[str, Any]) -> None:
    """Say it for people."""
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    print(f"{result['origin']}: {result['size']:,} entries, root {result['root']}")
    print(f"Every byte of {result['files']:,} files ({result['bytes']:,} bytes) was read and hashed again; all agree.")
    for line in archived.words(result["archived"]):
        print(line)
    if "warning" in result:
        print(f"Self-consistent only. {result['warning']}")
    else:
        _print_witnesses(result)
        before = result["continues"]
        print(f"It continues the {before:,} entries seen before." if before is not None else "First time seen.")
        if result["against"]:
            print(f"It continues what others got: {', '.join(result['against'])}.")
        print("Verified." if result["remembered"] else f"Verified, but: {result['problem']}")
    for path in result["unpublished"][:3]:
        print(f"Not yet under the checkpoint: {path}")
    for path in result["strangers"][:3]:
        print(f"Not a file of a log: {path}")
    _print_notice(result)


def render_prove(result: dict[str, Any]) -> None:
    """Print the proof itself, or where it was written."""
    if "proof" in result:
        print(result["proof"], end="")
    else:
        print(f"The proof of entry {result['index']} is in {result['file']}.")


def render_check(result: dict[str, Any]) -> None:
    """Say it for people."""
    print(f"Entry {result['index']} is in {result['origin']}, under its checkpoint of {result['size']:,} entries.")
    _print_witnesses(result)
    print(f"Leaf hash {result['leaf_hash']}")
    print(json.dumps(result["entry"], ensure_ascii=False, indent=2))
    _print_notice(result)


def render_receipt(result: dict[str, Any]) -> None:
    """Say it for people."""
    print(f"{result['origin']} promised on {result['issued']} to show this record by {result['merge_by']}.")
    print(_PROMISES[result["promise"]])
    _print_notice({"deployment": result["origin"].partition(".")[0], **result})


def _print_witnesses(result: dict[str, Any]) -> None:
    for witness in result["witnesses"]:
        print(f"Cosigned by {witness['name']} at {witness['time']}.")
    if not result["witnesses"]:
        print("No witness cosigned it, and the trust file asks for none.")


def _print_notice(result: dict[str, Any]) -> None:
    if result["notice"]:
        print(f"Deployment: {result['deployment']}. {result['notice']}")


def _progress(done: int, size: int) -> None:
    if done == size or done % (1 << 14) == 0:
        print(f"\r{done:,} of {size:,} entries", end="", file=sys.stderr, flush=True)


def _shown(entry: bytes) -> object:
    try:
        return json.loads(entry)
    except ValueError:
        return {"base64": b64(entry)}


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_PROOF_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", fix="Check the path.") from error
