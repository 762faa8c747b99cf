"""The folder of keys on a signer's own machine.

``identity.key`` (Ed25519) signs. A custodian has ``2026-11.key`` for each month and ``hold-ID.key`` for each hold, an
investigator ``case-ID.key`` for each case (X25519). What was signed for a case or a request is kept beside them, in
``ID.statement``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, CannotRecord
from watchglass.edge.keys import (
    destroy_key,
    is_encrypted,
    new_openings_key,
    read_openings_key,
    read_signing_key,
    write_openings_key,
    write_signing_key,
)
from watchglass.edge.tiles import write_durably
from watchglass.ledger.keys import SignerKey
from watchglass.records.fields import IDENTIFIER, MONTH

IDENTITY: Final = "identity.key"
HOLD_ORDER: Final = "hold-order-"
"""What the name of a kept order to hold begins with; of cases and requests it is the id alone."""
SIGNED: Final = "signed-"
"""What the name of anything else that authority or oversight signed begins with; a fresh id follows."""
_ID: Final = "[0-9a-f]" * 16
_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600
_LARGEST_STATEMENT: Final = 200_000

Ask = Callable[[Path], str]
"""Gives the passphrase of a key file: asks a person, once."""


class Keyring:
    """A signer's keys. Its passphrase is asked for once, and protects every key that is made later too.

    Args:
        folder: where they lie.
        ask: asked for the passphrase where a key file has one.
        identity: the file of the key that signs, where it is not ``identity.key``.
    """

    def __init__(self, folder: Path, ask: Ask, *, identity: Path | None = None) -> None:
        self.folder = folder
        self._file = identity or folder / IDENTITY
        self._ask = ask
        self._passphrase: str | None = None
        self._identity: SignerKey | None = None

    @classmethod
    def make(cls, folder: Path, name: str, passphrase: str | None, entropy: Entropy) -> SignerKey:
        """A fresh identity key in ``folder``, which is made if it is not there.

        Raises:
            BadInput: there is one already.
        """
        try:
            folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{folder} cannot be made: {error.strerror}.", fix="Choose another folder.") from error
        signer = SignerKey.generate(name, entropy)
        write_signing_key(folder / IDENTITY, signer, passphrase=passphrase)
        return signer

    def identity(self) -> SignerKey:
        """The key that signs.

        Raises:
            BadInput: there is none, or it does not open.
        """
        if self._identity is None:
            file = self._file
            if not file.is_file():
                raise BadInput(
                    f"There is no {file.name} in {file.parent}.",
                    fix="Give the folder of your keys with --keys, or make one: `watchglass custodian keygen`.",
                )
            self._identity = read_signing_key(file, passphrase=self._word(file))
        return self._identity

    def month(self, period: str) -> X25519PrivateKey | None:
        """The key of a month; None where it is not (or no longer) here."""
        MONTH.check(period, "month")
        return self._key(f"{period}.key")

    def months(self) -> list[str]:
        """The months whose keys are here."""
        return sorted(file.stem for file in self.folder.glob("????-??.key"))

    def new_month(self, period: str, entropy: Entropy) -> X25519PrivateKey:
        """The key of a month, made if it is not here yet: handing it in may have failed before."""
        MONTH.check(period, "month")
        return self._new(f"{period}.key", f"sealing key of {period}", entropy)

    def destroy_month(self, period: str) -> None:
        """Overwrite and remove the key of a month."""
        MONTH.check(period, "month")
        destroy_key(self.folder / f"{period}.key")

    def hold(self, number: str) -> X25519PrivateKey | None:
        """The key of a hold; None where there is none."""
        IDENTIFIER.check(number, "hold")
        return self._key(f"hold-{number}.key")

    def holds(self) -> list[str]:
        """The holds whose keys are here."""
        return sorted(file.stem.removeprefix("hold-") for file in self.folder.glob(f"hold-{_ID}.key"))

    def new_hold(self, number: str, entropy: Entropy) -> X25519PrivateKey:
        """The key of a hold, made if it is not here yet."""
        IDENTIFIER.check(number, "hold")
        return self._new(f"hold-{number}.key", f"key of the hold {number}", entropy)

    def case(self, number: str) -> X25519PrivateKey:
        """The key of a case.

        Raises:
            BadInput: it is not here, so nothing of that case can be opened here.
        """
        IDENTIFIER.check(number, "case")
        key = self._key(f"case-{number}.key")
        if key is None:
            raise BadInput(
                f"The key of case {number} is not in {self.folder}.",
                fix="Use the machine and folder on which the case was opened. Without its key nothing opens.",
                case=number,
            )
        return key

    def new_case(self, number: str, entropy: Entropy) -> X25519PrivateKey:
        """A fresh key for a case."""
        IDENTIFIER.check(number, "case")
        return self._new(f"case-{number}.key", f"key of the case {number}", entropy)

    def forget_case(self, number: str) -> None:
        """Remove the key of a case that was never opened."""
        destroy_key(self.folder / f"case-{number}.key")

    def keep(self, name: str, statement: bytes) -> None:
        """Keep what was signed, before it is handed in: what comes back is compared with it, and it opens its record.

        Raises:
            CannotRecord: the disk refuses.
        """
        try:
            write_durably([(self._statement(name), statement)], mode=_PRIVATE_FILE)
        except CannotRecord as error:
            raise CannotRecord(
                f"What was signed could not be kept here, so it was not handed in: {error.message}",
                fix="Make room in the folder of keys, then do it again.",
            ) from error

    def kept(self, name: str) -> bytes | None:
        """What was kept under that name; None where nothing was.

        Raises:
            BadInput: it is there and cannot be read.
        """
        file = self._statement(name)
        try:
            with file.open("rb") as opened:
                return opened.read(_LARGEST_STATEMENT)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BadInput(
                f"{file.name} cannot be read: {error.strerror}.",
                fix="Check the permissions of the folder of keys. Without it, nobody knows what was signed here.",
            ) from error

    def forget(self, name: str) -> None:
        """Remove what was kept of something that was refused."""
        self._statement(name).unlink(missing_ok=True)

    def orders(self) -> list[str]:
        """The holds that were ordered with this folder."""
        found = self.folder.glob(f"{HOLD_ORDER}{_ID}.statement")
        return sorted(file.stem.removeprefix(HOLD_ORDER) for file in found)

    def signed(self) -> list[str]:
        """The names of what authority or oversight signed with this folder, orders to hold included."""
        found = [*self.folder.glob(f"{HOLD_ORDER}{_ID}.statement"), *self.folder.glob(f"{SIGNED}{_ID}.statement")]
        return sorted(file.stem for file in found)

    def _statement(self, name: str) -> Path:
        """The file of what was signed: its name is an id, whoever told it."""
        IDENTIFIER.check(name.removeprefix(HOLD_ORDER).removeprefix(SIGNED), "id")
        return self.folder / f"{name}.statement"

    def _key(self, name: str) -> X25519PrivateKey | None:
        file = self.folder / name
        return read_openings_key(file, passphrase=self._word(file)) if file.is_file() else None

    def _new(self, name: str, what: str, entropy: Entropy) -> X25519PrivateKey:
        before = self._key(name)
        if before is not None:
            return before
        key = new_openings_key(entropy)
        write_openings_key(self.folder / name, key, passphrase=self._word(self._file), what=what)
        return key

    def _word(self, file: Path) -> str | None:
        if not is_encrypted(file):
            return None
        if self._passphrase is None:
            self._passphrase = self._ask(file)
        return self._passphrase
