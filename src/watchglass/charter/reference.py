"""The reference page of the charter's language, made from the model. A test fails when the page in docs/ is older.

``python -m watchglass.charter.reference > docs/reference/charter.md`` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import assert_never

from watchglass.charter.lint import RULES, Rule
from watchglass.charter.model import Charter
from watchglass.charter.prohibited import PRACTICES
from watchglass.charter.schema import DURATION, UNITS, Choice, Entry, Many, Named, Pair, Part, Scalar, Spec, entries
from watchglass.charter.tree import MAX_BYTES
from watchglass.charter.unbuilt import NOT_BUILT

_HEAD = f"""# The charter's language

*Made from the model by `python -m watchglass.charter.reference`; do not edit by hand.*

A charter is one YAML file of at most {MAX_BYTES:,} bytes. Only mappings, lists and plain values are used: no anchors,
aliases, tags, directives, merge keys or second documents, and no key twice. Every value is read as the text that is
written, by what belongs at its place: `no` is never turned into false, nor `1:30` into ninety.

`*` stands for a name that you choose. A key in **bold** must be there.
"""


def page() -> str:
    """The whole page as Markdown."""
    parts = [_HEAD, *_sections(), _not_built(), _prohibited(), _lint()]
    return "\n".join(parts)


def _sections() -> Iterator[str]:
    rows: list[tuple[str, Entry]] = []
    yield "## Keys\n"
    yield "| Key | What to write | What it means |\n|---|---|---|"
    for entry in entries(Charter):
        rows.extend(_rows("", entry))
    for path, entry in rows:
        shown = f"**`{path}`**" if entry.required and entry.field != "model" else f"`{path}`"
        means = f"*Not built in this version.* {entry.means}" if _is_unbuilt(path) else entry.means
        yield f"| {shown} | {_cell(_expects(entry))} | {_cell(means)} |"
    yield ""


def _is_unbuilt(path: str) -> bool:
    """Whether a key, or a section that it is in, is refused: the language has it before the software keeps it."""
    return any(f"{path}.".startswith(f"{row.path}.") for row in NOT_BUILT)


def _rows(prefix: str, entry: Entry) -> Iterator[tuple[str, Entry]]:
    path = f"{prefix}{entry.key}"
    yield path, entry
    spec = entry.spec
    if isinstance(spec, Part):
        for below in entries(spec.of):
            yield from _rows(f"{path}.", below)
    elif isinstance(spec, Many) and isinstance(spec.item, Part):
        for below in entries(spec.item.of):
            yield from _rows(f"{path}[].", below)
    elif isinstance(spec, Named):
        for kind, model in _models(spec.item):
            label = f"{path.removesuffix('.*')}.*." if kind is None else f"{path}.* ({kind})."
            for below in entries(model):
                yield from _rows(label, below)


def _models(item: Part | Choice | Pair) -> Iterator[tuple[str | None, type]]:
    match item:
        case Part(of):
            yield None, of
        case Choice(kinds):
            yield from kinds
        case Pair():
            return
        case _:
            assert_never(item)


def _expects(entry: Entry) -> str:
    text = _of(entry.spec)
    if entry.field == "model":
        return f"{text}; without it: the only one"
    default = entry.default
    if entry.required or default in (None, ()):
        return text
    return f"{text}; without it: {_written(entry.spec, default)}"


def _written(spec: Spec, default: object) -> str:
    """A default as a charter writes it."""
    if isinstance(default, tuple):
        return f"[{', '.join(str(item) for item in default)}]"
    if spec is DURATION and default == 0:
        return "0s"
    if spec is DURATION and isinstance(default, int):
        unit = max((name for name, ms in UNITS.items() if default % ms == 0), key=UNITS.__getitem__)
        return f"{default // UNITS[unit]}{unit}"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(spec, Scalar) and not isinstance(default, float):
        return spec.write(default)
    return f"{default:g}" if isinstance(default, float) else str(default)


def _of(spec: Spec) -> str:
    match spec:
        case Scalar():
            text = spec.expects
        case Many():
            inner = "sections" if isinstance(spec.item, Part) else _of(spec.item)
            text = f"a list of {inner}" if spec.expects == "a list" else spec.expects
        case Part():
            text = "a section"
        case Named():
            text = f"a section of names{_each(spec.item)}"
        case Choice():
            text = f"a section with its `kind`: {_kinds(spec)}"
        case _:
            assert_never(spec)
    return text


def _each(item: Part | Choice | Pair) -> str:
    match item:
        case Part():
            return ""
        case Choice():
            return f", each with its `kind`: {_kinds(item)}"
        case Pair():
            return f", each with {item.value.expects}"
        case _:
            assert_never(item)


def _kinds(choice: Choice) -> str:
    return ", ".join(f"`{kind}`" for kind, _ in choice.kinds)


def _not_built() -> str:
    rows = "\n".join(f"| `{row.path}` | {_cell(row.what)} |" for row in NOT_BUILT)
    return (
        "## Known, and not built in this version\n\n"
        "A charter that asks for one of these is refused by name (exit 3), so that no charter promises what nothing "
        "keeps.\n\n"
        f"| Where | What |\n|---|---|\n{rows}\n"
    )


def _prohibited() -> str:
    rows = "\n".join(f"| `{row.id}` | {_cell(row.what)} | {_cell(row.article)} |" for row in PRACTICES)
    return (
        "## Refused whatever the charter says\n\n"
        "As a key, a kind, a name of a purpose, an analytic or a model, or a thing to look for, these are refused "
        "(exit 3). In the text of a purpose they draw a warning that a person must read, because a promise never to do "
        "them names them too.\n\n"
        f"| Practice | What it is | Law |\n|---|---|---|\n{rows}\n"
    )


def _lint() -> str:
    rows = "\n".join(
        f"| `{rule.id}` | {_severity(rule)} | {_cell(rule.about)} | {_cell(rule.article)} |" for rule in RULES
    )
    return (
        "## What `charter check` looks for\n\n"
        "An error stops publication, a warning needs a person's thought, a notice is shown as it stands.\n\n"
        f"| Rule | Severity | What it asks | Law |\n|---|---|---|---|\n{rows}\n"
    )


def _severity(rule: Rule) -> str:
    if rule.only is not None:
        return f"{rule.severity}, only in a {rule.only}"
    return f"{rule.severity} ({rule.in_trial} in a trial)" if rule.in_trial else rule.severity


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
