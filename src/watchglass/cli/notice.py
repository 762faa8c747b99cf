"""``watchglass notice``: notices to destinations outside, on the machine itself while it does not run.

While it runs, the page `/notices` does the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from watchglass.acts.notices import Notice, asked_of, the_notice, undelivered
from watchglass.acts.retry_notice import retry_notice
from watchglass.acts.try_destination import try_destination
from watchglass.bootstrap import House
from watchglass.charter.decide import decide
from watchglass.charter.permit import TryDestination
from watchglass.cli.output import Result
from watchglass.core.time import iso


def add(groups: Any) -> None:
    group = groups.add_parser("notice", help="what destinations outside were not told, and why")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)
    show = commands.add_parser("list", help="notices that did not arrive, the newest first")
    show.add_argument("directory", type=Path, metavar="DIR", help="the deployment")
    show.set_defaults(run=_list, render=_render_list)
    again = commands.add_parser("retry", help="send one again, with the same id")
    again.add_argument("directory", type=Path, metavar="DIR", help="the deployment")
    again.add_argument("notice", help="its id, as `notice list` shows it")
    again.set_defaults(run=_retry, render=_render_one)
    test = commands.add_parser("test", help="send a destination of the charter a message that is marked as a test")
    test.add_argument("directory", type=Path, metavar="DIR", help="the deployment")
    test.add_argument("destination", help="its name in the charter")
    test.set_defaults(run=_test, render=_render_one)


def _list(args: argparse.Namespace) -> Result:
    with House(args.directory) as house:
        return {"notices": [_shown(notice) for notice in undelivered(house.store.read())]}


def _retry(args: argparse.Namespace) -> Result:
    with House(args.directory) as house:
        found = the_notice(house.store.read(), args.notice)
        retry_notice(house.acting, None, decide(house.standing(), asked_of(found), house.clock.now()), found.id)
        return _posted(house, found)


def _test(args: argparse.Namespace) -> Result:
    with House(args.directory) as house:
        draft = house.test_of(args.destination)
        permit = decide(house.standing(), TryDestination(args.destination), house.clock.now())
        return _posted(house, try_destination(house.acting, None, permit, draft).value)


def _posted(house: House, notice: Notice) -> Result:
    house.notifier.post(notice.destination)
    shown = _shown(the_notice(house.store.read(), notice.id))
    return {"ok": shown["outcome"] == "delivered", **shown}


def _shown(notice: Notice) -> dict[str, Any]:
    return {
        "notice": notice.id,
        "destination": notice.destination,
        "analytic": notice.analytic,
        "status": notice.status.value,
        "made": iso(notice.made_ms),
        "outcome": notice.outcome.value if notice.outcome else None,
        "tries": notice.tries,
        "cause": notice.cause,
    }


def _render_list(result: Result) -> None:
    for each in result["notices"]:
        _line(each)
    if not result["notices"]:
        print("Every notice arrived, or there was none.")


def _render_one(result: Result) -> None:
    _line(result)
    if result["outcome"] is None:
        print("It is tried again while the deployment runs, for half an hour.")


def _line(each: Result) -> None:
    said = each["outcome"] or "waiting"
    cause = f" {each['cause']}" if each["cause"] else ""
    print(
        f"{each['notice']}  {each['made']}  {each['destination']}  {each['analytic']} {each['status']}: {said}.{cause}"
    )
