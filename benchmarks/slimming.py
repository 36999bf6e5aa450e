"""What deadweight and a slimmer that keeps only what it saw in use make of the corpus.

python -m benchmarks.slimming [--runs N] [NAME...]

Each image is slimmed by deadweight, and by `mint` in a Docker engine that is started for it; then both results are asked all
that the corpus knows of the application. Writes benchmarks/SLIMMING.md. Needs root; where mint is not on the PATH with its
sensor, it is left out.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import programs
from benchmarks.engine import RUNTIME, Engine, environment, running_engine
from benchmarks.goals import Goal
from benchmarks.measure import Failed, Sample, run, typical
from benchmarks.results import goals, megabytes, memory, seconds, table
from examples.corpus.application import Application, Slim, names, read_application, read_slim
from examples.corpus.check import check
from examples.corpus.chroot import Chroot
from examples.corpus.questions import PROBE, Kind
from examples.corpus.slimmed import built

MIDDLE = "middle"
TARGET = Path(__file__).with_name("SLIMMING.md")
WAIT = 20
"""Seconds that mint observes what it cannot ask by HTTP. Its time is then none to compare with."""
INTRODUCTION = """\
# Slimmed beside a slimmer that keeps what it saw

Written by `{command}` on {date}. Each application of `examples/corpus` was slimmed by
`deadweight slim --config probes.toml`, from an empty cache, and by `mint slim` with the same requests, in a Docker engine that held the image already. Then both
results were asked the probes, and the behaviours that neither was told of. Sizes are unpacked bytes. Seconds are those of
the whole command, and the median of {runs} rounds in which both run in turn.

mint asks by HTTP, or runs a command in the container; where a probe is of another kind it observed the program for {wait} s,
and its time is left out. It asks for a container by its address, which django refuses: what it saw there is a refusal.

- machine: {machine}
- versions: {versions}
"""


@dataclass(frozen=True, slots=True)
class Slimmed:
    """What a slimmer made of an application. `size` is in unpacked bytes; of probes and behaviours: kept, asked."""

    size: int
    took: Sample
    probes: tuple[int, int]
    behaviours: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One application. `theirs` is None where mint made nothing of it, and `problem` says why."""

    name: str
    before: int
    ours: Slimmed
    theirs: Slimmed | None
    is_timed: bool
    problem: str = ""


class Bench:
    """What both are run with; without `engine` mint is left out."""

    def __init__(self, found: dict[str, str], engine: Engine | None, runs: int) -> None:
        self._programs = found
        self._engine = engine
        self._runs = runs

    def hold(self, application: Application) -> Row:
        """Lets both slim the image of `application`, in turn, and judges the last result of each."""
        image, slim = built(application), read_slim(application)
        with TemporaryDirectory(prefix="slimming-") as name:
            folder = Path(name)
            mint = Mint(self._programs, self._engine, application, slim) if self._engine else None
            if mint:
                mint.load(image)
            ours: list[Sample] = []
            theirs: list[Sample] = []
            problem = ""
            for number in range(self._runs):
                ours.append(self._slim(application, image, folder / f"ours-{number}"))
                try:
                    theirs += [mint.slim(folder / f"theirs-{number}")] if mint and not problem else []
                except Failed as error:
                    problem = str(error)
            result = None
            if mint and not problem:
                result = self._judged(application, mint.save(folder / "saved"), theirs)
            last = self._judged(application, folder / f"ours-{self._runs - 1}" / "image", ours)
            before = self._unpacked(image, folder)
            return Row(application.name, before, last, result, _asks_http(slim), problem)

    def _slim(self, application: Application, image: Path, folder: Path) -> Sample:
        folder.mkdir()
        line = [self._programs["deadweight"], "slim", f"oci:{image}", "--to", f"oci:{folder / 'image'}"]
        line += ["--config", str(application.folder / "probes.toml")]
        return run(line, {"XDG_CACHE_HOME": str(folder / "cache")}, folder / "log")

    def _judged(self, application: Application, image: Path, samples: Sequence[Sample]) -> Slimmed:
        rows = check(application, image, Chroot())
        probes = [not row.objection for row in rows if row.behaviour.name == PROBE]
        behaviours = [not row.objection for row in rows if row.behaviour.name != PROBE]
        kept = (sum(probes), len(probes)), (sum(behaviours), len(behaviours))
        return Slimmed(self._unpacked(image, image.parent), typical(samples), *kept)

    def _unpacked(self, image: Path, folder: Path) -> int:
        """The image's unpacked bytes."""
        report = folder / "report.json"
        self._deadweight("analyze", f"oci:{image}", "--json", str(report))
        size: int = json.loads(report.read_text())["size"]["unpacked"]
        return size

    def _deadweight(self, *arguments: str) -> None:
        """Runs a command that says nothing unless it fails."""
        subprocess.run([self._programs["deadweight"], *arguments], check=True, stdout=subprocess.DEVNULL)


class Mint:
    """mint, for one application."""

    def __init__(self, found: dict[str, str], engine: Engine, application: Application, slim: Slim) -> None:
        self._programs = found
        self._engine = engine
        self._workload = _workload(slim)
        self._image = f"corpus/{application.name}:latest"
        self._result = f"slimmed/{application.name}:latest"

    def load(self, image: Path) -> None:
        """Has the engine take the OCI layout `image`."""
        self._copy(f"oci:{image}", f"docker-daemon:{self._image}")

    def save(self, place: Path) -> Path:
        """Writes its last result to `place`, an OCI layout."""
        self._copy(f"docker-daemon:{self._result}", f"oci:{place}")
        return place

    def slim(self, folder: Path) -> Sample:
        """What it took. Raises `Failed`."""
        folder.mkdir()
        line = ["nsenter", "--target", str(self._engine.pid), "--net", self._programs["mint"]]
        line += [
            "--check-version=false",
            "--state-path",
            str(folder),
            "--report",
            str(folder / "report.json"),
        ]
        line += ["slim", "--target", self._image, "--tag", self._result, "--pull=false"]
        line += ["--remove-file-artifacts", "--cro-runtime", RUNTIME, *self._workload]
        return run(line, {"HOME": str(folder), **environment(self._engine)}, folder / "log")

    def _copy(self, origin: str, target: str) -> None:
        line = [self._programs["deadweight"], "copy", origin, target]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL, env=environment(self._engine))


def _asks_http(slim: Slim) -> bool:
    return all(probe.kind is Kind.HTTP for probe in slim.probes)


def _workload(slim: Slim) -> list[str]:
    """mint's options for the probes of `slim`."""
    if _asks_http(slim):
        asked = [probe.request() for probe in slim.probes]
        return [
            *("--continue-after", "probe"),
            *(part for method, path, _ in asked for part in ("--http-probe-cmd", f"{method}:{path}")),
        ]
    commands = [probe.text for probe in slim.probes if probe.kind is Kind.EXEC and not slim.ends]
    executed = ["--exec", "; ".join(commands)] if commands else []
    return ["--http-probe-off", "--continue-after", str(WAIT), *executed]


SIZES = ("application", "before MB", "deadweight MB", "mint MB", "deadweight / mint")
TIMES = ("application", "deadweight s", "mint s", "deadweight / mint", "deadweight's peak MB")
KEPT = ("application", "probes: deadweight", "mint", "behaviours: deadweight", "mint")
_NONE = "–"


def _sizes(row: Row) -> tuple[str, ...]:
    theirs = row.theirs
    ratio = f"{row.ours.size / theirs.size:.2f}" if theirs else _NONE
    mint = megabytes(theirs.size) if theirs else _NONE
    return row.name, megabytes(row.before), megabytes(row.ours.size), mint, ratio


def _times(row: Row) -> tuple[str, ...]:
    ours, theirs = row.ours.took, row.theirs.took if row.theirs and row.is_timed else None
    ratio = f"{ours.seconds / theirs.seconds:.2f}" if theirs else _NONE
    return (
        row.name,
        seconds(ours.seconds),
        seconds(theirs.seconds) if theirs else _NONE,
        ratio,
        memory(ours.memory),
    )


def _kept(row: Row) -> tuple[str, ...]:
    ours, theirs = row.ours, row.theirs
    pairs = [
        ours.probes,
        theirs.probes if theirs else None,
        ours.behaviours,
        theirs.behaviours if theirs else None,
    ]
    return row.name, *(f"{pair[0]} of {pair[1]}" if pair else _NONE for pair in pairs)


def goals_of(rows: Sequence[Row]) -> list[Goal]:
    """What must hold of all applications together."""
    pairs = [(row.ours, row.theirs) for row in rows if row.theirs]
    timed = [(row.ours, row.theirs) for row in rows if row.theirs and row.is_timed]
    found = []
    if pairs:
        size = median(ours.size / theirs.size for ours, theirs in pairs)
        found += [Goal("size / mint's, median", size, 2), Goal("size / mint's, median", size, 1.25, aim=True)]
    if timed:
        time = median(ours.took.seconds / theirs.took.seconds for ours, theirs in timed)
        found += [Goal("time / mint's, median", time, 1), Goal("time / mint's, median", time, 0.5, aim=True)]
    peak = max(row.ours.took.memory for row in rows) / 1e6
    broken = sum(asked - kept for row in rows for kept, asked in (row.ours.probes, row.ours.behaviours))
    found += [Goal("peak memory", peak, 300, unit="MB"), Goal("broken answers", broken, 0, unit="")]
    for row in rows:
        if row.name == MIDDLE:
            text = f"seconds for an image of {row.before / 1e9:.1f} GB"
            found.append(Goal(text, row.ours.took.seconds, 15, unit="s", aim=True))
    return found


def _text(rows: Sequence[Row], found: dict[str, str], runs: int) -> str:
    introduction = INTRODUCTION.format(
        command=shlex.join(["python", "-m", "benchmarks.slimming", *sys.argv[1:]]),
        date=datetime.now(UTC).date(),
        runs=runs,
        wait=WAIT,
        machine=programs.machine(),
        versions=", ".join(f"{name} {said}" for name, said in programs.versions(found).items()),
    )
    sections = [
        f"## Goals\n\n{goals(goals_of(rows))}",
        f"## Sizes\n\n{table(SIZES, map(_sizes, rows))}",
        f"## Time\n\n{table(TIMES, map(_times, rows))}",
        f"## What still works\n\n{table(KEPT, map(_kept, rows))}",
    ]
    problems = "".join(f"- {row.name}: {row.problem}\n" for row in rows if row.problem)
    return "\n".join([introduction, *sections, *([problems] if problems else [])])


def applications(chosen: Sequence[str]) -> list[Application]:
    """Those of the corpus, and between its small ones and its large one the same with fewer compilers: some 1.4 GB."""
    full = read_application("full")
    fewer = tuple(name for name in full.packages.debian if name not in ("golang-go", "rustc", "cargo"))
    middle = replace(full, name=MIDDLE, packages=replace(full.packages, debian=fewer))
    every = [*map(read_application, names()), middle]
    unknown = set(chosen) - {one.name for one in every}
    if unknown:
        raise SystemExit(f"{', '.join(sorted(unknown))}: no such application")
    return [one for one in every if one.name in chosen or not chosen]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slimming", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of applications (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="how often each slims (default: 3)")
    options = parser.parse_args()
    found = {name: path for name, path in programs.find().items() if name in ("deadweight", "mint")}
    rows: list[Row] = []
    with ExitStack() as stack:
        engine = stack.enter_context(running_engine()) if "mint" in found else None
        if engine is None:
            print("mint is not on the PATH, and left out", file=sys.stderr)
        bench = Bench(found, engine, options.runs)
        for application in applications(options.names):
            if application.left_out:
                print(application.left_out, file=sys.stderr)
                continue
            rows.append(bench.hold(application))
            told = (*_sizes(rows[-1]), *_times(rows[-1])[1:], *_kept(rows[-1])[1:], rows[-1].problem)
            print(" | ".join(told), file=sys.stderr, flush=True)
    TARGET.write_text(_text(rows, found, options.runs))
    print(f"written: {TARGET}")


if __name__ == "__main__":
    main()
