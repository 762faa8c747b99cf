"""The people of the demo: one folder a role beside the deployment, each with keys of its own.

One computer plays everyone, and the banner says so; still every signature is made by the real client in a process of
its own, from a key that the deployment's process never opens.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from watchglass.access.roles import Role
from watchglass.bootstrap import new_key, new_witness
from watchglass.core.errors import Problem

ACCOUNTS: Final[Mapping[str, Role]] = {
    "robin": Role.REVIEWER,
    "sam": Role.RESPONDER,
    "lee": Role.SHIFT_LEAD,
    "olga": Role.OPERATOR,
    "pat": Role.PRIVACY_OFFICER,
    "board": Role.OVERSIGHT,
    "ines": Role.INVESTIGATOR,
    "dpo": Role.CUSTODIAN,
    "admin": Role.ADMINISTRATOR,
}
"""Sign-in names and their roles. The names are invented."""

_SIGN_S: Final = 60


@dataclass(frozen=True, slots=True)
class People:
    """The folder of all people, and what of them is public."""

    folder: Path
    authority_key: str
    oversight_key: str
    openings_key: str
    witness_key: str

    @property
    def witness_folder(self) -> Path:
        return self.folder / "witness"

    def key_of(self, role: str) -> Path:
        """The signing key of ``authority`` or ``oversight``."""
        return self.folder / role / "signing.key"


def make_people(folder: Path, origin: str) -> People:
    """Make everybody's keys."""
    for role in ("authority", "oversight", "witness"):
        (folder / role).mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    return People(
        folder,
        authority_key=new_key(folder / "authority/signing.key", f"authority.{origin}", "signing", None),
        oversight_key=new_key(folder / "oversight/signing.key", f"oversight.{origin}", "signing", None),
        openings_key=new_key(folder / "oversight/openings.key", f"oversight.{origin}", "openings", None),
        witness_key=str(new_witness(folder / "witness", f"witness.{origin}")),
    )


def as_someone(*words: str) -> dict[str, Any]:
    """Run a ``watchglass`` command in a process of its own, as the person whose key it names would.

    Raises:
        Problem: the command failed; its own words are in the message.
    """
    command = [sys.executable, "-m", "watchglass", *words, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SIGN_S, check=False, start_new_session=True)  # noqa: S603 (our own command; Ctrl-C is for the demo alone)
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        answer = {"message": done.stderr.strip()[-500:] or "no answer"}
    if done.returncode != 0:
        raise Problem(
            f"`watchglass {words[0]} {words[1]}` failed: {answer.get('message')}",
            fix=str(answer.get("fix", "Remove the demo's directories and start it again.")),
        )
    return answer
