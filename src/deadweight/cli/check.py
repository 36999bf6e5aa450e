"""``deadweight check``: budgets that must not be passed."""

from __future__ import annotations

import argparse
from pathlib import Path

from deadweight.cli.analysing import add_analysis
from deadweight.cli.command import Command, whole_number


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="deadweight.toml or pyproject.toml (default: found)"
    )
    group = parser.add_argument_group("limits (before those of the file)")
    for name in ("wire", "unpacked", "dead", "largest-file"):
        group.add_argument(f"--{name}", metavar="SIZE", help="such as 60MB")
    for name in ("layers", "secrets"):
        group.add_argument(f"--{name}", type=whole_number(0), metavar="N")
    group.add_argument("--growth", metavar="SIZE", help="against --baseline: a size, or percent as 5%%")
    group.add_argument("--baseline", metavar="IMAGE", help="an image, or a report of analyze --json")
    parser.add_argument(
        "--json", metavar="FILE", help="write the verdicts as JSON to FILE, or - for standard output"
    )
    add_analysis(parser)


def _run(options: argparse.Namespace) -> int:
    from deadweight.cli.checking import run

    return run(options)


COMMAND = Command(
    "check",
    "hold images against budgets",
    "Holds images against the budgets in deadweight.toml or [tool.deadweight] of pyproject.toml (searched from here\n"
    "upwards), or against limits given here. Exit code 1, with the biggest reasons, when one is passed.",
    "examples:\n  deadweight check app:latest\n  deadweight check app:latest --wire 60MB --dead 0 --secrets 0",
    _add_arguments,
    _run,
)
