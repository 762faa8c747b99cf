"""One of the demo's people in a process of their own: ``python -m watchglass.demo.signer FOLDER``.

Reads one JSON object a line and answers each with one: makes keys, signs, and (as a custodian) looks at a request and
seals shares anew. The keys lie in FOLDER, as ``watchglass custodian`` and ``watchglass case`` keep them, and never
leave it; the deployment's process sees public halves and signatures only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from watchglass.core.digest import b64, unb64
from watchglass.core.errors import WatchglassError
from watchglass.edge.entropy import SystemEntropy
from watchglass.edge.keys import (
    new_openings_key,
    openings_key_text,
    read_openings_key,
    read_signing_key,
    write_openings_key,
    write_signing_key,
)
from watchglass.edge.tiles import write_durably
from watchglass.edge.trust import load_trust
from watchglass.evidence.custody import reseal
from watchglass.evidence.header import read_header
from watchglass.evidence.release import approval, check_request, check_segment, read_request
from watchglass.evidence.shares import unwrap_shares
from watchglass.ledger.keys import SignerKey, VerifierKey
from watchglass.ledger.proof import Proof
from watchglass.records.statement import SignedStatement, sign

_ENTROPY: Final = SystemEntropy()
_PRIVATE: Final = 0o600


def new_signing(folder: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A fresh Ed25519 key in ``file``, called ``name``."""
    key = SignerKey.generate(asked["name"], _ENTROPY)
    write_signing_key(folder / asked["file"], key)
    return {"public": str(key.verifier)}


def new_sealing(folder: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A fresh X25519 key in ``file``; ``what`` it is stands in its head."""
    key = new_openings_key(_ENTROPY)
    write_openings_key(folder / asked["file"], key, what=asked["what"])
    return {"public": openings_key_text(key.public_key())}


def signed(folder: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Sign an act with the key in ``file``; kept as ``ID.statement`` where ``keep`` names an id."""
    statement = _sign(folder, asked, asked["committed"])
    if asked.get("keep"):
        write_durably([(folder / f"{asked['keep']}.statement", statement.encode())], mode=_PRIVATE)
    return {"statement": statement.encode().decode()}


def approved(folder: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Look at a request as a custodian does, seal the shares anew, and sign.

    Raises:
        DidNotVerify: the request is not in a checkpoint that the trust file accepts, or is not what was signed.
        BadInput: it asks for something else than what the house offers.
    """
    now, trust = asked["now"], load_trust(Path(asked["trust"]))
    request = read_request(
        SignedStatement.parse(asked["request"].encode()),
        unb64(asked["leaf"]),
        origin=asked["origin"],
        keys={"investigator": [VerifierKey.parse(asked["investigator"])]},
    )
    accepted = check_request(
        request,
        Proof.parse(asked["proof"].encode()),
        trust.policy,
        custodians=[VerifierKey.parse(vkey) for vkey in asked["custodians"]],
        charter=unb64(asked["charter"]),
        now=now,
    )
    shares = []
    for header in map(read_header, map(unb64, asked["headers"])):
        check_segment(request, header, now=now)
        month = read_openings_key(folder / f"{header.context.period}.key")
        shares.append(unwrap_shares(header, asked["custodian"], month))
    bundle = reseal(request.terms(asked["custodian"]), shares)
    statement = _sign(folder, asked, approval(request, bundle, accepted))
    return {"statement": statement.encode().decode(), "bundle": b64(bundle.encoded)}


def destroyed(folder: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Remove the key of a month; nothing that was sealed to it can be opened from here on."""
    (folder / f"{asked['period']}.key").unlink()
    return {}


_DO: Final[Mapping[str, Callable[[Path, Mapping[str, Any]], dict[str, Any]]]] = {
    "new-signing": new_signing,
    "new-sealing": new_sealing,
    "sign": signed,
    "approve": approved,
    "destroy": destroyed,
}


def _sign(folder: Path, asked: Mapping[str, Any], committed: Mapping[str, Any]) -> SignedStatement:
    return sign(
        asked["act"],
        role=asked["role"],
        key=read_signing_key(folder / asked["file"]),
        origin=asked["origin"],
        now=asked["now"],
        entropy=_ENTROPY,
        charter=unb64(asked["charter"]),
        purpose=asked["purpose"],
        clear=asked["clear"],
        committed=committed,
        refs=[unb64(ref) for ref in asked["refs"]],
    )


def main(folder: Path) -> None:
    """Answer until the other end is gone."""
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = _DO[asked["do"]](folder, asked)
        except WatchglassError as error:
            answer = {"error": error.message, "fix": error.fix}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
