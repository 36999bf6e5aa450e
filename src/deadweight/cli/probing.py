"""What ``deadweight probe`` and ``deadweight compare`` do once their arguments are read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from deadweight.cli.analysing import to_standard_output, write_reports
from deadweight.cli.asking import asked_of
from deadweight.cli.command import access_of, sandbox_of
from deadweight.cli.progress import open_progress
from deadweight.image import open_image
from deadweight.oci.config import Execution
from deadweight.probe.proof import expect, prove
from deadweight.probe.record import record
from deadweight.probe.recording import write_recordings
from deadweight.probe.workload import complete
from deadweight.report import probes as report
from deadweight.report.console import open_console
from deadweight.report.units import printable
from deadweight.sandbox import Starter, open_sandbox


def probe(options: argparse.Namespace) -> int:
    """Asks the image; 0 where every probe that was asked for is answered, else 1."""
    silent = to_standard_output(options.json, options.save)
    asked = asked_of(options)
    with _opened(options.image, options) as (box, execution):
        recordings = [
            record(box, execution, complete(one, execution), folder=asked.folder) for one in asked.workloads
        ]
    with suppress(BrokenPipeError):  # whoever reads no further still gets the exit code
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
    asked = asked_of(options)
    with open_image(options.result, options.platform, access_of(options)):
        pass  # one that is not there is told of before the original runs
    with _opened(options.original, options) as (box, execution):
        expected = [expect(box, execution, one, folder=asked.folder) for one in asked.workloads]
    with _opened(options.result, options) as (box, execution):
        proved = [
            report.Proved(one.workload.name, prove(box, execution, one, folder=asked.folder))
            for one in expected
        ]
    recordings = [recording for one in expected for recording in (one.first, one.second)]
    with suppress(BrokenPipeError):  # whoever reads no further still gets the exit code
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
def _opened(reference: str, options: argparse.Namespace) -> Iterator[tuple[Starter, Execution]]:
    """The image, unpacked, and its config."""
    progress = open_progress()
    try:
        with (
            open_image(reference, options.platform, access_of(options)) as image,
            open_sandbox(image, sandbox_of(options), progress=progress) as box,
        ):
            progress.close()
            yield box, image.config.execution
    finally:
        progress.close()
