"""``deadweight copy``: an image from one place to another."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from deadweight.cli.command import Command, access_of, add_access, parse_platform, whole_number
from deadweight.cli.progress import open_progress

if TYPE_CHECKING:
    from deadweight.indexing import Progress


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
    from deadweight.transport.names import parse_destination

    transport, location = parse_destination(options.destination)
    progress = open_progress()
    try:
        told = _export(options, location, progress) if transport == "rootfs" else _copy(options, progress)
    finally:
        progress.close()
    if not options.quiet:
        sys.stdout.write(told)
    return 0


def _copy(options: argparse.Namespace, progress: Progress) -> str:
    from deadweight.copying import ALL, copy_image
    from deadweight.layer.compress import Compression
    from deadweight.report.copying import render_copy

    platform = options.platform
    result = copy_image(
        options.source,
        options.destination,
        compression=Compression.parse(options.compression),
        platform=ALL if platform == ALL else parse_platform(platform) if platform else None,
        access=access_of(options),
        threads=options.threads or None,
        progress=progress,
    )
    return render_copy(result)


def _export(options: argparse.Namespace, location: str, progress: Progress) -> str:
    from pathlib import Path

    from deadweight.copying import ALL, export_image
    from deadweight.errors import UsageError
    from deadweight.layer.compress import Compression
    from deadweight.report.copying import render_export

    platform = options.platform
    if platform == ALL:
        raise UsageError(options.destination, "holds one root file system", "name one platform")
    result = export_image(
        options.source,
        Path(location),
        compression=Compression.parse(options.compression) or Compression("uncompressed"),
        platform=parse_platform(platform) if platform else None,
        access=access_of(options),
        threads=options.threads or None,
        progress=progress,
    )
    return render_export(result)


COMMAND = Command(
    "copy",
    "copy an image between any two places",
    "Copies an image, or with --platform all an index of several, between any two transports. Every digest is\n"
    "verified, and DST is written whole or not at all. As rootfs:FILE the layers are merged into one tar archive.",
    "example: deadweight copy docker-archive:app.tar oci:app --compression zstd:12",
    _add_arguments,
    _run,
)
