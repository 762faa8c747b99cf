"""``watchglass charter``: check, explain and compare charters."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchglass.access.policies import policies_of, schema_text
from watchglass.bootstrap import connect, load_trust, orders, sign_statement
from watchglass.charter.diff import compare
from watchglass.charter.lint import lint
from watchglass.charter.parse import Parsed, read
from watchglass.charter.promised import promised
from watchglass.charter.tree import MAX_BYTES
from watchglass.charter.words import explain
from watchglass.cli.key import signing_key
from watchglass.core.errors import BadInput
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.records.statement import SignedStatement

if TYPE_CHECKING:
    from argparse import _SubParsersAction

Result = dict[str, Any]

_WIDTH = 92


def add(subparsers: _SubParsersAction[Any]) -> None:
    """Put the group's commands under ``charter``."""
    group = subparsers.add_parser("charter", help="check, explain, compare, sign and publish charters")
    commands = group.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_check(commands)
    _add_explain(commands)
    _add_diff(commands)
    _add_sign(commands)
    _add_publish(commands)


def _add_check(commands: _SubParsersAction[Any]) -> None:
    command = commands.add_parser("check", help="say what is wrong with a charter, and what is unwise")
    command.add_argument("file", metavar="FILE", help="the charter")
    command.add_argument(
        "--deployment",
        choices=("production", "trial", "demo"),
        default="production",
        help="what it is for; a trial is judged more mildly, the demo a little (default: production)",
    )
    command.set_defaults(run=check, render=render_check)


def _add_explain(commands: _SubParsersAction[Any]) -> None:
    command = commands.add_parser("explain", help="say in plain words what a charter allows, and who may do what")
    command.add_argument("file", metavar="FILE", help="the charter")
    command.add_argument(
        "--cedar",
        dest="render",
        action="store_const",
        const=render_cedar,
        help="print who may do what as Cedar; the SHA-256 of these bytes is what decisions name",
    )
    command.set_defaults(run=explained, render=render_explained)


def _add_diff(commands: _SubParsersAction[Any]) -> None:
    command = commands.add_parser("diff", help="say in plain words what changes from one charter to another")
    command.add_argument("old", metavar="OLD", help="the charter before")
    command.add_argument("new", metavar="NEW", help="the charter after")
    command.set_defaults(run=differences, render=render_differences)


def _add_sign(commands: _SubParsersAction[Any]) -> None:
    command = commands.add_parser("sign", help="approve a charter, on your own machine, with your own key")
    command.add_argument("file", metavar="FILE", help="the charter; its exact bytes are signed")
    command.add_argument("--as", dest="role", choices=("authority", "oversight"), required=True, help="who you are")
    command.add_argument("--key", type=Path, required=True, help="your signing key")
    command.add_argument("--origin", required=True, help="the ledger's origin, as the deployment's `init` printed it")
    command.add_argument("--trust", type=Path, help="your trust file: the last checkpoint you saw is signed along")
    command.add_argument("-o", "--output", type=Path, help="where to write the approval (default: beside the charter)")
    command.add_argument("--virtual-time", type=int, help=argparse.SUPPRESS)
    command.set_defaults(run=sign, render=render_signed)


def _add_publish(commands: _SubParsersAction[Any]) -> None:
    command = commands.add_parser("publish", help="put a charter that both have signed into the ledger")
    command.add_argument("where", metavar="DIR_OR_URL", help="the deployment's directory, or its portal while it runs")
    command.add_argument("file", metavar="FILE", help="the charter")
    command.add_argument(
        "--approval", type=Path, action="append", required=True, help="an approval that `charter sign` wrote; twice"
    )
    command.set_defaults(run=publish, render=render_published)


def sign(args: argparse.Namespace) -> Result:
    """Approve the exact bytes of a charter."""
    parsed = _read(args.file)
    charter = parsed.charter
    order = orders.approval(charter, args.role, _seen(args.trust, args.origin) if args.trust else None)
    statement = sign_statement(
        order.act,
        role=args.role,
        key=signing_key(args.key),
        origin=args.origin,
        charter=None,
        clear=order.clear,
        committed=order.committed,
        virtual_time=args.virtual_time,
    )
    output = args.output or Path(f"{args.file}.{args.role}.approval")
    try:
        output.write_bytes(statement.encode())
    except OSError as error:
        raise BadInput(f"{output} cannot be written: {error.strerror}.", fix="Choose another place with -o.") from error
    return {**_head(parsed), "as": args.role, "key": statement.signature.vkey, "approval": str(output)}


def _seen(trust: Path, origin: str) -> Checkpoint | None:
    signed = load_trust(trust).seen.get(origin)
    return None if signed is None else checkpoints.parse(signed).checkpoint


def publish(args: argparse.Namespace) -> Result:
    """Hand a charter and its approvals to the deployment."""
    parsed = _read(args.file)
    approvals = [SignedStatement.parse(_approval(path)) for path in args.approval]
    with connect(args.where) as house:
        answer = house.publish(parsed.charter.data, approvals)
    return {**_head(parsed), "receipt": answer["receipt"]}


def _approval(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", fix="Give what `charter sign` wrote.") from error


def check(args: argparse.Namespace) -> Result:
    """Parse and lint a charter."""
    parsed = _read(args.file)
    policies_of(parsed.charter)
    findings = lint(parsed, args.deployment)
    return {
        "ok": not any(finding.severity == "error" for finding in findings),
        **_head(parsed),
        "deployment": args.deployment,
        "consulted_on": False,
        "quality": promised(parsed.charter),
        "findings": [finding.as_json() for finding in findings],
    }


def explained(args: argparse.Namespace) -> Result:
    """A charter in plain words; who may do what, as every decision goes by it."""
    parsed = _read(args.file)
    sections = explain(parsed.charter)
    policies = policies_of(parsed.charter)
    return {
        **_head(parsed),
        "sections": [{"id": part.id, "title": part.title, "sentences": list(part.sentences)} for part in sections],
        "access": {
            "title": "Who may do what",
            "policy_sha256": policies.sha256.hex(),
            "rules": [{"id": rule.id, "effect": rule.effect, "words": rule.words} for rule in policies.rules],
            "cedar": policies.text,
            "schema": schema_text(),
        },
    }


def differences(args: argparse.Namespace) -> Result:
    """What changes between two charters."""
    old, new = _read(args.old), _read(args.new)
    changes = compare(old.charter, new.charter)
    weights = [change.weight for change in changes]
    return {
        "old": _head(old),
        "new": _head(new),
        "widening": weights.count("widening"),
        "narrowing": weights.count("narrowing"),
        "maintenance": weights.count("maintenance"),
        "changes": [change.as_json() for change in changes],
    }


def _read(name: str) -> Parsed:
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(
            f"{name} cannot be read: {reason}.", fix="Check the name and whether you may read it."
        ) from error
    return read(data)


def _head(parsed: Parsed) -> Result:
    charter = parsed.charter
    return {"charter": charter.charter, "version": charter.version, "sha256": charter.sha256.hex()}


# ---- for people ------------------------------------------------------------------------------------------------


def render_signed(result: Result) -> None:
    """Say what was approved."""
    print(f"Approved as {result['as']}: {result['charter']}, version {result['version']}.")
    print(f"Written to {result['approval']}. Give it to whoever publishes the charter.")


def render_published(result: Result) -> None:
    """Say what happens next."""
    print(f"Published: {result['charter']}, version {result['version']}.")
    print("It comes into force on its first day, once a witness has cosigned the ledger that holds it.")


def render_check(result: Result) -> None:
    """Print findings, the gravest first."""
    print(f"Charter {result['charter']}, version {result['version']}. SHA-256 {result['sha256']}")
    for finding in result["findings"]:
        article = f" [{finding['article']}]" if finding["article"] else ""
        print()
        _wrapped(f"{finding['severity']}: {finding['message']}{article}", "")
        _wrapped(f"line {finding['line']}, rule {finding['rule']}. {finding['fix']}", "    ")
    errors = sum(finding["severity"] == "error" for finding in result["findings"])
    print()
    if errors:
        print(f"It cannot be published yet: {errors} error{'' if errors == 1 else 's'} to correct.")
    else:
        print("It can be signed and published. It was not consulted on.")


def render_explained(result: Result) -> None:
    """Print a charter in plain words."""
    access = result["access"]
    print(f"{result['charter']}, version {result['version']}")
    for section in result["sections"]:
        print(f"\n{section['title']}")
        for line in section["sentences"]:
            _wrapped(line, "  ")
    print(f"\n{access['title']}")
    for rule in access["rules"]:
        _wrapped(f"{rule['words']} (rule {rule['id']})", "  ")
    _wrapped("Nothing else is allowed to anybody. Whatever a rule forbids stays forbidden.", "  ")
    print(f"  SHA-256 of these rules as Cedar: {access['policy_sha256']}")


def render_cedar(result: Result) -> None:
    """Print who may do what as Cedar: exactly the bytes that decisions name by their hash."""
    print(result["access"]["cedar"], end="")


def render_differences(result: Result) -> None:
    """Print changes, widening first."""
    titles = {
        "widening": "It may do more, or protects less",
        "narrowing": "It may do less, or protects more",
        "maintenance": "Neither more nor less",
    }
    if not result["changes"]:
        print("Nothing changes.")
    for weight, title in titles.items():
        sentences = [change["sentence"] for change in result["changes"] if change["weight"] == weight]
        if sentences:
            print(f"{title} ({weight}):")
            for line in sentences:
                _wrapped(line, "  ")
            print()


def _wrapped(text: str, indent: str) -> None:
    print(textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent + "  "))
