"""From an image's name to its analysis, as several commands need it."""

from __future__ import annotations

import argparse
import errno
import gc
import os
import stat
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from deadweight.cli.command import access_of, add_access, add_platform
from deadweight.cli.progress import open_progress
from deadweight.errors import UsageError

if TYPE_CHECKING:
    from deadweight.accounting.model import Analysis
    from deadweight.indexing import Cache


def add_analysis(parser: argparse.ArgumentParser) -> None:
    """Options of every command that analyses images."""
    add_platform(parser)
    parser.add_argument(
        "--estimate-wire",
        action="store_true",
        help="where layers are stored uncompressed, compress them to learn their wire size",
    )
    parser.add_argument("--no-cache", action="store_true", help="do not use or keep indexes of layers")
    add_access(parser)


def analysed(reference: str, options: argparse.Namespace, *, exact: bool = False) -> Analysis:
    """The analysis of the image `reference` as the options of `add_analysis` ask for it."""
    from deadweight.accounting.analyze import analyze
    from deadweight.image import open_image

    progress = open_progress()
    try:
        with open_image(reference, options.platform, access_of(options)) as image:
            analysis = analyze(
                image,
                exact=exact,
                estimate_wire=options.estimate_wire,
                cache=_cache(options),
                progress=progress,
            )
    finally:
        progress.close()
    options.kept.append(analysis)
    return analysis


def release(options: argparse.Namespace) -> None:
    """Frees the analyses that were kept; they are circles of objects, which only a collection finds."""
    options.kept.clear()
    gc.collect()


def to_standard_output(*paths: str | None) -> bool:
    """Whether one of the reports to be written goes to standard output, which then is its own.

    Raises `UsageError`, also for a file that plainly cannot be written: before the work that it is to tell of.
    """
    if "" in paths:
        raise UsageError("''", "is the name of no file", "write - for standard output")
    if paths.count("-") > 1:
        raise UsageError("-", "standard output takes one report", "name a file for each other one")
    for path in paths:
        if path is not None and path != "-":
            _require_writable(path)
    return "-" in paths


def _require_writable(path: str) -> None:
    """Raises `UsageError` where `write_text` could not write to `path` as things are."""
    target = Path(os.path.realpath(path))
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        needed = target if target.exists() and not target.is_file() else target.parent
        if not stat.S_ISDIR(target.parent.stat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(needed, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _unwritable(path, error) from None


def write_reports(reports: Iterable[tuple[str | None, Callable[[], str]]]) -> None:
    """Writes each report that has a path; files first, since the reader of standard output may leave before its end."""
    for path, render in sorted(reports, key=lambda report: report[0] == "-"):
        if path:
            write_text(path, render())


def write_text(path: str, text: str) -> None:
    """Writes a report in UTF-8: to standard output for ``-``, else to the file `path`, whole or not at all."""
    data = text.encode()
    if path == "-":
        sys.stdout.buffer.write(data)
        return
    try:
        if Path(path).exists() and not Path(path).is_file():
            Path(path).write_bytes(data)  # a device or a pipe is written to, not replaced
        else:
            _replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: str, error: OSError) -> UsageError:
    return UsageError(path, f"cannot be written: {error.strerror}")


def _replace(target: Path, data: bytes) -> None:
    aside = target.with_name(f".deadweight-{os.urandom(6).hex()}")
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as stream:  # noqa: PTH123
            stream.write(data)
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _cache(options: argparse.Namespace) -> Cache:
    if options.no_cache:
        from deadweight.indexing import NO_CACHE

        return NO_CACHE
    from deadweight.layer.cache import IndexCache, default_folder

    return IndexCache(default_folder())
