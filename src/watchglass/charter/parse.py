"""From a file's bytes to a ``Charter``, strictly; or every mistake in the file at once, each with line and column.

Three outcomes: a charter; ``CharterErrors`` (the file is not written right); ``CharterRefused`` (it asks for what the
law or this version cannot give). A file with both is refused, and its mistakes are listed as well.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, cast

from watchglass.charter import model as m
from watchglass.charter.prohibited import FIX, prohibited
from watchglass.charter.schema import ANY, NAME, Choice, Entry, Many, Named, Pair, Part, Scalar, Spec, entries
from watchglass.charter.tree import Block, Items, Node, Spot, Text, TreeError, grow
from watchglass.charter.unbuilt import NOT_BUILT, fix_for, row_for
from watchglass.core.errors import BadInput, Refused

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing in a file that a person must change.

    Attributes:
        rule: ``written`` (a mistake), ``not-built``, or the id of a prohibited practice.
        article: the law that forbids it, where there is one.
    """

    line: int
    column: int
    path: str
    message: str
    fix: str
    rule: str = "written"
    article: str = ""

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}"
        return f"{where}{' (' + self.path + ')' if self.path else ''}: {self.message} {self.fix}"

    def as_json(self) -> dict[str, object]:
        """The fault as a JSON-ready object."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class CharterErrors(BadInput):
    """The file is not a charter as it is written; ``faults`` has every reason."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        more = f" There are {count - 1} more." if count > 1 else ""
        first = self.faults[0]
        super().__init__(
            f"The charter has a mistake on line {first.line}, column {first.column}: {first.message}{more}",
            fix=first.fix,
        )

    def as_json(self) -> dict[str, object]:
        return {**super().as_json(), "faults": [fault.as_json() for fault in self.faults]}

    def lines(self) -> list[str]:
        """Every mistake, for people."""
        return [str(fault) for fault in self.faults]


class CharterRefused(Refused):
    """The charter asks for what it may not have; ``refusals`` names each, ``faults`` the mistakes beside them."""

    def __init__(self, refusals: Iterable[Fault], faults: Iterable[Fault]) -> None:
        self.refusals = tuple(refusals)
        self.faults = tuple(faults)
        count = len(self.refusals)
        first = self.refusals[0]
        super().__init__(
            first.message if count == 1 else f"This charter is refused for {count} reasons. The first: {first.message}",
            fix=first.fix,
            reasons=tuple(str(refusal) for refusal in self.refusals),
        )

    def as_json(self) -> dict[str, object]:
        return {
            **super().as_json(),
            "refusals": [refusal.as_json() for refusal in self.refusals],
            "faults": [fault.as_json() for fault in self.faults],
        }

    def lines(self) -> list[str]:
        """The mistakes beside the refusals, for people."""
        return [f"also: {fault}" for fault in self.faults]


def parse(data: bytes) -> m.Charter:
    """The charter that ``data`` is.

    Args:
        data: the file's bytes.

    Raises:
        CharterErrors: with every mistake.
        CharterRefused: it asks for a prohibited practice, or for a safeguard that this version does not build.
    """
    return read(data).charter


@dataclass(frozen=True, slots=True)
class Parsed:
    """A charter and where its parts stand in the file."""

    charter: m.Charter
    tree: Block

    def spot(self, path: Path) -> Spot:
        """Where ``path`` is written, or the nearest part above it that is."""
        return _spot(self.tree, path)


def read(data: bytes) -> Parsed:
    """As ``parse``, with the positions that lint findings need."""
    try:
        tree = grow(data)
    except TreeError as error:
        raise CharterErrors([Fault(error.spot.line, error.spot.column, "", error.message, error.fix)]) from error
    reader = _Reader(tree)
    charter = reader.charter(data)
    if reader.refusals:
        raise CharterRefused(_in_order(reader.refusals), _in_order(reader.faults))
    if reader.faults or charter is None:
        raise CharterErrors(_in_order(reader.faults))
    return Parsed(charter, tree)


def _in_order(faults: Iterable[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: (fault.line, fault.column))


_HINTS = 100
"""After so many mistakes the nearest words are not looked for any more; it would take long and help nobody."""

_HOLE: Any = object()
"""Stands where a value could not be read; a part with a hole is never built."""


class _Reader:
    def __init__(self, tree: Block) -> None:
        self.tree = tree
        self.faults: list[Fault] = []
        self.refusals: list[Fault] = []
        models = tree.get("models")
        self.only_model = models.entries[0][0].text if isinstance(models, Block) and len(models.entries) == 1 else None

    def charter(self, data: bytes) -> m.Charter | None:
        values = self._keys(m.Charter, self.tree, ())
        if values is not None:
            charter: m.Charter = _bare(m.Charter, {"data": data, **values})
            for end in m.loose_ends(charter):
                self._fault(_spot(self.tree, end.path), end.path, end.message, _hint(end.written, end.known) + end.fix)
        if values is None or self.faults or self.refusals:
            return None
        try:
            return m.Charter(data=data, **values)
        except BadInput as error:
            self._fault(self.tree.spot, (), error.message, error.fix)
            return None

    # ---- one value of each kind ----------------------------------------------------------------------------------

    def value(self, spec: Spec, node: Node, path: Path) -> Any:
        """The value of ``node`` under ``spec``, or a hole after a fault."""
        match spec:
            case Scalar():
                return self._scalar(spec, node, path)
            case Many():
                return self._many(spec, node, path)
            case Part():
                return self._part(spec.of, node, path, {})
            case Named():
                return self._named(spec, node, path)
            case Choice():
                return self._choice(spec, node, path, {})

    def _scalar(self, spec: Scalar, node: Node, path: Path) -> Any:
        if not isinstance(node, Text):
            return self._fault(
                node.spot, path, f"Expected {spec.expects}, and found a list or a section.", "Write one value."
            )
        if not node.text:
            return self._fault(
                node.spot, path, f"Expected {spec.expects}, and found nothing.", "Write the value, or remove the line."
            )
        try:
            return spec.read(node.text)
        except BadInput as error:
            return self._fault(node.spot, path, error.message, error.fix)
        except ValueError:
            if spec.words and self._refused(node, path, value=node.text):
                return _HOLE
            shown = node.text if len(node.text) <= 60 else node.text[:57] + "..."  # noqa: PLR2004  (a line's worth)
            fix = _hint(node.text, spec.words) + ("Write one of these." if spec.words else "Write it in that form.")
            return self._fault(node.spot, path, f"Expected {spec.expects}, and found {shown!r}.", fix)

    def _many(self, spec: Many, node: Node, path: Path) -> Any:
        if not isinstance(node, Items):
            return self._fault(
                node.spot, path, f"Expected {spec.expects}.", "Write it in square brackets: [first, second]."
            )
        values = tuple(self.value(spec.item, item, (*path, index)) for index, item in enumerate(node.items))
        if any(value is _HOLE for value in values):
            return _HOLE
        if not spec.fewest <= len(values) <= spec.most:
            return self._fault(
                node.spot,
                path,
                f"Expected {spec.expects} with {spec.fewest} to {spec.most} parts, and found {len(values)}.",
                "Add what is missing, or remove what is too much.",
            )
        try:
            return spec.make(values)
        except BadInput as error:
            return self._fault(node.spot, path, error.message, error.fix)

    def _named(self, spec: Named, node: Node, path: Path) -> Any:
        if not isinstance(node, Block):
            return self._fault(
                node.spot, path, "Expected a section of names.", "Write `name:` and indent what belongs to it."
            )
        if len(node.entries) < spec.fewest:
            return self._fault(node.spot, path, "This section is empty.", "Add at least one entry.")
        values = []
        for key, item in node.entries:
            at = (*path, key.text)
            name = self._name(key, at)
            values.append(self._item(spec.item, name, item, at))
        return _HOLE if any(value is _HOLE for value in values) else tuple(values)

    def _name(self, key: Text, path: Path) -> str:
        practice = prohibited(key.text) if path[0] in {"analytics", "models", "plug_ins", "purposes"} else None
        if practice is not None:
            self._refuse(key.spot, path, practice.message, FIX, rule=practice.id, article=practice.article)
            return cast("str", _HOLE)
        return cast("str", self._scalar(NAME, key, path))

    def _item(self, spec: Part | Choice | Pair, name: str, node: Node, path: Path) -> Any:
        match spec:
            case Part():
                return self._part(spec.of, node, path, {"name": name})
            case Choice():
                return self._choice(spec, node, path, {"name": name})
            case Pair():
                value = self._scalar(spec.value, node, path)
                if name is _HOLE or value is _HOLE:
                    return _HOLE
                return spec.of(name, value)

    def _choice(self, spec: Choice, node: Node, path: Path, values: dict[str, Any]) -> Any:
        if not isinstance(node, Block):
            return self._fault(node.spot, path, "Expected a section.", "Indent its lines, beginning with `kind`.")
        kinds = dict(spec.kinds)
        kind = node.get("kind")
        if not isinstance(kind, Text):
            return self._fault(node.spot, path, "This does not say its `kind`.", f"Add `kind: {' or '.join(kinds)}`.")
        if kind.text in kinds:
            return self._part(kinds[kind.text], node, path, values)
        if not self._refused(kind, (*path, "kind"), value=kind.text):
            known = (
                *kinds,
                *(row.path.partition("=")[2] for row in NOT_BUILT if row.path.startswith(f"{path[0]}.*.kind=")),
            )
            fix = _hint(kind.text, known) + f"Use {' or '.join(kinds)}."
            self._fault(kind.spot, (*path, "kind"), f"There is no kind {kind.text!r}.", fix)
        self._leftovers(tuple(kinds.values()), node, path)
        return _HOLE

    def _part(self, model: type, node: Node, path: Path, values: dict[str, Any]) -> Any:
        if not isinstance(node, Block):
            return self._fault(node.spot, path, "Expected a section.", "Indent its lines, or write {name: value}.")
        read = self._keys(model, node, path)
        if read is None or any(value is _HOLE for value in values.values()):
            return _HOLE
        try:
            return model(**values, **read)
        except BadInput as error:
            return self._fault(node.spot, path, error.message, error.fix)

    # ---- the keys of a section -----------------------------------------------------------------------------------

    def _keys(self, model: type, node: Block, path: Path) -> dict[str, Any] | None:
        """The values of a section's keys by field name; None when any is wrong, missing or unknown."""
        before = len(self.faults) + len(self.refusals)
        wanted = entries(model)
        values: dict[str, Any] = {}
        keys = {key.text: key for key, _ in node.entries}
        rest = next((entry for entry in wanted if entry.key == ANY), None)
        for entry in wanted:
            found, at = node.get(entry.key), (*path, entry.key)
            if entry is rest:
                values[entry.field] = self._rest(entry, {each.key for each in wanted}, node, path)
            elif found is not None and row_for(at) is not None:
                self._refused(keys[entry.key], at)
            elif found is not None:
                values[entry.field] = self.value(entry.spec, found, at)
            elif entry.field == "model" and self.only_model is not None:
                values["model"] = self.only_model
            elif entry.required:
                self._missing(entry, node, path)
        has_kind = hasattr(model, "kind")
        if rest is None:
            self._unknown_keys({entry.key for entry in wanted} | ({"kind"} if has_kind else set()), node, path)
        return values if before == len(self.faults) + len(self.refusals) else None

    def _rest(self, entry: Entry, known: set[str], node: Block, path: Path) -> Any:
        """Names that stand among fixed keys: every other key is one, unless it is a fixed key with a slip in it."""
        fixed = tuple(known - {ANY})
        names = tuple((key, item) for key, item in node.entries if key.text not in known)
        slips = tuple((key, item) for key, item in names if isinstance(item, Text) and _hint(key.text, fixed))
        self._unknown_keys(set(fixed), Block(slips, node.spot), path)
        kept = tuple(pair for pair in names if pair not in slips)
        return self._named(cast("Named", entry.spec), Block(kept, node.spot), path)

    def _missing(self, entry: Entry, node: Block, path: Path) -> None:
        expects = entry.spec.expects if isinstance(entry.spec, Scalar | Many) else "a section"
        where = f"{_dotted(path)!r}" if path else "The charter"
        self._fault(
            node.spot, path, f"{where} has no `{entry.key}`: {entry.means}", f"Add `{entry.key}:` with {expects}."
        )

    def _leftovers(self, models: tuple[type, ...], node: Block, path: Path) -> None:
        """Under a kind that is not built: still name what else is refused."""
        known = {entry.key: entry for model in models for entry in entries(model)}
        for key, item in node.entries:
            if key.text in known and isinstance(known[key.text].spec, Named):
                self.value(known[key.text].spec, item, (*path, key.text))
            elif key.text not in known and key.text != "kind":
                self._refused(key, (*path, key.text))

    def _unknown_keys(self, known: set[str], node: Block, path: Path) -> None:
        for key, _ in node.entries:
            if key.text in known or self._refused(key, (*path, key.text)):
                continue
            hint = _hint(key.text, tuple(sorted(known))) if len(self.faults) < _HINTS else ""
            fix = hint + f"Known here: {', '.join(sorted(known))}."
            self._fault(key.spot, (*path, key.text), f"{key.text[:60]!r} is not known here.", fix)

    # ---- what is wrong -------------------------------------------------------------------------------------------

    def _refused(self, node: Text, path: Path, value: str | None = None) -> bool:
        """Refuse a key (or a value) that is prohibited or not built; tell whether it was."""
        practice = prohibited(value if value is not None else node.text)
        row = row_for(path, value)
        if row is not None:
            self._refuse(node.spot, path, row.message, fix_for(row), rule="not-built", article="")
        elif practice is not None:
            self._refuse(node.spot, path, practice.message, FIX, rule=practice.id, article=practice.article)
        return row is not None or practice is not None

    def _refuse(self, spot: Spot, path: Path, message: str, fix: str, *, rule: str, article: str) -> None:
        self.refusals.append(Fault(spot.line, spot.column, _dotted(path), message, fix, rule, article))

    def _fault(self, spot: Spot, path: Path, message: str, fix: str) -> Any:
        self.faults.append(Fault(spot.line, spot.column, _dotted(path), message, fix))
        return _HOLE


def _bare(model: type, values: dict[str, Any]) -> Any:
    """A charter whose references are not checked yet, so that all loose ends can be told at once."""
    charter: Any = object.__new__(model)
    for entry in entries(model):
        object.__setattr__(charter, entry.field, values.get(entry.field, entry.default))
    return charter


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else ("." if text else "") + part[:60]
    return text


def _hint(written: str, known: Iterable[str]) -> str:
    """A sentence with the nearest right word, or nothing."""
    near = difflib.get_close_matches(written[:60], list(known), n=1)
    return f"Did you mean `{near[0]}`? " if near and written else ""


def _spot(tree: Block, path: Path) -> Spot:
    node: Node = tree
    for part in path:
        below: Node | None = None
        if isinstance(node, Block) and isinstance(part, str):
            below = node.get(part)
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node.items):
            below = node.items[part]
        if below is None:
            break
        node = below
    return node.spot
