"""python -m benchmarks [--runs N] [--small]: builds the inputs, measures, writes benchmarks/RESULTS.md."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import entrants, inputs, programs, results
from benchmarks.contest import Entrant, Result, hold
from benchmarks.goals import Goal

TARGET = Path(__file__).with_name("RESULTS.md")
INTRODUCTION = """\
# Measured

Written by `{command}` on {date}. Whole processes: medians of {runs} rounds in which each runs in
turn, after one round that does not count. Inputs are in the page cache. With `--no-cache` deadweight keeps nothing; at its
*first look* it fills its cache of indexes, at its *second* it uses that. Peak memory is that of the largest process of a
run. The other tools do their own jobs on the same bytes, not deadweight's: only `inflate` is less work by design, and it is
the floor.

- machine: {machine}
- versions: {versions}
- inputs: Debian packages, see `benchmarks/*.toml`; layers compressed with `gzip -6` and `zstd -3`
"""


class Session:
    """What has been measured so far, and the text about it."""

    def __init__(self, runs: int, found: Mapping[str, str]) -> None:
        self.runs = runs
        self.programs = found
        self.text: list[str] = []
        self.goals: list[Goal] = []
        self.failures: list[str] = []

    def hold(self, title: str, contestants: list[Entrant], against: str, runs: int = 0) -> dict[str, Result]:
        """Holds a contest and writes it down."""
        print(f"\n{title}", file=sys.stderr)
        outcome = hold(contestants, runs or self.runs, inputs.CACHE)
        self.text.append(f"## {title}\n\n{results.contest(outcome, against)}")
        self.failures += [
            f"{title}: {result.problem}"
            for name, result in outcome.items()
            if result.problem and name.startswith("deadweight")
        ]
        return outcome

    def goal(
        self, text: str, outcome: Mapping[str, Result], over: str, under: str, bounds: Mapping[str, float]
    ) -> None:
        """Notes the ratio of two entrants' seconds; `bounds` are of `must_most`, `must_least`, `aim_most`."""
        if not all(name in outcome and outcome[name].samples for name in (over, under)):
            return
        ratio = outcome[over].typical.seconds / outcome[under].typical.seconds
        for kind, bound in bounds.items():
            self.goals.append(Goal(text, ratio, bound, kind.endswith("least"), aim=kind.startswith("aim")))


def measure_analysis(session: Session, images: Mapping[str, inputs.Input]) -> None:
    for name, image in images.items():
        compression = name.partition("-")[2]
        contestants = entrants.analysis(image, compression, session.programs)
        outcome = session.hold(f"Analysis, {name}", contestants, entrants.FLOOR)
        if name == "large-gzip":
            analyze = outcome[entrants.ANALYZE]
            floor = {"must_most": 1.7, "aim_most": 1.3}
            session.goal("analyze / inflate, large-gzip", outcome, entrants.ANALYZE, entrants.FLOOR, floor)
            session.goal(
                "skopeo / analyze, large-gzip",
                outcome,
                entrants.SKOPEO,
                entrants.ANALYZE,
                {"must_least": 2.5},
            )
            session.goal(
                "syft / analyze, large-gzip", outcome, entrants.SYFT, entrants.ANALYZE, {"must_least": 4}
            )
            if analyze.samples:
                peak = analyze.typical.memory / 1e6
                session.goals.append(Goal("peak memory of analyze, large-gzip", peak, 120, unit="MB"))


def measure_copying(session: Session, images: Mapping[str, inputs.Input]) -> None:
    if "skopeo" not in session.programs:
        return
    size = "large" if "large-gzip" in images else "small"
    for origin, target in (("zstd", "gzip"), ("gzip", "zstd")):
        contestants = entrants.recompression(images[f"{size}-{origin}"], target, session.programs)
        name = f"{size}, {origin} to {target}"
        outcome = session.hold(f"Recompression, {name}", contestants, entrants.SKOPEO_COPY)
        session.goal(
            f"copy / skopeo copy, {name}", outcome, entrants.COPY, entrants.SKOPEO_COPY, {"must_most": 1}
        )
        ours, theirs = outcome[entrants.COPY], outcome[entrants.SKOPEO_COPY]
        if ours.samples and theirs.samples:
            session.goals.append(Goal(f"its size / skopeo's, {name}", ours.size / theirs.size, 1))


def measure_memory(session: Session) -> None:
    """Peak memory against bytes at the same number of files, and against files at few bytes."""
    # Both of the first two are larger than all buffers together.
    made = {
        "100 files, 100 MB": inputs.made_up(100, 1_000_000),
        "100 files, 1 GB": inputs.made_up(100, 10_000_000),
        "100,000 files, 10 MB": inputs.made_up(100_000, 100),
    }
    print("\nMemory", file=sys.stderr)
    peaks: dict[str, int] = {}
    for name, image in made.items():
        result = hold(entrants.memory(image, session.programs), session.runs, inputs.CACHE)[entrants.ANALYZE]
        if not result.samples:
            session.failures.append(f"{name}: {result.problem}")
            return
        peaks[name] = result.typical.memory
    rows = [[name, results.memory(peak)] for name, peak in peaks.items()]
    session.text.append("## Memory of an analysis\n\n" + results.table(["made-up image", "peak MB"], rows))
    few, large, many = peaks.values()
    session.goals.append(Goal("peak memory at 1 GB / at 100 MB", large / few, 1.1))
    session.goals.append(Goal("memory per file", (many - few) / 99_900 / 1000, 1.5, unit="KB"))


def measure_start_up(session: Session) -> None:
    contestants = entrants.start_up(session.programs)
    outcome = session.hold("Start-up", contestants, entrants.NOTHING, runs=max(20, session.runs))
    session.goal(
        f"{entrants.VERSION} / {entrants.NOTHING}",
        outcome,
        entrants.VERSION,
        entrants.NOTHING,
        {"must_most": 3},
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="how often each is run (default: 5)")
    parser.add_argument(
        "--small", action="store_true", help="only the small images: minutes instead of half an hour"
    )
    options = parser.parse_args()

    found = programs.find()
    images = {
        f"{size}-{compression}": image
        for size in (("small",) if options.small else ("small", "large"))
        for compression, image in inputs.debian(size).items()
    }
    session = Session(options.runs, found)
    measure_start_up(session)
    measure_analysis(session, images)
    measure_copying(session, images)
    measure_memory(session)

    introduction = INTRODUCTION.format(
        command=shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
        date=datetime.now(UTC).date(),
        runs=options.runs,
        machine=programs.machine(),
        versions=", ".join(f"{name} {said}" for name, said in programs.versions(found).items()),
    )
    goals = f"## Goals\n\n{results.goals(session.goals)}"
    sections = [introduction, goals, results.inputs(images), *session.text]
    TARGET.write_text("\n".join(sections))
    print(goals)
    print(f"written: {TARGET}")
    if session.failures:
        raise SystemExit(f"deadweight failed: {'; '.join(session.failures)}")


if __name__ == "__main__":
    main()
