"""Writes docs/reference/records.md from the vocabulary, so that the page cannot drift from the code.

Run ``python -m watchglass.records.reference > docs/reference/records.md`` after a change of the vocabulary.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Final

from watchglass.records.act_spec import ActSpec, Lane, Need
from watchglass.records.fields import HASH, HOUR, PSEUDONYM, SIGNER, FieldType
from watchglass.records.leaf import LARGEST
from watchglass.records.vocabulary import ACTS

_INTRO: Final = f"""\
# Records

<!-- Made by `python -m watchglass.records.reference`; a test fails when this page and the code differ. -->

Everything that is done leaves a record: one *leaf* of the ledger. Leaves expose power, not people: they show which act
was done, under which charter and purpose, by which role, in which hour. Whatever is finer (the minute, the place, the
person, the decision) stands in the leaf as a salted *commitment*, whose *opening* is sealed to oversight.

## A leaf

Canonical JSON (RFC 8785), at most {LARGEST:,} bytes, with exactly these members:

| Member | Holds |
|---|---|
| `v` | 1 |
| `act` | one of the names below |
| `basis` | `signed`: the actor's own key vouches for it; `attested`: the server alone states it |
| `charter` | {HASH.words()} of the charter under which it was done, or null |
| `purpose` | the purpose's name, or null |
| `role` | the role in which the actor acted; `house` is the software itself |
| `actor` | attested: {PSEUDONYM.words()}; signed: {SIGNER.words()} |
| `hour` | {HOUR.words()} |
| `refs` | list of leaf hashes (RFC 6962) of the acts that this one refers to |
| `clear` | object of the fields that everyone reads |
| `commitments` | object from field to commitment, in base64 |
| `opening` | {HASH.words()} of the sealed opening; absent where there are no commitments |
| `sig` | signed acts only: `key` (a vkey) and `sig` (Ed25519, in base64) |

* commitment = SHA-256(`watchglass/commitment/v1` ‖ 00 ‖ salt (16 bytes) ‖ length of field (1 byte) ‖ field ‖
  canonical(value))
* opening = canonical `{{"fields": {{field: {{"salt": base64, "value": …}}}}}}`
* sealed opening = key id (16 bytes) ‖ nonce (12) ‖ AES-256-GCM under an hourly key, with the associated data
  `watchglass/opening/v1` ‖ newline ‖ origin ‖ newline ‖ canonical(commitments)
* the hourly key is sealed once, by HPKE (X25519, HKDF-SHA256, AES-256-GCM), to the charter's
  `oversight.openings_key`, with the info `watchglass/opening-key/v1` ‖ newline ‖ origin ‖ newline ‖ hex(key id) ‖
  newline ‖ hour
* signed message = `watchglass/signed-act/v1` ‖ newline ‖ origin ‖ newline ‖ canonical(leaf without `opening` and `sig`)

`prompt` acts enter the public checkpoint every `ledger.checkpoint_every`, `batch` acts every `ledger.batch_every`.
All fields are always there, null where there is nothing to say, so that a missing field tells nothing.

## The acts
"""

_NEEDS: Final[Mapping[Need, str]] = {Need.ALWAYS: "always", Need.MAYBE: "where there is one", Need.NEVER: "never"}
_LANES: Final[Mapping[Lane, str]] = {Lane.PROMPT: "`prompt`", Lane.BATCH: "`batch`"}


def page() -> str:
    """The whole page as Markdown."""
    return _INTRO + "".join(f"\n{text}\n" for text in map(_act, ACTS.values()))


def _act(spec: ActSpec) -> str:
    return "\n".join(_lines(spec))


def _lines(spec: ActSpec) -> Iterator[str]:
    yield f"### `{spec.name}`"
    yield ""
    yield spec.meaning
    yield ""
    yield f"- {spec.basis}, {_LANES[spec.lane]} lane"
    yield f"- roles: {', '.join(f'`{role}`' for role in sorted(spec.roles))}"
    yield f"- names the charter: {_NEEDS[spec.charter]}; the purpose: {_NEEDS[spec.purpose]}"
    if spec.refs_to:
        yield f"- refers to: {', '.join(f'`{act}`' for act in spec.refs_to)}"
    yield f"- who sees what is not in clear: {spec.seen_by}"
    if spec.clear or spec.committed:
        yield ""
        yield "| Field | Where | Type |"
        yield "|---|---|---|"
        yield from _rows(spec.clear, "in clear", spec.later)
        yield from _rows(spec.committed, "committed", spec.later)


def _rows(fields: Mapping[str, FieldType], where: str, later: frozenset[str] = frozenset()) -> Iterator[str]:
    for name, kind in fields.items():
        since = "; absent from records of earlier versions" if name in later else ""
        yield f"| `{name}` | {where} | {kind.words()}{since} |"


if __name__ == "__main__":
    sys.stdout.write(page())
