"""``deadweight copy``: an image from one place to another."""

from __future__ import annotations

import argparse
import sys

from deadweight.cli.command import Command, access_of, add_access, parse_platform, whole_number
from deadweight.cli.progress import open_progress


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SRC", help="the image to read")
    parser.add_argument("destination", metavar="DST", help="where to write it, as TRANSPORT:LOCATION")
    parser.add_argument(
        "--compression",
        default="keep",
        metavar="KIND",
        help="keep (default), gzip[:1-9], zstd[:1-19] or uncompressed; the bytes do not depend on --threads",
    )
    parser.add_argument(
        "--platform", metavar="OS/ARCH", help="one image of an index, or 'all' (default: this machine's)"
    )
    parser.add_argument(
        "--threads",
        type=whole_number(0),
        default=0,
        metavar="N",
        help="threads that compress (default: all cores)",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")
    add_access(parser)


def _run(options: argparse.Namespace) -> int:
    from deadweight.copying import ALL, copy_image
    from deadweight.layer.compress import Compression
    from deadweight.report.copying import render_copy

    platform = options.platform
    progress = open_progress()
    try:
        result = copy_image(
            options.source,
            options.destination,
            compression=Compression.parse(options.compression),
            platform=ALL if platform == ALL else parse_platform(platform) if platform else None,
            access=access_of(options),
            threads=options.threads or None,
            progress=progress,
        )
    finally:
        progress.close()
    if not options.quiet:
        sys.stdout.write(render_copy(result))
    return 0


COMMAND = Command(
    "copy",
    "copy an image between any two places",
    "Copies an image, or with --platform all an index of several, between any two transports. Every digest is\n"
    "verified, and DST is written whole or not at all.",
    "example: deadweight copy docker-archive:app.tar oci:app --compression zstd:12",
    _add_arguments,
    _run,
)
