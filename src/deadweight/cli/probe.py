"""``deadweight probe`` and ``deadweight compare``: what containers answer, and whether a result answers as its original."""

from __future__ import annotations

import argparse
from pathlib import Path

from deadweight.cli.command import Command, add_access, add_platform, add_sandbox
from deadweight.cli.sandbox import seconds


def add_asked(parser: argparse.ArgumentParser) -> None:
    """The options that say what is asked; `asking.asked_of` reads them."""
    group = parser.add_argument_group("what is asked")
    group.add_argument(
        "--probe",
        action="append",
        default=[],
        metavar="PROBE",
        help="'http:GET /path', 'exec:CMD', tcp:PORT or script:FILE, instead of those of the file; several times",
    )
    group.add_argument(
        "--config", type=Path, metavar="FILE", help="deadweight.toml or pyproject.toml (default: found)"
    )
    group.add_argument("--workload", metavar="NAME", help="only this one of the file (default: all)")
    group.add_argument("--timeout", type=seconds, metavar="SECONDS", help="for each start of a container")


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_asked(parser)
    group = parser.add_argument_group("results")
    group.add_argument("--json", metavar="FILE", help="write them as JSON to FILE, or - for standard output")
    group.add_argument(
        "--save", metavar="FILE", help="write all that the image (of two the first) answered to FILE as JSON"
    )
    add_platform(parser)
    add_sandbox(parser)
    add_access(parser)


def _add_image(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE")
    _add_options(parser)


def _add_images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("original", metavar="ORIGINAL")
    parser.add_argument("result", metavar="RESULT")
    _add_options(parser)


def _probe(options: argparse.Namespace) -> int:
    from deadweight.cli.probing import probe

    return probe(options)


def _compare(options: argparse.Namespace) -> int:
    from deadweight.cli.probing import compare

    return compare(options)


PROBE = Command(
    "probe",
    "ask a container of an image, and show what it answers",
    "Starts the image in a sandbox, waits until it is ready, and asks it: what [slim] of deadweight.toml says (searched\n"
    "from here upwards) or --probe, and unasked its health check and its exposed ports. Exit code 1 where a probe that was\n"
    "asked for got no answer.",
    "examples:\n  deadweight probe oci:app\n  deadweight probe oci:app --probe 'http:GET /' --probe 'exec:nginx -t'",
    _add_image,
    _probe,
)
COMPARE = Command(
    "compare",
    "hold a result's answers against those of its original",
    "Asks the original twice and the result once, and shows where it answers otherwise; what changes by itself, as dates\n"
    "and ids do, is learnt from the two. Exit code 1 where any probe is answered otherwise.",
    "examples:\n  deadweight compare oci:app oci:app-slim --probe 'http:GET /'",
    _add_images,
    _compare,
)
