"""What ``deadweight slim`` does once its arguments are read."""

from __future__ import annotations

import argparse
import sys

from deadweight.cli.analysing import to_standard_output, write_reports
from deadweight.cli.asking import Asked, asked_of
from deadweight.cli.command import access_of
from deadweight.cli.progress import open_progress
from deadweight.layer.cache import IndexCache, default_folder
from deadweight.layer.compress import Compression, available_threads
from deadweight.report.console import open_console
from deadweight.report.slim_html import render_slim_html
from deadweight.report.slim_json import render_slim_json
from deadweight.report.slimming import print_slim, render_slim_markdown
from deadweight.slim.evidence_file import evidence_text
from deadweight.slim.request import Request
from deadweight.slim.slim import slim


def run(options: argparse.Namespace) -> int:
    """Slims; 1 where no level passes."""
    silent = to_standard_output(options.json, options.markdown, options.html, options.save_evidence)
    asked = asked_of(options)
    progress = open_progress()
    try:
        result = slim(
            options.image,
            options.to,
            _request(options, asked),
            evidence=options.evidence,
            folder=asked.folder,
            platform=options.platform,
            access=access_of(options),
            cache=IndexCache(default_folder()),
            progress=progress,
        )
    finally:
        progress.close()
    write_reports(
        (
            (options.json, lambda: render_slim_json(result)),
            (options.markdown, lambda: render_slim_markdown(result, options.top)),
            (options.html, lambda: render_slim_html(result)),
            (options.save_evidence, lambda: evidence_text(result.recorded)),
        )
    )
    if not silent:
        print_slim(result, open_console(sys.stdout), options.top)
    return 0 if result.digest is not None else 1


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
    )
