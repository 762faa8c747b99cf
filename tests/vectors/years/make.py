"""Write the entries of a small log, and the state that they leave: ``python tests/vectors/years/make.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
sys.path.insert(0, str(HERE.parents[1] / "unit/oversight"))
sys.path.insert(0, str(HERE.parents[1] / "unit/records"))


def main() -> None:
    """The entries stay what they are, unless they are gone; the state is made anew."""
    from test_carried_state import state_of  # noqa: PLC0415  (the folder has just become known)

    file = HERE / "entries.json"
    if not file.exists():
        from test_audit_machinery import eventful  # noqa: PLC0415  (likewise)

        file.write_text(json.dumps([each.decode() for each in eventful().entries], indent=0) + "\n", "utf-8")
    entries = json.loads(file.read_text("utf-8"))
    (HERE / "state.json").write_bytes(state_of([each.encode() for each in entries]))


if __name__ == "__main__":
    main()
