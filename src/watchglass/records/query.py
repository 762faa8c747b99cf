r"""Questions that a person signs on their own machine: what may be read only by them, without an account or a cookie.

The signed message is ``watchglass/signed-query/v1\n ‖ origin ‖ \n ‖ canonical({"about", "at_ms", "what"})``. It can be
mistaken for no act: an act's message begins with another domain. A query changes nothing and is no record; it holds for
a few minutes, so that one that is overheard soon says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from watchglass.core import canonical
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import MINUTE, iso
from watchglass.ledger.keys import SIGNATURE_BYTES, SignerKey, VerifierKey
from watchglass.records.fields import ORIGIN, SIGNATURE, VKEY, wrong

DOMAIN: Final = b"watchglass/signed-query/v1\n"
FRESH_MS: Final = 5 * MINUTE
"""How far the asker's clock and the house's may be apart, both ways."""
LONGEST: Final = 200
_VERSION: Final = 1
_LARGEST: Final = 2_000
_MEMBERS: Final = frozenset({"watchglass_query", "origin", "what", "about", "at_ms", "key", "sig"})


@dataclass(frozen=True, slots=True)
class SignedQuery:
    """A question with its asker's signature.

    Attributes:
        origin: the log of the deployment that is asked, and no other.
        what: what is asked for. about: of which thing; "" where there is only one.
        at_ms: when it was asked, by the asker's clock.
        vkey: the asker's verifier key. sig: 64 bytes of Ed25519.
    """

    origin: str
    what: str
    about: str
    at_ms: int
    vkey: str
    sig: bytes

    def encode(self) -> bytes:
        """The question as one line of canonical JSON."""
        return canonical.encode(
            {
                "watchglass_query": _VERSION,
                "origin": self.origin,
                "what": self.what,
                "about": self.about,
                "at_ms": self.at_ms,
                "key": self.vkey,
                "sig": b64(self.sig),
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> SignedQuery:
        """The question in ``data``. Nothing in it is verified yet.

        Raises:
            BadInput: the bytes are not a question.
        """
        if len(data) > _LARGEST:
            raise BadInput("This is too large to be a signed question.", fix="Ask with `watchglass custodian inbox`.")
        value = canonical.decode(data.removesuffix(b"\n"))
        if type(value) is not dict or value.keys() != _MEMBERS or value["watchglass_query"] != _VERSION:
            raise BadInput("This is not a signed question of version 1.", fix="Use the same version on both machines.")
        ORIGIN.check(value["origin"], "origin")
        VKEY.check(value["key"], "key")
        SIGNATURE.check(value["sig"], "sig")
        for name in ("what", "about"):
            if type(value[name]) is not str or len(value[name]) > LONGEST:
                raise wrong(name, f"a text of at most {LONGEST} characters", value[name])
        if type(value["at_ms"]) is not int:
            raise wrong("at_ms", "a time in milliseconds", value["at_ms"])
        sig = unb64(value["sig"], length=SIGNATURE_BYTES)
        return cls(value["origin"], value["what"], value["about"], value["at_ms"], value["key"], sig)

    def verify(self, *, origin: str, now: int) -> VerifierKey:
        """The key that signed it for this deployment, just now. Whether that key may ask is for the caller to say.

        Raises:
            DidNotVerify: it is for another deployment, old, or its signature is wrong.
        """
        if self.origin != origin:
            raise DidNotVerify(
                f"This question was signed for {self.origin}, not for {origin}.", fix="Ask again, of this deployment."
            )
        if abs(now - self.at_ms) > FRESH_MS:
            raise DidNotVerify(
                f"This question is of {iso(self.at_ms)}, and here it is {iso(now)}.",
                fix="Check the clocks of both machines, then ask again.",
            )
        key = VerifierKey.parse(self.vkey)
        key.verify(_message(self.origin, self.what, self.about, self.at_ms), self.sig)
        return key


def ask(what: str, *, about: str = "", key: SignerKey, origin: str, now: int) -> SignedQuery:
    """Sign a question on the asker's own machine."""
    return SignedQuery(origin, what, about, now, str(key.verifier), key.sign(_message(origin, what, about, now)))


def _message(origin: str, what: str, about: str, at_ms: int) -> bytes:
    body: dict[str, Any] = {"what": what, "about": about, "at_ms": at_ms}
    return DOMAIN + origin.encode() + b"\n" + canonical.encode(body)
