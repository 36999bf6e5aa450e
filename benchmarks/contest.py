"""Entrants that do a job on the same input, run in turn."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import Failed, Sample, run, typical


@dataclass(frozen=True)
class Entrant:
    """One way to do the job. `argv` gets an empty folder for what the run writes."""

    name: str
    argv: Callable[[Path], Sequence[str]]
    stdin: Path | None = None
    cache: Path | None = None
    """The cache folder that its runs share; without, each run begins with an empty one."""
    output: str = ""
    """What in the folder is the result, where its size is of interest."""


@dataclass
class Result:
    """What an entrant's runs took; `problem` says why there are none."""

    entrant: Entrant
    samples: list[Sample] = field(default_factory=list)
    problem: str = ""
    size: int = 0
    """Bytes of what it wrote (see `Entrant.output`)."""

    @property
    def typical(self) -> Sample:
        return typical(self.samples)


def hold(entrants: Sequence[Entrant], runs: int, workshop: Path) -> dict[str, Result]:
    """Runs all entrants in turn, `runs` times (A B C A B C ...), after one round that does not count."""
    results = {entrant.name: Result(entrant) for entrant in entrants}
    for number in range(runs + 1):
        for result in results.values():
            if not result.problem:
                sample = _run_once(result, workshop)
                if number and sample is not None:
                    result.samples.append(sample)
    return results


def _run_once(result: Result, workshop: Path) -> Sample | None:
    entrant = result.entrant
    with tempfile.TemporaryDirectory(dir=workshop, prefix="run-") as name:
        folder = Path(name)
        (folder / "out").mkdir()
        cache = entrant.cache or folder / "cache"
        environment = {"XDG_CACHE_HOME": str(cache), "SYFT_CHECK_FOR_APP_UPDATE": "false", "CI": "true"}
        os.sync()  # what the one before wrote is not written on this one's time
        try:
            sample = run(entrant.argv(folder / "out"), environment, folder / "log", entrant.stdin)
        except (Failed, OSError) as error:
            result.problem = str(error)
            print(f"{entrant.name}: {error}", file=sys.stderr)
            return None
        if entrant.output:
            result.size = size_of(folder / "out" / entrant.output)
        print(f"{entrant.name}: {sample.seconds:.2f} s", file=sys.stderr)
        return sample


def size_of(path: Path) -> int:
    """Bytes of the files at and below `path`."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
