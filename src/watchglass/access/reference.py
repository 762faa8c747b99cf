"""Writes docs/reference/access.md from the policies, so that the page cannot drift from the code.

Run ``python -m watchglass.access.reference > docs/reference/access.md`` after a change of roles or rules.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from watchglass.access.policies import Rule, of_offices, of_release, of_roles, schema_text
from watchglass.charter.sealing import BREAKERS, GlassRule, Quorum, Release
from watchglass.core.time import DAY, HOUR, MINUTE

_INTRO: Final = """\
# Who may do what

<!-- Made by `python -m watchglass.access.reference`; a test fails when this page and the code differ. -->

Two questions stand before each act. *May this person do it?* The policies on this page answer, and give a **grant**.
*May it be done at all, here and now?* The [charter](charter.md) answers, and gives a **permit**. What is dangerous
takes both.

The policies are written in [Cedar](https://www.cedarpolicy.com), a language for such rules with a checker of its own.
They are compiled from the table of roles, and from the custodians and the release rule of the charter in force.
`watchglass charter explain FILE` prints them in words below the charter; with `--cedar` it prints them as they are. The
portal's page `/charter` has the words too.

* What no rule permits is refused. What a rule forbids is refused, whatever permits it.
* Every request to the portal is decided anew, with the roles that the account has at that moment. A page that has no
  line in the portal's table of endpoints does not exist.
* Acts that people sign on their own machines are put to them too, with the key that signed; and so is every question
  that is signed there (what waits for a custodian, one's own cases, a release that was taken), before it is answered.
* Orders to stop, their lifting, the enrolment of keys and the approval of charters are not: keys that the charter pins
  decide alone, so that no fault in the policies can keep anybody from stopping anything, or from mending the policies.
* The policies are checked against a schema when a charter is checked or published, and when the portal starts. If Cedar
  meets an error in any rule, or gives no answer, the answer is no. (Cedar itself would pass over a rule that errs, one
  that forbids as well.)
* The time is the house's, in milliseconds since 1970, as `context.now`.

## What a decision leaves behind

The record of what a person did in the portal holds, in its sealed opening, `allowed_by`: the SHA-256 of the policies
and the ids of the rules that let them. A refusal names the policies too. The hash is that of the exact bytes that
`watchglass charter explain FILE --cedar` prints, so that whoever has the charter and this version can check it. It is
the same from charter to charter for as long as the custodians are and who may break the glass. A signed act carries no
`allowed_by`, for its signer made it; it names the charter from which the policies follow.
"""


def page() -> str:
    """The whole page."""
    glass = GlassRule("", BREAKERS, 10 * MINUTE, 2 * HOUR, DAY)
    release = of_release((), Release(Quorum(2, 3), break_glass=glass))
    return "\n".join(
        [
            _INTRO,
            "## In the portal\n",
            *_table(of_roles()),
            "\nRoles without a line have nothing to do in the portal.\n",
            "## Authority and oversight\n",
            "Asked with a signed question, with the key that the charter pins.\n",
            *_table(of_offices()),
            "",
            "## Sealed originals\n",
            "Only under a charter with custodians and a release rule. Each is signed by the person's own key.\n",
            *_table(release),
            "\nThe rules `glass.…` stand for the roles that the charter names under `break_glass`, if it has that.\n",
            "## The schema\n",
            "```",
            schema_text().rstrip(),
            "```",
            "",
        ]
    )


def _table(rules: Iterator[Rule] | tuple[Rule, ...]) -> Iterator[str]:
    yield "| Rule | In words |\n|---|---|"
    for rule in rules:
        yield f"| `{rule.id}` | {'**Forbidden.** ' if rule.effect == 'forbid' else ''}{rule.words} |"


if __name__ == "__main__":
    sys.stdout.write(page())
