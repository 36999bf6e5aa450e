"""Time and memory of whole processes."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple


class Sample(NamedTuple):
    """One run: wall and processor seconds, and the most memory that one of its processes held, in bytes.

    Linux hands the peak of the process that starts another one on to it: see `least_memory`.
    """

    seconds: float
    cpu: float
    memory: int


class Failed(Exception):
    """A command that did not exit with 0."""


def run(argv: Sequence[str], environment: Mapping[str, str], log: Path, stdin: Path | None = None) -> Sample:
    """Runs `argv` to its end; what it prints goes to `log`. Raises `Failed` with its last words."""
    with log.open("wb") as output, (stdin or Path(os.devnull)).open("rb") as given:
        start = time.perf_counter()
        process = subprocess.Popen(
            argv, stdin=given, stdout=output, stderr=output, env={**os.environ, **environment}
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        words = log.read_text(errors="replace").strip().splitlines()[-3:]
        raise Failed(f"{Path(argv[0]).name} exited with {process.returncode}: {' / '.join(words)}")
    return Sample(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def least_memory() -> int:
    """What this process held at its peak, in bytes: the least that can be measured of one that it starts."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def typical(samples: Sequence[Sample]) -> Sample:
    """The median of each figure."""
    return Sample(
        median(sample.seconds for sample in samples),
        median(sample.cpu for sample in samples),
        int(median(sample.memory for sample in samples)),
    )
