"""Who may do what, as Cedar: compiled from the table of roles and the charter, each rule with an id and plain words.

Cedar skips a rule that raises an error while it is evaluated, a ``forbid`` as well. So the policies are checked
against a schema before they are used at all, and ``Policies.decide`` takes every error for a no.

The text of the policies is public: ``watchglass charter explain --cedar`` prints exactly the bytes whose hash a grant
carries. It depends on the charter's custodians and release rule alone, so it has the same hash from charter to charter
for as long as those stay the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Final, Literal

import cedarpy

from watchglass.access.roles import AUTHORITY, GRANTS, IN_WORDS, SIGNED_IN, May, Role
from watchglass.charter.model import Charter
from watchglass.charter.sealing import Custodian, Release
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, Refused
from watchglass.ledger.keys import VerifierKey

Effect = Literal["permit", "forbid"]

_CASE: Final = (May.OPEN_CASE, May.CLOSE_CASE, May.REQUEST_RELEASE)
_REQUEST: Final = (
    May.APPROVE_RELEASE,
    May.REFUSE_RELEASE,
    May.TAKE_RELEASE,
    May.FOLLOW_UP_GLASS,
    May.FETCH_RELEASE,
)
_SHARES: Final = (May.READ_SHARES,)
_OFFICE: Final = (May.READ_OFFICE, May.READ_DRAFT, May.FETCH_OPENINGS)
ABOUT_CASE: Final = frozenset(_CASE)
"""What can only be decided about a case."""
ABOUT_REQUEST: Final = frozenset(_REQUEST)
"""What can only be decided about a request."""
ABOUT_SHARES: Final = frozenset(_SHARES)
"""What can only be decided about a request or an order to keep."""

_OWN_KEY: Final = (
    "resource.requester == principal.name && resource.requester_key == principal.key && context.now < resource.until"
)
"""Who asked for it themselves, with the same key, and not too long ago."""

_HEAD: Final = (
    "// Watchglass: who may do what. Whatever no rule permits is refused, and so is whatever any rule forbids.\n"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: its ``@id``, which decisions name.
        effect: whether it permits or forbids; one that forbids wins.
        acts: what it is about.
        words: one sentence for people.
        cedar: its text.
        role: the role that it is for, where it is for one.
    """

    id: str
    effect: Effect
    acts: tuple[May, ...]
    words: str
    cedar: str
    role: str = ""


def rule(
    id: str,  # noqa: A002  # Cedar's own word
    words: str,
    acts: Iterable[May],
    *,
    who: str,
    resource: str = 'resource == House::"this"',
    when: str = "",
    effect: Effect = "permit",
    role: str = "",
) -> Rule:
    """A rule and its Cedar text."""
    listed = tuple(acts)
    actions = ", ".join(f'Action::"{act}"' for act in listed)
    condition = f"\nwhen {{ {when} }}" if when else ""
    cedar = f'@id("{id}")\n{effect} (\n  {who},\n  action in [{actions}],\n  {resource}\n){condition};\n'
    return Rule(id, effect, listed, words, cedar, role)


# ---- the schema --------------------------------------------------------------------------------------------------


@cache
def schema_text() -> str:
    """Cedar's schema: who can ask, what for, and about what."""
    roles = ", ".join(f'"{role}"' for role in [*Role, AUTHORITY])
    plain = [act for act in May if act not in ABOUT_CASE | ABOUT_REQUEST | ABOUT_SHARES]
    timed = "now: Long"
    return f"""entity Role enum [{roles}];
entity Visitor in [Role];
entity Person in [Role] = {{ name: String }};
entity Signer in [Role] = {{ name: String, key: String }};
entity House enum ["this"];
entity Case = {{ opened_by: String, authority: String, reason: String, until: Long, closed: Bool }};
entity Request = {{ requester: String, requester_key: String, until: Long, emergency: Bool, taken: Bool }};
entity Hold = {{ until: Long, lifted: Bool }};
{_actions(plain, "House", "")}{_actions(_CASE, "Case", timed)}{_actions(_REQUEST, "Request", timed)}\
{_actions(_SHARES, "Request, Hold", timed)}"""


def _actions(acts: Iterable[May], resource: str, context: str) -> str:
    names = ",\n       ".join(f'"{act}"' for act in acts)
    applies = f"principal: [Visitor, Person, Signer], resource: [{resource}], context: {{{context}}}"
    return f"action {names}\n  appliesTo {{ {applies} }};\n"


@cache
def _schema() -> cedarpy.Schema:
    return cedarpy.Schema.from_str(schema_text())


# ---- the rules ---------------------------------------------------------------------------------------------------


def of_roles(grants: Mapping[Role, frozenset[May]] = GRANTS, signed_in: frozenset[May] = SIGNED_IN) -> tuple[Rule, ...]:
    """The table of roles as rules: one for everybody, one for whoever is signed in, one for each role."""
    mine = sorted(signed_in)
    found = [rule("signed-in", f"Whoever is signed in may {_listing(mine)}.", mine, who="principal is Person")]
    for role, acts in grants.items():
        if not acts:
            continue
        listed = sorted(acts, key=list(May).index)
        everybody = role is Role.PUBLIC
        found.append(
            rule(
                "everybody" if everybody else f"role.{role}",
                f"{'Everybody' if everybody else _plural(role)} may {_listing(listed)}.",
                listed,
                who=f"principal {'' if everybody else 'is Person '}in Role::{_quoted(role)}",
                role=role,
            )
        )
    return tuple(found)


def of_offices() -> tuple[Rule, ...]:
    """What authority and oversight may ask with their own keys, whatever the charter keeps."""
    oversight = f"principal is Signer in Role::{_quoted(Role.OVERSIGHT)}"
    authority = f"principal is Signer in Role::{_quoted(AUTHORITY)}"
    return (
        rule(
            "office.read",
            f"Oversight may, with its own key, {_listing(_OFFICE)}.",
            _OFFICE,
            who=oversight,
            role=Role.OVERSIGHT,
        ),
        rule(
            "draft.read",
            f"The authority may, with its own key, {IN_WORDS[May.READ_DRAFT]}.",
            (May.READ_DRAFT,),
            who=authority,
            role=AUTHORITY,
        ),
    )


def of_release(custodians: tuple[Custodian, ...], release: Release) -> Iterator[Rule]:
    """What the charter's rules about sealed originals let people do, each with a key of their own."""
    yield from _of_custodians(custodians)
    investigator = f"principal is Signer in Role::{_quoted(Role.INVESTIGATOR)}"
    own_case = "resource.opened_by == principal.name"
    yield rule(
        "case.open",
        "An investigator may open a case of their own that states a legal authority and a reason, and that has not "
        "ended yet.",
        (May.OPEN_CASE,),
        who=investigator,
        resource="resource is Case",
        when=f'{own_case} && resource.authority != "" && resource.reason != "" && context.now < resource.until',
        role=Role.INVESTIGATOR,
    )
    yield rule(
        "case.close",
        "An investigator may close a case of their own.",
        (May.CLOSE_CASE,),
        who=investigator,
        resource="resource is Case",
        when=own_case,
        role=Role.INVESTIGATOR,
    )
    yield rule(
        "release.request",
        "An investigator may request original video within a case of their own, with a legal authority, that is "
        "neither closed nor ended.",
        (May.REQUEST_RELEASE,),
        who=investigator,
        resource="resource is Case",
        when=f'{own_case} && !resource.closed && context.now < resource.until && resource.authority != ""',
        role=Role.INVESTIGATOR,
    )
    yield rule(
        "release.take",
        "The investigator who requested it, with the key of that request, may take what was released, until the "
        "request runs out.",
        (May.TAKE_RELEASE,),
        who=investigator,
        resource="resource is Request",
        when=_OWN_KEY,
        role=Role.INVESTIGATOR,
    )
    yield rule(
        "cases.read",
        f"An investigator may {IN_WORDS[May.READ_OWN_CASES]}.",
        (May.READ_OWN_CASES,),
        who=investigator,
        role=Role.INVESTIGATOR,
    )
    yield rule(
        "release.fetch",
        "The investigator who took it, with the key of that request, may fetch what was released, until the request "
        "runs out.",
        (May.FETCH_RELEASE,),
        who=investigator,
        resource="resource is Request",
        when=f"resource.taken && !resource.emergency && {_OWN_KEY}",
        role=Role.INVESTIGATOR,
    )
    if release.break_glass is not None:
        yield from _of_glass(release.break_glass.by)
    for role, name in ((AUTHORITY, "The authority"), (Role.OVERSIGHT, "Oversight")):
        yield rule(
            f"hold.{role}",
            f"{name} may {_listing((May.ORDER_HOLD, May.LIFT_HOLD))}.",
            (May.ORDER_HOLD, May.LIFT_HOLD),
            who=f"principal is Signer in Role::{_quoted(role)}",
            role=role,
        )
    yield rule(
        "signal.settle",
        "Oversight may say what was made of a signal of misuse.",
        (May.SETTLE_SIGNAL,),
        who=f"principal is Signer in Role::{_quoted(Role.OVERSIGHT)}",
        role=Role.OVERSIGHT,
    )


def _of_custodians(custodians: tuple[Custodian, ...]) -> Iterator[Rule]:
    who = f"principal is Signer in Role::{_quoted(Role.CUSTODIAN)}"
    pinned = " ||\n       ".join(
        f"(principal.name == {_quoted(one.name)} && principal.key == {_quoted(public_half(one.key))})"
        for one in custodians
    )
    pinned = pinned or "false"  # without a name, nobody
    names = f" ({', '.join(one.name for one in custodians)})" if custodians else ""
    yield rule(
        "custodian.keys",
        f"The custodians that the charter names{names}, each with the key that it names, may "
        f"{_listing((May.PUBLISH_SEALING_KEY, May.KEEP_HOLD, May.DESTROY_PERIOD))}.",
        (May.PUBLISH_SEALING_KEY, May.KEEP_HOLD, May.DESTROY_PERIOD),
        who=who,
        when=pinned,
        role=Role.CUSTODIAN,
    )
    yield rule(
        "release.answer",
        "The same custodians may approve or refuse a request for original video that has not run out.",
        (May.APPROVE_RELEASE, May.REFUSE_RELEASE),
        who=who,
        resource="resource is Request",
        when=f"context.now < resource.until && (\n       {pinned})",
        role=Role.CUSTODIAN,
    )
    yield rule(
        "custodian.inbox",
        f"The same custodians may {IN_WORDS[May.READ_INBOX]}.",
        (May.READ_INBOX,),
        who=who,
        when=pinned,
        role=Role.CUSTODIAN,
    )
    yield rule(
        "custodian.shares",
        f"The same custodians may {IN_WORDS[May.READ_SHARES]} of what is requested, until the request runs out.",
        (May.READ_SHARES,),
        who=who,
        resource="resource is Request",
        when=f"!resource.emergency && context.now < resource.until && (\n       {pinned})",
        role=Role.CUSTODIAN,
    )
    yield rule(
        "custodian.held-shares",
        f"The same custodians may {IN_WORDS[May.READ_SHARES]} of what an order keeps, while it stands.",
        (May.READ_SHARES,),
        who=who,
        resource="resource is Hold",
        when=f"!resource.lifted && context.now < resource.until && (\n       {pinned})",
        role=Role.CUSTODIAN,
    )
    yield rule(
        "release.never-ones-own",
        "Nobody may answer a request that they made themselves, whether known by name or by key.",
        (May.APPROVE_RELEASE, May.REFUSE_RELEASE),
        who="principal is Signer",
        resource="resource is Request",
        when="resource.requester == principal.name || resource.requester_key == principal.key",
        effect="forbid",
    )


def _of_glass(roles: Iterable[str]) -> Iterator[Rule]:
    for role in roles:
        yield rule(
            f"glass.{role}",
            f"{_plural(role)} may {IN_WORDS[May.BREAK_GLASS]}, as narrowly as the charter says; oversight is told at "
            "once.",
            (May.BREAK_GLASS,),
            who=f"principal is Signer in Role::{_quoted(role)}",
            role=role,
        )
        yield rule(
            f"glass.follow-up.{role}",
            f"{_plural(role)} may report on an emergency opening that was their own.",
            (May.FOLLOW_UP_GLASS,),
            who=f"principal is Signer in Role::{_quoted(role)}",
            resource="resource is Request",
            when="resource.requester == principal.name",
            role=role,
        )
        yield rule(
            f"glass.fetch.{role}",
            f"{_plural(role)} may fetch what they opened in an emergency themselves, with the key that they did it "
            "with, for as long as it is given out.",
            (May.FETCH_RELEASE,),
            who=f"principal is Signer in Role::{_quoted(role)}",
            resource="resource is Request",
            when=f"resource.emergency && {_OWN_KEY}",
            role=role,
        )
        if role != Role.INVESTIGATOR:
            yield rule(
                f"glass.read.{role}",
                f"{_plural(role)} may {IN_WORDS[May.READ_OWN_CASES]}.",
                (May.READ_OWN_CASES,),
                who=f"principal is Signer in Role::{_quoted(role)}",
                role=role,
            )


def public_half(vkey: str) -> str:
    """The public half of a verifier key in base64: two spellings of one key are one key."""
    return b64(VerifierKey.parse(vkey).public)


def _listing(acts: Iterable[May]) -> str:
    words = [IN_WORDS[act] for act in acts]
    *most, last = words
    return f"{'; '.join(most)}; and {last}" if len(most) > 1 else " and ".join(words)


def _plural(role: str) -> str:
    if role == Role.OVERSIGHT:
        return "Oversight"
    return f"{role.replace('-', ' ').capitalize()}s"


def _quoted(text: str) -> str:
    """``text`` as a string of Cedar: what is not plain ASCII, a quote or a backslash is escaped by its number."""
    plain = (c if " " <= c <= "~" and c not in '"\\' else f"\\u{{{ord(c):x}}}" for c in text)
    return f'"{"".join(plain)}"'


def _one_line(words: str) -> str:
    """``words`` as a comment, which ends with its line."""
    return "".join(c if c.isprintable() else " " for c in words)


# ---- compiled ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Policies:
    """Rules, checked and prepared once.

    Attributes:
        rules: every rule, in the order of the text.
        text: the policies in Cedar, as published.
        sha256: SHA-256 of the text's UTF-8 bytes.
    """

    rules: tuple[Rule, ...]
    text: str = field(init=False)
    sha256: bytes = field(init=False)
    _prepared: cedarpy.PolicySet = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        text = _HEAD + "".join(f"\n// {_one_line(rule.words)}\n{rule.cedar}" for rule in self.rules)
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "sha256", sha256(text.encode()))
        object.__setattr__(self, "_prepared", prepare(self.rules, text))

    def rule(self, id: str) -> Rule:  # noqa: A002  # Cedar's own word
        """The rule of that id."""
        return next(rule for rule in self.rules if rule.id == id)

    def about(self, what: May) -> tuple[Rule, ...]:
        """The rules that speak of ``what``."""
        return tuple(rule for rule in self.rules if what in rule.acts)

    def decide(self, request: Mapping[str, Any], entities: cedarpy.Entities) -> tuple[bool, tuple[str, ...]]:
        """Cedar's answer: whether it is permitted, and the ids of the rules that decided (none: nothing permits it).

        Raises:
            Refused: Cedar could not decide, or met an error on the way; that is never a yes.
        """
        try:
            result = cedarpy.is_authorized(dict(request), self._prepared, entities, _schema())
        except Exception as error:  # whatever the library meets, it is no yes
            raise undecided(str(error)) from error
        diagnostics = result.diagnostics
        if diagnostics.errors or result.decision is cedarpy.Decision.NoDecision:
            raise undecided(*diagnostics.errors)
        ids = diagnostics.id_annotations_by_reason
        if set(ids) != set(diagnostics.reasons) or (result.allowed and not ids):
            raise undecided("it named no rule")
        return result.allowed, tuple(sorted(ids.values()))


def undecided(*why: str) -> Refused:
    """What is said where the rules gave no answer."""
    return Refused(
        "Whether this is allowed could not be decided, so it is not.",
        fix="Tell the operator; the rules or what they were asked about do not fit together.",
        why="; ".join(why)[:500] or "no decision",
    )


def prepare(rules: tuple[Rule, ...], text: str) -> cedarpy.PolicySet:
    """Check the policies against the schema, and prepare them.

    Raises:
        BadInput: they do not fit it, or two rules have one id.
    """
    fix = "This is a fault of Watchglass or of the charter's custodians and release rule; report it."
    if len({rule.id for rule in rules}) != len(rules):
        raise BadInput("Two rules of access have one id.", fix=fix)
    try:
        found = cedarpy.validate_policies(text, _schema())
        if not found.validation_passed:
            what = "; ".join(error.error for error in found.errors)
            raise BadInput(f"The rules of access do not fit together: {what[:500]}.", fix=fix)
        prepared = cedarpy.PolicySet.from_str(text)
    except ValueError as error:
        raise BadInput(f"The rules of access cannot be read: {str(error)[:500]}.", fix=fix) from error
    if len(prepared) != len(rules):
        raise BadInput("The rules of access are not as many as were written.", fix=fix)
    return prepared


def policies_of(charter: Charter | None) -> Policies:
    """Who may do what under ``charter``; without one, or where it seals nothing, by the table of roles alone.

    Raises:
        BadInput: the rules do not fit together. Nothing may be published that gives this.
    """
    if charter is None or charter.safeguards.release is None:
        return policies_for((), None)
    return policies_for(charter.safeguards.custodians, charter.safeguards.release)


@lru_cache(maxsize=32)
def policies_for(custodians: tuple[Custodian, ...], release: Release | None) -> Policies:
    """Who may do what under a release rule and its custodians; ``None``: where nothing is sealed."""
    released = tuple(of_release(custodians, release)) if release is not None else ()
    return Policies(of_roles() + of_offices() + released)


def entities_of(json_text: str) -> cedarpy.Entities:
    """Entities checked against the schema, and prepared.

    Raises:
        ValueError: they do not fit it.
    """
    return cedarpy.Entities.from_json_str(json_text, _schema())


def encode(*entities: Mapping[str, Any]) -> str:
    """Entities as Cedar reads them."""
    return json.dumps(entities)
