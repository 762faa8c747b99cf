"""What every command shares: ``--json``, exit codes, errors that tell the person what to do."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from watchglass.core.errors import BadInput, Problem, Refused, WatchglassError

Result = dict[str, Any]
Run = Callable[[argparse.Namespace], Result]
Render = Callable[[Result], None]

_INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """An argument parser whose usage errors are core errors, so that they honour ``--json`` and exit 2."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(message[:1].upper() + message[1:] + ".", fix=f"Run: {self.prog} --help")


def say(text: str) -> None:
    """Write a line for people to stderr; stdout belongs to the result."""
    print(text, file=sys.stderr, flush=True)


def finish(args: argparse.Namespace) -> int:
    """Run the chosen command, print its result, return its exit code."""
    as_json: bool = args.json
    try:
        result: Result = args.run(args)
    except WatchglassError as error:
        _print_error(error, as_json=as_json)
        return error.exit_code
    except KeyboardInterrupt:
        say("Stopped.")
        return _INTERRUPTED
    except BrokenPipeError:
        return 0
    except OSError as error:  # a full disk, a folder that cannot be written: the machine's no, not a fault of ours
        _print_error(_of_the_machine(error), as_json=as_json)
        return Problem.exit_code
    if as_json:
        print(json.dumps(result, ensure_ascii=False, default=str), flush=True)
    else:
        render: Render = getattr(args, "render", None) or _plain
        render(result)
    return 1 if result.get("ok") is False else 0


def usage_error(error: BadInput, *, as_json: bool) -> int:
    _print_error(error, as_json=as_json)
    return error.exit_code


def _print_error(error: WatchglassError, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(error.as_json(), ensure_ascii=False, default=str), flush=True)
        return
    say(f"watchglass: {error.message}")
    if isinstance(error, Refused):
        for reason in error.reasons:
            if reason != error.message:
                say(f"  - {reason}")
    lines = getattr(error, "lines", None)
    if callable(lines):
        for line in lines():
            say(f"  {line}")
    say(f"What to do: {error.fix}")


def _of_the_machine(error: OSError) -> Problem:
    where = f" ({error.filename})" if error.filename else ""
    return Problem(
        f"The machine refused{where}: {error.strerror or error}.",
        fix="Check the path, who may write there, and that the disk has room; then try again.",
    )


def _plain(result: Mapping[str, Any]) -> None:
    width = max((len(key) for key in result), default=0)
    for key, value in result.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        print(f"{key:<{width}}  {text}")
