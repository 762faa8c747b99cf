"""Who may: (somebody, an act, what it is about, the time) → ``Grant``, or ``Refused``. Pure; Cedar decides.

A grant says *who*; ``charter.decide`` says *whether at all* and gives a ``Permit``. What is dangerous takes both.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import cedarpy

from watchglass.access.about import About, AboutCase, AboutHold, AboutRequest
from watchglass.access.policies import Policies, encode, entities_of, policies_of, undecided
from watchglass.access.roles import _TOKEN, Actor, Grant, May, Person, Role, Signer
from watchglass.core.digest import b64
from watchglass.core.errors import Refused

__all__ = ["authorise", "check_public", "known", "may_all", "question"]

_ROLES: Final = tuple(Role)
_TYPES: Final = {AboutCase: "Case", AboutRequest: "Request", AboutHold: "Hold"}


def authorise(
    who: Actor | None,
    what: May,
    *,
    under: Policies | None = None,
    about: About | None = None,
    now_ms: int | None = None,
) -> Grant:
    """The grant of ``what`` to ``who``.

    Args:
        under: the policies of the charter in force; without them those of the table of roles alone.
        about: the case or the request, where the rules of ``what`` ask about one.
        now_ms: the time, by a clock that is trusted; needed wherever ``about`` is.

    Raises:
        Refused: no rule permits it, a rule forbids it, or there was no answer.
    """
    under = under or policies_of(None)
    rules = _decided(who, what, under, about, now_ms)
    if who is None:
        raise Refused("Nobody is signed in.", fix="Sign in first.")
    return Grant(who, _role(who, rules, under), what, policy=under.sha256, rules=rules, token=_TOKEN)


def check_public(what: May, *, under: Policies | None = None) -> None:
    """Check that everybody may do ``what``, signed in or not.

    Raises:
        Refused: they may not.
    """
    _decided(None, what, under or policies_of(None), None, None)


@lru_cache(maxsize=4096)
def may_all(person: Person) -> frozenset[May]:
    """Everything that a person may do in the portal: for links to further pages. No answer here lets anybody do it."""
    under, found = policies_of(None), set()
    for what in May:
        try:
            authorise(person, what, under=under)
        except Refused:
            continue
        found.add(what)
    return frozenset(found)


def _decided(who: Actor | None, what: May, under: Policies, about: About | None, now_ms: int | None) -> tuple[str, ...]:
    """The ids of the rules that permit it."""
    try:
        entities = _entities(who, about)
    except ValueError as error:
        raise undecided(str(error)) from error
    allowed, rules = under.decide(question(who, what, about, now_ms), entities)
    if not allowed:
        raise _denied(what, under, rules)
    return rules


def question(who: Actor | None, what: May, about: About | None, now_ms: int | None) -> dict[str, Any]:
    """What Cedar is asked."""
    return {
        "principal": _who(who),
        "action": {"type": "Action", "id": what.value},
        "resource": _what(about),
        "context": {} if now_ms is None else {"now": now_ms},
    }


def known(who: Actor | None, about: About | None) -> list[dict[str, Any]]:
    """What Cedar is told of: who asks, with their roles, and what it is about."""
    attrs: dict[str, Any] = {}
    roles = {Role.PUBLIC.value}
    if isinstance(who, Signer):
        attrs, roles = {"name": who.name, "key": who.key}, {str(who.role)}
    elif who is not None:
        attrs, roles = {"name": who.name}, {Role.PUBLIC.value, *(role.value for role in who.roles)}
    parents = [{"type": "Role", "id": role} for role in sorted(roles)]
    return [{"uid": _who(who), "attrs": attrs, "parents": parents}, *_facts(about)]


@lru_cache(maxsize=4096)
def _entities(who: Actor | None, about: About | None) -> cedarpy.Entities:
    """``known``, prepared; the same values are the same entities, so that nothing here can be out of date."""
    return entities_of(encode(*known(who, about)))


def _who(who: Actor | None) -> dict[str, str]:
    if who is None:
        return {"type": "Visitor", "id": "anyone"}
    if isinstance(who, Signer):
        return {"type": "Signer", "id": who.key}
    return {"type": "Person", "id": str(who.account)}


def _what(about: About | None) -> dict[str, str]:
    if about is None:
        return {"type": "House", "id": "this"}
    return {"type": _TYPES[type(about)], "id": about.id}


def _facts(about: About | None) -> list[dict[str, Any]]:
    if about is None:
        return []
    attrs: dict[str, Any]
    if isinstance(about, AboutCase):
        attrs = {
            "opened_by": about.opened_by,
            "authority": about.authority,
            "reason": about.reason,
            "until": about.until_ms,
            "closed": about.closed,
        }
    elif isinstance(about, AboutRequest):
        attrs = {
            "requester": about.requester,
            "requester_key": about.requester_key,
            "until": about.until_ms,
            "emergency": about.emergency,
            "taken": about.taken,
        }
    else:
        attrs = {"until": about.until_ms, "lifted": about.lifted}
    return [{"uid": _what(about), "attrs": attrs, "parents": []}]


def _role(who: Actor, rules: tuple[str, ...], under: Policies) -> str:
    """In which role somebody acts: the first of theirs that a rule named; else the first that they have."""
    if isinstance(who, Signer):
        return who.role
    named = {under.rule(name).role for name in rules}
    own = [role for role in _ROLES if role in who.roles]
    return next((role for role in own if role in named), own[0] if own else Role.PUBLIC)


def _denied(what: May, under: Policies, rules: tuple[str, ...]) -> Refused:
    policy = b64(under.sha256)
    if rules:
        words = " ".join(under.rule(name).words for name in rules)
        return Refused(words, fix="Somebody else has to do this.", policy=policy, rules=", ".join(rules))
    needed = [rule.words for rule in under.about(what) if rule.effect == "permit"]
    roles = ", ".join(rule.role for rule in under.about(what) if rule.effect == "permit" and rule.role)
    if not needed:
        return Refused(
            f"Nobody may do this here ({what}).", fix="The charter in force has no rule that allows it.", policy=policy
        )
    if all(rule.id.startswith("role.") for rule in under.about(what)):
        return Refused(
            f"Your account may not do this ({what}).",
            fix=f"It needs one of these roles: {roles}. Ask the administrator, who must record the change.",
            policy=policy,
        )
    return Refused(f"This is not allowed here and now ({what}).", fix=f"The rule: {' '.join(needed)}", policy=policy)
