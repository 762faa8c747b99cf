"""Passwords: how they are kept, and which are good enough.

argon2id with the second recommended parameter set of RFC 9106, section 4 (64 MiB, three passes, four lanes), written
out here so that a change of the library's defaults changes nothing. Salts come in from the edge (law 8).
"""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, DidNotVerify

SALT_BYTES: Final = 16
SHORTEST: Final = 12
LONGEST_BYTES: Final = 256
_FEWEST_DIFFERENT: Final = 5

HASHER: Final = PasswordHasher(
    time_cost=3, memory_cost=65536, parallelism=4, hash_len=32, salt_len=SALT_BYTES, type=Type.ID
)
"""argon2id, t=3, m=64 MiB, p=4, 16-byte salt, 32-byte tag (RFC 9106, section 4, second recommendation)."""

NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5IGhhcyB0aGlzIQ$Vs2tIpEskevYKApqihzrTH7O5TXsky9ydyZLM1zPwpY"
"""A stored form that no password opens; checked for unknown names, so that they take as long as known ones."""

_WORDS: Final = (  # noqa: SIM905  # one text, because 242 quoted words would fill pages
    "able acid also apex aqua arch atom aunt away axis baby bake bald band barn bath bead bell belt bend bike bird"
    " blue boat bold bone book boot bowl brag brim bulb bush cafe cage cake calm camp cape card cart cave chef chin"
    " city clam clay clip club coal coat code coil coin cold comb cool copy cork corn cove crab crop crow cube curl"
    " dark dash dawn deck deer desk dial dice dish dive dock dome door dose dove down draw drum duck dune dusk east"
    " easy echo edge elbow elm envy epic even exit fact fair fall farm fern film fire fish flag flap flat flea flow"
    " foam foil fold folk font fork form fort fowl frog fuel gate gaze gear gift glad glow glue goal goat gold golf"
    " gong grid grin grip gulf hail half hall hare harp hawk haze heap herb hill hint hive hook hoop horn host hour"
    " hull hush idea inch iris iron isle item jade jazz jump june jury keel kelp kite knee knot lace lake lamb lamp"
    " lane lark lava lawn leaf lens lime line lion loaf loft long loop lute mail malt maple mask mast meal mild milk"
    " mill mint mist moon moss moth myth nail neat nest node noon note nova oath oval oven owl pace pail palm park"
    " path peak pear pine plum poem pond pony port quay quiz raft rail rain reed reef rice ring road rope rose ruby"
).split()
_WORDS_IN_A_FIRST_PASSWORD: Final = 6


def first_password(entropy: Entropy) -> str:
    """A fresh password that can be read out over a telephone: six of 242 short words, 47 bits.

    A byte that falls beyond the list's end is drawn again, so that every word is equally likely.
    """
    chosen: list[str] = []
    while len(chosen) < _WORDS_IN_A_FIRST_PASSWORD:
        place = entropy.bytes(1)[0]
        if place < len(_WORDS):
            chosen.append(_WORDS[place])
    return "-".join(chosen)


def hash_password(password: str, entropy: Entropy) -> str:
    """The form of ``password`` to store.

    Raises:
        BadInput: the password is longer than 256 bytes.
    """
    return HASHER.hash(_encoded(password), salt=entropy.bytes(SALT_BYTES))


def check_password(stored: str, password: str) -> None:
    """Check ``password`` against its stored form; takes about 60 ms of two cores whatever the answer.

    Raises:
        DidNotVerify: it is another password.
        BadInput: the stored form is damaged, or the password is longer than 256 bytes.
    """
    try:
        HASHER.verify(stored, _encoded(password))
    except VerificationError as error:
        raise DidNotVerify(
            "This name and password do not belong together.",
            fix="Check both and try again; the administrator can give you a new password.",
        ) from error
    except InvalidHashError as error:
        raise BadInput(
            "The stored password of this account is damaged.", fix="Ask the administrator for a new password."
        ) from error


def good_enough(password: str, name: str) -> str:
    """The password, if it may be chosen for the account ``name``. Length counts; odd characters are not asked for.

    Raises:
        BadInput: too short, too long, nearly one letter, or made of the account's own name.
    """
    if len(password) < SHORTEST:
        raise BadInput(
            f"A password needs at least {SHORTEST} characters.", fix="Four or more random words are easy to keep."
        )
    _encoded(password)
    if len(set(password.casefold())) < _FEWEST_DIFFERENT:
        raise BadInput("This password repeats the same few characters.", fix="Choose four or more random words.")
    rest = password.casefold().replace(name.casefold(), "") if name else password
    if len(rest) < SHORTEST // 2:
        raise BadInput("This password is little more than your name.", fix="Choose four or more random words.")
    return password


def _encoded(password: str) -> bytes:
    try:
        data = password.encode()
    except UnicodeEncodeError as error:
        raise BadInput("This password is not valid text.", fix="Type it again.") from error
    if len(data) > LONGEST_BYTES:
        raise BadInput(f"A password may have at most {LONGEST_BYTES} bytes.", fix="Choose a shorter one.")
    return data
