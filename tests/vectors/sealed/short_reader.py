"""A reader of sealed segments, written from docs/reference/sealed-segment.md alone: nothing of ours is imported.

HPKE (RFC 9180) is written out too, so that the vectors bind the whole format, and so that they can be made with fixed
ephemeral keys.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEM, SUITE = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x02"


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def extract(suite: bytes, salt: bytes, label: bytes, secret: bytes) -> bytes:
    return mac(salt or bytes(32), b"HPKE-v1" + suite + label + secret)


def expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return mac(key, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01")[:length]


def schedule(dh: bytes, enc: bytes, public: bytes, info: bytes) -> tuple[AESGCM, bytes]:
    shared = expand(KEM, extract(KEM, b"", b"eae_prk", dh), b"shared_secret", enc + public, 32)
    about = b"\x00" + extract(SUITE, b"", b"psk_id_hash", b"") + extract(SUITE, b"", b"info_hash", info)
    secret = extract(SUITE, shared, b"secret", b"")
    return AESGCM(expand(SUITE, secret, b"key", about, 32)), expand(SUITE, secret, b"base_nonce", about, 12)


def hpke_open(private: bytes, sealed: bytes, info: bytes) -> bytes:
    mine = X25519PrivateKey.from_private_bytes(private)
    dh = mine.exchange(X25519PublicKey.from_public_bytes(sealed[:32]))
    cipher, nonce = schedule(dh, sealed[:32], mine.public_key().public_bytes_raw(), info)
    return cipher.decrypt(nonce, sealed[32:], b"")


def hpke_seal(ephemeral: bytes, public: bytes, plaintext: bytes, info: bytes) -> bytes:
    mine = X25519PrivateKey.from_private_bytes(ephemeral)
    enc = mine.public_key().public_bytes_raw()
    cipher, nonce = schedule(mine.exchange(X25519PublicKey.from_public_bytes(public)), enc, public, info)
    return enc + cipher.encrypt(nonce, plaintext, b"")


def context_hash(header: dict[str, Any]) -> bytes:
    return hashlib.sha256(b"watchglass/sealed-context/v1\n" + canonical(header["context"])).digest()


def split_object(data: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    """Header, its hash, and what follows it."""
    assert data[:8] == b"WGSEAL1\n"
    length = int.from_bytes(data[8:12], "big")
    encoded = data[12 : 12 + length]
    header = json.loads(encoded)
    assert canonical(header) == encoded
    return header, hashlib.sha256(encoded).digest(), data[12 + length :]


def shares_info(header: dict[str, Any], name: str, sealing_key: str) -> tuple[bytes, list[list[str]]]:
    own = [each["custodians"] for each in header["subsets"] if name in each["custodians"]]
    about = {"context": b64encode(context_hash(header)).decode(), "custodian": name, "sealing_key": sealing_key}
    return b"watchglass/sealed-shares/v1\n" + canonical({**about, "subsets": own}), own


def unwrap(header: dict[str, Any], name: str, private: bytes) -> dict[tuple[str, ...], bytes]:
    """A custodian's share for each set, its hash checked."""
    row = next(each for each in header["custodians"] if each["custodian"] == name)
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    assert row["sealing_key"] == hashlib.sha256(public).hexdigest()[:16]
    info, own = shares_info(header, name, row["sealing_key"])
    packed = hpke_open(private, b64decode(row["wrapped"]), info)
    found = {tuple(each): packed[32 * at : 32 * at + 32] for at, each in enumerate(own)}
    for subset, share in found.items():
        bound = {"context": b64encode(context_hash(header)).decode(), "custodian": name, "subset": list(subset)}
        row = next(each for each in header["subsets"] if each["custodians"] == list(subset))
        digest = hashlib.sha256(b"watchglass/share/v1\n" + canonical(bound) + share).digest()
        assert digest == b64decode(row["share_sha256"][subset.index(name)])
    return found


def open_with(data: bytes, key: bytes) -> bytes:
    """The plaintext."""
    header, header_hash, rest = split_object(data)
    about = context_hash(header)
    assert mac(key, b"watchglass/key-commitment/v1\n" + about) == b64decode(header["key_commitment"])
    cipher = AESGCM(mac(key, b"watchglass/seal-key/v1\n" + about))
    length, size = header["length"], header["chunk"]
    count = -(-length // size)
    assert len(rest) == length + 16 * count
    plain = b""
    for index in range(count):
        last = b"\x01" if index == count - 1 else b"\x00"
        nonce = b64decode(header["nonce"]) + index.to_bytes(4, "big") + last
        piece = rest[index * (size + 16) : (index + 1) * (size + 16)]
        plain += cipher.decrypt(nonce, piece, b"watchglass/sealed-segment/v1\n" + header_hash)
    return plain


def read_bundle(data: bytes, header: dict[str, Any], private: bytes) -> bytes:
    """The shares of the first segment in a bundle, one after the other."""
    value = json.loads(data)
    assert canonical(value) + b"\n" == data
    row = value["segments"][0]
    bound = {name: value[name] for name in ("charter", "custodian", "kind", "recipient", "request")}
    info = canonical({**bound, "segment": row["segment"], "context": row["context"]})
    assert b64decode(row["context"]) == context_hash(header)
    return hpke_open(private, b64decode(row["sealed"]), b"watchglass/resealed-shares/v1\n" + info)
