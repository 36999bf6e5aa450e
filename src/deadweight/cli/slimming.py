"""What ``deadweight slim`` does once its arguments are read."""

from __future__ import annotations

import argparse
import sys

from deadweight.cli.command import access_of
from deadweight.cli.progress import open_progress
from deadweight.layer.cache import IndexCache, default_folder
from deadweight.layer.compress import Compression, available_threads
from deadweight.probe.spec import parse_probe
from deadweight.probe.workload import Workload
from deadweight.report.console import open_console
from deadweight.report.slimming import print_slim
from deadweight.slim.request import Request
from deadweight.slim.slim import slim


def run(options: argparse.Namespace) -> int:
    """Slims; 1 where no level passes."""
    progress = open_progress()
    try:
        result = slim(
            options.image,
            options.to,
            _request(options),
            platform=options.platform,
            access=access_of(options),
            cache=IndexCache(default_folder()),
            progress=progress,
        )
    finally:
        progress.close()
    print_slim(result, open_console(sys.stdout), options.top)
    return 0 if result.digest is not None else 1


def _request(options: argparse.Namespace) -> Request:
    probes = tuple(map(parse_probe, options.probe))
    return Request(
        level=options.level,
        workloads=(Workload(probes=probes),) if probes else (),
        keep=tuple(options.keep),
        drop=tuple(options.drop),
        keep_packages=tuple(options.keep_package),
        drop_shell=options.drop_shell,
        compression=Compression.parse(options.compression),
        threads=options.threads or available_threads(),
    )
