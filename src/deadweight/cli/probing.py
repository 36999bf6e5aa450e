"""What ``deadweight probe`` and ``deadweight compare`` do once their arguments are read."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deadweight.cli.analysing import to_standard_output, write_reports
from deadweight.cli.command import access_of
from deadweight.cli.progress import open_progress
from deadweight.errors import UsageError
from deadweight.image import open_image
from deadweight.oci.config import Execution
from deadweight.probe.proof import expect, prove
from deadweight.probe.record import record
from deadweight.probe.recording import write_recordings
from deadweight.probe.spec import Probe, Script, parse_probe
from deadweight.probe.workload import Workload, complete, read_workloads
from deadweight.report import probes as report
from deadweight.report.console import open_console
from deadweight.report.units import printable
from deadweight.sandbox import Box, open_box
from deadweight.settings_file import load_settings, nearest_settings, section


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be asked; scripts are relative to `folder`."""

    workloads: tuple[Workload, ...]
    folder: Path


def probe(options: argparse.Namespace) -> int:
    """Asks the image; 0 where every probe that was asked for is answered, else 1."""
    silent = to_standard_output(options.json, options.save)
    asked = _asked(options)
    with _opened(options.image, options) as (box, execution):
        recordings = [
            record(box, execution, complete(one, execution), folder=asked.folder) for one in asked.workloads
        ]
    write_reports(
        (
            (options.json, lambda: report.recordings_report(options.image, recordings)),
            (options.save, lambda: write_recordings(printable(options.image), recordings)),
        )
    )
    if not silent:
        report.print_recordings(options.image, recordings, open_console(sys.stdout))
    answers = [answer for recording in recordings for answer in recording.answers]
    return 0 if all(report.is_answer(one.observation) for one in answers if one.asked) else 1


def compare(options: argparse.Namespace) -> int:
    """Asks the original twice and the result once; 0 where every probe is answered the same, else 1."""
    silent = to_standard_output(options.json, options.save)
    asked = _asked(options)
    with _opened(options.original, options) as (box, execution):
        expected = [expect(box, execution, one, folder=asked.folder) for one in asked.workloads]
    with _opened(options.result, options) as (box, execution):
        proved = [
            report.Proved(one.workload.name, prove(box, execution, one, folder=asked.folder))
            for one in expected
        ]
    recordings = [recording for one in expected for recording in (one.first, one.second)]
    write_reports(
        (
            (options.json, lambda: report.results_report(options.original, options.result, proved)),
            (options.save, lambda: write_recordings(printable(options.original), recordings)),
        )
    )
    if not silent:
        report.print_results(options.original, options.result, proved, open_console(sys.stdout))
    return 0 if all(one.passed for one in proved) else 1


@contextmanager
def _opened(reference: str, options: argparse.Namespace) -> Iterator[tuple[Box, Execution]]:
    """The image, unpacked, and its config."""
    progress = open_progress()
    try:
        with (
            open_image(reference, options.platform, access_of(options)) as image,
            open_box(image, progress=progress) as box,
        ):
            progress.close()
            yield box, image.config.execution
    finally:
        progress.close()


def _asked(options: argparse.Namespace) -> Asked:
    """The workloads of the file, or one with nothing but what is asked unasked; changed by the options."""
    path = options.config or nearest_settings(Path.cwd())
    declared: tuple[Workload, ...] = ()
    if path is not None:
        declared = read_workloads(section(load_settings(path), "slim", str(path)), str(path))
    workloads = _chosen(declared or (Workload(),), options.workload)
    folder = path.parent.absolute() if path is not None else Path.cwd()
    if options.probe:
        probes = tuple(_from_here(parse_probe(text), folder) for text in options.probe)
        workloads = tuple(replace(one, probes=probes) for one in workloads)
    if options.timeout is not None:
        workloads = tuple(replace(one, timeout=options.timeout) for one in workloads)
    return Asked(workloads, folder)


def _chosen(workloads: tuple[Workload, ...], name: str | None) -> tuple[Workload, ...]:
    if name is None:
        return workloads
    found = tuple(one for one in workloads if one.name == name)
    if not found:
        names = ", ".join(one.name for one in workloads)
        raise UsageError(f"--workload {name}", "is not in the settings", f"there are: {names}")
    return found


def _from_here(probe: Probe, folder: Path) -> Probe:
    """A script on the command line is meant from the current folder, as every argument is."""
    if isinstance(probe, Script):
        return Script(os.path.relpath(Path(probe.path).absolute(), folder))
    return probe
