"""``watchglass evidence``: export what was released with a signed manifest, and verify such an export offline."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from watchglass.bootstrap import exporting
from watchglass.cli.key import openings_key
from watchglass.cli.offices import common, confirm, confirmable, office
from watchglass.cli.output import Result

EXPORTED: Final = {
    "What will happen": "The original video is opened on this machine and written as one MP4, with a manifest that you "
    "sign beside it.",
    "Who will see it": "Whoever gets the two files sees the video and who was asked and approved; of the request they "
    "see source and times, and case and reason only where you ask for that.",
    "What cannot be undone": "A copy that has left this machine cannot be called back. Retention does not reach it.",
}

_OVERSIGHT: Final = {
    True: "The first oversight is the one that your trust file remembers.",
    None: "Your trust file remembers no oversight: compare the first one's key with what oversight itself says.",
}


def add(groups: Any) -> None:
    group = groups.add_parser("evidence", help="export what was released with a signed manifest; verify an export")
    commands = group.add_subparsers(dest="command", metavar="COMMAND", required=True)

    export = commands.add_parser("export", help="write a release as one MP4 with a signed manifest beside it")
    common(export)
    export.add_argument("request", help="the request's id, or how it begins")
    export.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the MP4 to write")
    export.add_argument("--glass-key", type=Path, metavar="FILE", help="the emergency key, for an emergency")
    export.add_argument("--with-case", action="store_true", help="show case, number and authority in the manifest")
    export.add_argument("--with-reason", action="store_true", help="show the reason in the manifest")
    confirmable(export)
    export.set_defaults(run=_export, render=_render_export)

    verify = commands.add_parser("verify", help="verify an export offline: file, manifest and chain of custody")
    verify.add_argument("video", type=Path, metavar="FILE", help="the exported MP4")
    verify.add_argument("--manifest", type=Path, metavar="FILE", help="its manifest; without it FILE.manifest")
    verify.add_argument("--trust", type=Path, required=True, metavar="FILE", help="trust file: log and witnesses")
    verify.set_defaults(run=_verify, render=_render_verify)


def _export(args: argparse.Namespace) -> Result:
    glass = None if args.glass_key is None else openings_key(args.glass_key)
    confirm(args, EXPORTED, "Export it?")
    with office(args) as here:
        return exporting.export(
            here, args.request, args.output, glass=glass, with_case=args.with_case, with_reason=args.with_reason
        )


def _verify(args: argparse.Namespace) -> Result:
    return exporting.check(args.video, args.manifest or exporting.manifest_of(args.video), args.trust)


def _render_export(result: Result) -> None:
    print(f"Wrote {result['video']} ({result['bytes']:,} bytes) and {result['manifest']}.")
    print(f"The manifest holds {result['records']} records of the ledger. Give both files away together; anybody with")
    print(f"your trust file checks them: watchglass evidence verify {result['video']} --trust FILE")


def _render_verify(result: Result) -> None:
    asked = result["request"]
    print(f"{result['video']} is what {result['exported_by']} exported at {result['exported']}.")
    scope = f"{asked['source']}, {asked['from_ms']} to {asked['to_ms']}" if "source" in asked else "not shown"
    print(f"Asked for: {scope}.")
    if result["emergency"]:
        print("Nobody approved it: the charter's emergency rule was used.")
    else:
        print(f"Approved by {', '.join(result['approved_by'])}, as the charter's rule asks.")
    for each in result["segments"]:
        print(f"Sealed segment {each['segment']}: {each['from']} to {each['to']}, recorded as sealed.")
    print(f"{result['records']} records are in {result['origin']}, under its checkpoint of {result['size']:,} entries.")
    for witness in result["witnesses"]:
        print(f"Cosigned by {witness['name']} at {witness['time']}.")
    charter = result["charter"]
    print(f"Under the charter {charter['name']}, version {charter['version']}, of the oversight {result['oversight']}.")
    print(f"The first charter of its chain was of the oversight {result['first_oversight']}.")
    print(_OVERSIGHT[result["oversight_known"]])
    print(f"How the file was made: {result['made']}")
    if result["notice"]:
        print(f"Deployment: {result['deployment']}. {result['notice']}")
    print("Verified.")
