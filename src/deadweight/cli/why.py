"""``deadweight why``: why a path stays in a slimmed image, or what removes it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deadweight.cli.command import Command, access_of, add_access, add_platform, whole_number
from deadweight.cli.probe import add_asked
from deadweight.cli.slim import add_choice, add_trace


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", help="the original")
    parser.add_argument("paths", metavar="PATH", nargs="+", help="in the image, visible or not")
    parser.add_argument(
        "--level",
        choices=("auto", "files", "packages", "lossless"),
        default="auto",
        help="what the answer is for (default: auto, the deepest that may be tried)",
    )
    add_asked(parser)
    add_choice(parser)
    _add_evidence(parser)
    group = parser.add_argument_group("output")
    group.add_argument("--json", metavar="FILE", help="write the answer as JSON; - for standard output")
    group.add_argument(
        "--top",
        type=whole_number(1),
        default=12,
        metavar="N",
        help="rows of what goes from a directory (default: 12)",
    )
    add_platform(parser)
    add_access(parser)


def _add_evidence(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("evidence")
    source = group.add_mutually_exclusive_group()
    source.add_argument(
        "--evidence",
        type=Path,
        metavar="FILE",
        help="use what slim --save-evidence wrote; do not run the image",
    )
    source.add_argument(
        "--no-run", action="store_true", help="do not run the image: level packages at most, as in slim"
    )
    add_trace(group)


def _run(options: argparse.Namespace) -> int:
    from deadweight.cli.analysing import to_standard_output, write_reports
    from deadweight.cli.asking import asked_of
    from deadweight.cli.progress import open_progress
    from deadweight.layer.cache import IndexCache, default_folder
    from deadweight.report.console import open_console
    from deadweight.report.why import print_why, render_why_json
    from deadweight.slimming.request import Request
    from deadweight.slimming.why import why

    silent = to_standard_output(options.json)
    asked = asked_of(options)
    request = Request(
        level=options.level,
        workloads=asked.workloads,
        keep=tuple(options.keep),
        drop=tuple(options.drop),
        keep_packages=tuple(options.keep_package),
        drop_shell=options.drop_shell,
        traces=tuple(options.trace),
        keep_base=options.keep_base or "",
    )
    progress = open_progress()
    try:
        answer = why(
            options.image,
            options.paths,
            request,
            evidence=options.evidence,
            run=not options.no_run,
            folder=asked.folder,
            platform=options.platform,
            access=access_of(options),
            cache=IndexCache(default_folder()),
            progress=progress,
        )
    finally:
        progress.close()
    write_reports(((options.json, lambda: render_why_json(answer)),))
    if not silent:
        print_why(answer, open_console(sys.stdout), options.top)
    return 0


COMMAND = Command(
    "why",
    "why a path stays in a slimmed image, or what removes it",
    "Looks at the original as slim does, and prints for each PATH the chain of evidence from it back to a root, or the level\n"
    "and the reason for which it goes. Nothing is written.",
    "examples:\n  deadweight why oci:app /usr/lib/x86_64-linux-gnu/libssl.so.3 /usr/share/doc\n"
    "  deadweight why oci:app /usr/bin/perl --evidence evidence.json",
    _add_arguments,
    _run,
)
