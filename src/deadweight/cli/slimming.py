"""What ``deadweight slim`` does once its arguments are read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress

from deadweight.cli.analysing import to_standard_output, write_reports
from deadweight.cli.asking import Asked, asked_of
from deadweight.cli.command import access_of, parse_platform, sandbox_of
from deadweight.cli.progress import open_progress
from deadweight.copying import ALL
from deadweight.errors import UsageError
from deadweight.indexing import Progress
from deadweight.layer.cache import IndexCache, default_folder
from deadweight.layer.compress import Compression, available_threads
from deadweight.report.console import open_console
from deadweight.report.slim_html import render_slim_html
from deadweight.report.slim_json import render_slim_json
from deadweight.report.slimming import print_slim, render_slim_markdown
from deadweight.slimming.evidence_file import evidence_text
from deadweight.slimming.family import slim_family
from deadweight.slimming.platforms import slim_platforms
from deadweight.slimming.request import Request
from deadweight.slimming.result import SlimResult
from deadweight.slimming.slim import slim


def run(options: argparse.Namespace) -> int:
    """Slims; 1 where no level passes."""
    silent = to_standard_output(options.json, options.markdown, options.html, options.save_evidence)
    asked = asked_of(options)
    progress = open_progress()
    try:
        results = _slimmed(options, asked, progress)
    finally:
        progress.close()
    with suppress(BrokenPipeError):  # whoever reads no further still gets the exit code
        _report(options, results, silent=silent)
    return 0 if all(result.digest is not None for result in results) else 1


def _report(options: argparse.Namespace, results: Sequence[SlimResult], *, silent: bool) -> None:
    write_reports(
        (
            (options.json, lambda: render_slim_json(results)),
            (options.markdown, lambda: "\n".join(render_slim_markdown(one, options.top) for one in results)),
            (options.html, lambda: render_slim_html(results[0])),
            (options.save_evidence, lambda: evidence_text(results[0].recorded)),
        )
    )
    if not silent:
        console = open_console(sys.stdout)
        for result in results:
            print_slim(result, console, options.top)


def _slimmed(options: argparse.Namespace, asked: Asked, progress: Progress) -> Sequence[SlimResult]:
    """One image, the images of an index, or a family, as the options say."""
    request, access = _request(options, asked), access_of(options)
    cache = IndexCache(default_folder())
    several = len(options.image) > 1
    if several or options.platform == ALL:
        _require_none_for_one(options)
    if several or len(options.to) > 1:
        if options.platform is not None:
            raise UsageError("--platform", "is for one image", "slim them one by one")
        return slim_family(
            options.image,
            options.to,
            request,
            folder=asked.folder,
            access=access,
            cache=cache,
            progress=progress,
        )
    reference, destination = options.image[0], options.to[0]
    if options.platform == ALL:
        return slim_platforms(
            reference,
            destination,
            request,
            folder=asked.folder,
            access=access,
            cache=cache,
            progress=progress,
        )
    result = slim(
        reference,
        destination,
        request,
        evidence=options.evidence,
        folder=asked.folder,
        platform=parse_platform(options.platform) if options.platform else None,
        access=access,
        cache=cache,
        progress=progress,
    )
    return (result,)


def _require_none_for_one(options: argparse.Namespace) -> None:
    """Raises `UsageError` for an option that makes no sense for several images, before any is slimmed."""
    for option, value in (
        ("--evidence", options.evidence),
        ("--save-evidence", options.save_evidence),
        ("--html", options.html),
    ):
        if value is not None:
            raise UsageError(option, "is for one image", "slim them one by one")


def _request(options: argparse.Namespace, asked: Asked) -> Request:
    return Request(
        level=options.level,
        workloads=asked.workloads,
        keep=tuple(options.keep),
        drop=tuple(options.drop),
        keep_packages=tuple(options.keep_package),
        drop_shell=options.drop_shell,
        traces=tuple(options.trace),
        keep_base=options.keep_base or "",
        compression=Compression.parse(options.compression),
        threads=options.threads or available_threads(),
        sandbox=sandbox_of(options),
    )
