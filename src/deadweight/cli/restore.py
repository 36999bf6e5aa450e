"""``deadweight restore``: paths and packages put back into a slimmed image."""

from __future__ import annotations

import argparse
import sys

from deadweight.cli.command import Command, access_of, add_access, add_platform, whole_number
from deadweight.errors import UsageError


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("original", metavar="ORIGINAL")
    parser.add_argument("slimmed", metavar="SLIMMED")
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help="what to put back, as in '/usr/share/zoneinfo/*'"
    )
    parser.add_argument(
        "--to", required=True, metavar="DEST", help="where the result goes, as TRANSPORT:LOCATION"
    )
    parser.add_argument(
        "--package", action="append", default=[], metavar="NAME", help="put back all files of this package"
    )
    group = parser.add_argument_group("output")
    group.add_argument("--json", metavar="FILE", help="write what came back as JSON; - for standard output")
    group.add_argument(
        "--top", type=whole_number(1), default=12, metavar="N", help="rows of the list (default: 12)"
    )
    add_platform(parser)
    add_access(parser)


def _run(options: argparse.Namespace) -> int:
    from deadweight.cli.analysing import to_standard_output, write_reports
    from deadweight.cli.progress import open_progress
    from deadweight.layer.cache import IndexCache, default_folder
    from deadweight.report.console import open_console
    from deadweight.report.restored import print_restored, render_restored_json
    from deadweight.slimming.restore import restore

    silent = to_standard_output(options.json)
    if not options.paths and not options.package:
        raise UsageError("restore", "is told nothing to put back", "name paths, or --package NAME")
    progress = open_progress()
    try:
        result = restore(
            options.original,
            options.slimmed,
            options.to,
            options.paths,
            options.package,
            platform=options.platform,
            access=access_of(options),
            cache=IndexCache(default_folder()),
            progress=progress,
        )
    finally:
        progress.close()
    write_reports(((options.json, lambda: render_restored_json(result)),))
    if not silent:
        print_restored(result, open_console(sys.stdout), options.top)
    return 0


COMMAND = Command(
    "restore",
    "put paths or packages back into a slimmed image",
    "Writes what SLIMMED shows and, from ORIGINAL, what PATHs and packages name, with the interpreters and libraries that it\n"
    "cannot start without. Package databases are written anew, the config is that of SLIMMED. A PATH that is a directory\n"
    "comes with all below it.",
    "examples:\n  deadweight restore oci:app oci:app-slim /usr/bin/less --to oci:app-less\n"
    "  deadweight restore oci:app oci:app-slim --package tzdata --to oci:app-zones",
    _add_arguments,
    _run,
)
