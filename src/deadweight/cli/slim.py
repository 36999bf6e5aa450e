"""``deadweight slim``: an image without its dead weight."""

from __future__ import annotations

import argparse
from pathlib import Path

from deadweight.cli.command import Command, add_access, add_sandbox, whole_number
from deadweight.cli.probe import add_asked


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "image", nargs="+", metavar="IMAGE", help="of several the layers that they share stay shared"
    )
    parser.add_argument(
        "--to",
        required=True,
        action="append",
        metavar="DEST",
        help="where the slimmed image goes, as TRANSPORT:LOCATION; one for each IMAGE",
    )
    parser.add_argument(
        "--level",
        choices=("auto", "files", "packages", "lossless"),
        default="auto",
        help="how deep to cut (default: auto, the deepest whose result passes all probes)",
    )
    add_asked(parser)
    add_choice(parser)
    _add_evidence(parser)
    _add_output(parser)
    parser.add_argument(
        "--platform", metavar="OS/ARCH", help="one image of an index, or 'all' (default: this machine's)"
    )
    add_sandbox(parser)
    add_access(parser)


def add_choice(parser: argparse.ArgumentParser) -> None:
    """The options that say what stays whatever the evidence, and what goes."""
    group = parser.add_argument_group("what stays")
    group.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="GLOB",
        help="keep these paths, as in '/usr/share/zoneinfo/*'",
    )
    group.add_argument(
        "--drop", action="append", default=[], metavar="GLOB", help="drop these paths, whatever needs them"
    )
    group.add_argument(
        "--keep-package", action="append", default=[], metavar="NAME", help="keep all files of this package"
    )
    group.add_argument(
        "--drop-shell", action="store_true", help="keep no shell that nothing but people would use"
    )
    group.add_argument(
        "--keep-base",
        metavar="N-OR-IMAGE",
        help="leave the lowest N layers as they are, or those that IMAGE has too, so that they stay shared",
    )


def _add_evidence(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("evidence")
    group.add_argument(
        "--evidence", type=Path, metavar="FILE", help="reuse what --save-evidence wrote; do not run the image"
    )
    group.add_argument(
        "--save-evidence", metavar="FILE", help="write what was observed and answered, to be committed"
    )
    add_trace(group)


def add_trace(group: argparse._ArgumentGroup) -> None:
    """The option for what others have observed."""
    group.add_argument(
        "--trace",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="keep what this strace log, or list of paths, says was used",
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--json", metavar="FILE", help="write the result as JSON; - for standard output")
    group.add_argument("--markdown", metavar="FILE", help="write the result as Markdown")
    group.add_argument("--html", metavar="FILE", help="write what was kept and removed as a page of its own")
    group.add_argument(
        "--top", type=whole_number(1), default=12, metavar="N", help="rows of each list (default: 12)"
    )
    group.add_argument(
        "--compression", default="keep", metavar="KIND", help="keep (default), gzip[:1-9] or zstd[:1-19]"
    )
    group.add_argument(
        "--threads", type=whole_number(0), default=0, metavar="N", help="that compress (default: all cores)"
    )


def _run(options: argparse.Namespace) -> int:
    from deadweight.cli.slimming import run

    return run(options)


COMMAND = Command(
    "slim",
    "make an image small without breaking it, and prove it",
    "Runs the image in a sandbox, asks it what it is asked in use, and keeps what it used, what that can reach, and what\n"
    "no package owns. Then it asks the result the same, and writes it only if it answers as the original did.\n"
    "Needs bubblewrap and strace, but neither root nor a daemon.",
    "examples:\n  deadweight slim oci:app --to oci:app-slim\n"
    "  deadweight slim docker-daemon:app --to docker-daemon:app:slim --probe 'http:GET /' --probe 'exec:app --version'",
    _add_arguments,
    _run,
)
