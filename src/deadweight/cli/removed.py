"""``deadweight removed``: what an original has and a slimmed image has not."""

from __future__ import annotations

import argparse
import sys

from deadweight.cli.command import Command, access_of, add_access, add_platform, whole_number


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("original", metavar="ORIGINAL")
    parser.add_argument("slimmed", metavar="SLIMMED")
    group = parser.add_argument_group("output")
    group.add_argument("--json", metavar="FILE", help="write all of it as JSON; - for standard output")
    group.add_argument(
        "--top", type=whole_number(1), default=12, metavar="N", help="rows of each list (default: 12)"
    )
    add_platform(parser)
    add_access(parser)


def _run(options: argparse.Namespace) -> int:
    from deadweight.cli.analysing import to_standard_output, write_reports
    from deadweight.cli.progress import open_progress
    from deadweight.layer.cache import IndexCache, default_folder
    from deadweight.report.console import open_console
    from deadweight.report.removed import print_removed, render_removed_json
    from deadweight.slimming.removed import removed

    silent = to_standard_output(options.json)
    progress = open_progress()
    try:
        result = removed(
            options.original,
            options.slimmed,
            platform=options.platform,
            access=access_of(options),
            cache=IndexCache(default_folder()),
            progress=progress,
        )
    finally:
        progress.close()
    write_reports(((options.json, lambda: render_removed_json(result)),))
    if not silent:
        print_removed(result, open_console(sys.stdout), options.top)
    return 0


COMMAND = Command(
    "removed",
    "what is in an original, and not in the slimmed image",
    "Compares the two file systems, and lists all that SLIMMED has not, the largest first, with sums by package, directory and\n"
    "reason. Before that it makes sure that SLIMMED was made of ORIGINAL.",
    "example: deadweight removed oci:app oci:app-slim --top 20",
    _add_arguments,
    _run,
)
