"""Writes the vectors beside it, always the same bytes: `python tests/vectors/sealed/make.py`.

Seeds are fixed, ephemeral keys of HPKE too (``short_reader`` writes it out), so a change in a vector is a change in a
format.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from short_reader import canonical, hpke_seal

from watchglass.core.digest import b64
from watchglass.edge.entropy import SeededEntropy
from watchglass.evidence.custody import Bundle, Kind, Resealed, Terms
from watchglass.evidence.envelope import assemble
from watchglass.evidence.header import LEAST_CHUNK, Context, Header, Wrapped, key_id
from watchglass.evidence.shares import key_commitment, share_hash, split
from watchglass.evidence.subsets import Subset, Subsets, permitted_subsets

NAMES = ("control-room", "dpo", "oversight")
PRIVATE = {name: SeededEntropy(f"sealing key of {name}").bytes(32) for name in NAMES}
GLASS = SeededEntropy("break-glass key").bytes(32)
CASE = SeededEntropy("case key").bytes(32)
PLAIN = SeededEntropy("vector").bytes(2 * LEAST_CHUNK + 100)
Files = dict[str, bytes]
Split = dict[Subset, tuple[bytes, ...]]


def public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def about(number: int) -> Context:
    begin = 1_795_435_200_000 + 10_000 * number
    return Context(
        origin="log.example/2026",
        source="steps-cam",
        segment=f"{number:016x}",
        from_ms=begin,
        to_ms=begin + 10_000,
        charter=b"\x22" * 32,
        purpose="restricted-area",
        retention="sealed",
        period="2026-11",
        keep_until_ms=begin + 10_000 + 72 * 3_600_000,
    )


def header_of(number: int, subsets: Subsets, key: bytes, shares: Split) -> Header:
    """A header as ``seal`` makes it, with ephemeral keys that are always the same."""
    context, shown = about(number), b64(about(number).sha256)
    wrapped = {}
    for name in NAMES:
        own = [subset for subset in subsets if name in subset]
        named = key_id(public(PRIVATE[name]))
        info = {"context": shown, "custodian": name, "sealing_key": named, "subsets": [list(each) for each in own]}
        packed = b"".join(shares[each][each.index(name)] for each in own)
        ephemeral = SeededEntropy(f"ephemeral {number} {name}").bytes(32)
        domain = b"watchglass/sealed-shares/v1\n"
        wrapped[name] = Wrapped(named, hpke_seal(ephemeral, public(PRIVATE[name]), packed, domain + canonical(info)))
    glass = key_id(public(GLASS))
    glass_info = b"watchglass/break-glass-key/v1\n" + canonical({"context": shown, "key": glass})
    return Header(
        context=context,
        length=len(PLAIN),
        chunk=LEAST_CHUNK,
        nonce=SeededEntropy(f"nonce {number}").bytes(7),
        key_commitment=key_commitment(key, context),
        wrapped=wrapped,
        subsets=subsets,
        hashes=tuple(
            tuple(share_hash(context.sha256, each, name, part) for name, part in zip(each, shares[each], strict=True))
            for each in subsets
        ),
        break_glass=Wrapped(
            glass, hpke_seal(SeededEntropy(f"ephemeral {number} glass").bytes(32), public(GLASS), key, glass_info)
        ),
    )


def files_of(header: Header, key: bytes, shares: Split, data: bytes) -> Files:
    expect = {
        "key": key.hex(),
        "header_sha256": header.sha256.hex(),
        "context_sha256": header.context.sha256.hex(),
        "shares": {
            ",".join(subset): {name: part.hex() for name, part in zip(subset, parts, strict=True)}
            for subset, parts in shares.items()
        },
    }
    keys = {**{name: each.hex() for name, each in PRIVATE.items()}, "break-glass": GLASS.hex()}
    return {
        "object": data,
        "plaintext": PLAIN,
        "keys.json": json.dumps(keys, indent=1, sort_keys=True).encode() + b"\n",
        "expect.json": json.dumps(expect, indent=1, sort_keys=True).encode() + b"\n",
    }


def sealed(number: int, subsets: Subsets) -> tuple[Header, bytes, Split, bytes]:
    key = SeededEntropy(f"data key {number}").bytes(32)
    shares = split(key, subsets, SeededEntropy(f"shares {number}"))
    header = header_of(number, subsets, key, shares)
    return header, key, shares, bytes(assemble(header, key, [memoryview(PLAIN)]).data)


def bundle_of(header: Header, shares: Split) -> Bundle:
    terms = Terms(Kind.RELEASE, b"\x11" * 32, b"\x22" * 32, public(CASE), "dpo")
    context = header.context.sha256
    info = canonical({**terms.as_json(), "segment": header.segment, "context": b64(context)})
    packed = b"".join(shares[each][each.index("dpo")] for each in header.subsets_of("dpo"))
    ephemeral = SeededEntropy("ephemeral bundle").bytes(32)
    again = hpke_seal(ephemeral, terms.recipient, packed, b"watchglass/resealed-shares/v1\n" + info)
    return Bundle(terms, (Resealed(header.segment, context, again),))


def cases() -> dict[str, tuple[str, Files]]:
    any_two, never_without = permitted_subsets(NAMES, 2), permitted_subsets(NAMES, 2, ["oversight"])
    header, key, shares, data = sealed(1, any_two)
    good = files_of(header, key, shares, data)
    board = sealed(2, never_without)
    other = sealed(3, any_two)[0]
    bundle = bundle_of(header, shares)
    bundled = {**good, "bundle.json": bundle.encoded, "recipient": CASE.hex().encode() + b"\n"}
    chunk = [data[header.span(index)] for index in range(header.chunks)]
    liar = dict(shares)
    liar["dpo", "oversight"] = split(b"\x33" * 32, (("dpo", "oversight"),), SeededEntropy("liar"))["dpo", "oversight"]
    lying = header_of(1, any_two, key, liar)
    shorter = dataclasses.replace(header, length=2 * LEAST_CHUNK)

    def but(**changed: bytes) -> Files:
        return {**good, **changed}

    framed = header.framed
    return {
        "two-of-three": ("Three custodians, any two of whom open; three chunks; a break-glass key.", good),
        "two-of-three-with-board": (
            "Two of three, one of them the board: two sets.",
            files_of(board[0], board[1], board[2], board[3]),
        ),
        "bundle": ("The shares of `dpo` in this segment, sealed anew to a case's key.", bundled),
        "changed_fail": ("One bit of the second chunk was changed.", but(object=flip(data, header.span(1).start + 7))),
        "moved_fail": ("The first two chunks changed places.", but(object=framed + chunk[1] + chunk[0] + chunk[2])),
        "cut_fail": ("The last chunk is missing.", but(object=framed + chunk[0] + chunk[1])),
        "cut-and-told_fail": (
            "The last chunk is missing, and the header says that there are two.",
            but(object=shorter.framed + chunk[0] + chunk[1]),
        ),
        "appended_fail": ("The last chunk is there twice.", but(object=data + chunk[2])),
        "other-header_fail": ("The header is another segment's.", but(object=other.framed + b"".join(chunk))),
        "other-key_fail": (
            "Every share has the right hash; those of `dpo` and `oversight` rebuild another key than was committed to.",
            files_of(lying, key, liar, bytes(assemble(lying, key, [memoryview(PLAIN)]).data)),
        ),
    }


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def main(target: Path) -> None:
    for old in target.iterdir():
        if (old / "README.md").is_file():
            shutil.rmtree(old)
    for name, (meaning, files) in cases().items():
        for path, data in {**files, "README.md": f"# {name}\n\n{meaning}\n".encode()}.items():
            file = target / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
