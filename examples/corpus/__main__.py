"""Builds and checks the corpus.

python -m examples.corpus build NAME --to DIR          an OCI layout, in layers
python -m examples.corpus check NAME ROOT_OR_IMAGE     asks all probes and behaviours; exits with 1 on a failure
python -m examples.corpus table [NAME...] [--to FILE]  slims them (all, unless named) and checks the results; exits with 1
                                                       where one broke
python -m examples.corpus turn COUNT                   the names of those whose turn it is today, to be checked in CI
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path

from examples.corpus.application import names, read_application
from examples.corpus.build import build
from examples.corpus.check import Row, check
from examples.corpus.chroot import Chroot
from examples.corpus.results import render, rotation
from examples.corpus.slimmed import outcome_of

PREFACE = """# The corpus, slimmed

Written by `make corpus`: {machine}. Each application was slimmed with `deadweight slim --level auto`, told nothing but its
probes.toml. Then the result was asked all of behaviours.toml, which slim never reads. Sizes are sums over the layers;
seconds are those of the whole command, two runs of the original and one of each result included, from an empty cache.

"""


def verdicts(rows: list[Row]) -> str:
    """One line for each question, and one that counts."""
    lines = []
    width = max(len(row.behaviour.name) for row in rows)
    for row in rows:
        verdict = "FAIL" if row.objection else "pass"
        lines.append(f"{verdict}  {row.behaviour.name:{width}}  {row.behaviour.question}"[:110])
        if row.objection:
            lines.append(f"      {row.objection}")
    passed = sum(not row.objection for row in rows)
    return "\n".join([*lines, f"{passed} of {len(rows)}"])


def table(names: list[str], target: Path | None) -> int:
    """Slims and checks the applications, and writes the table, whole, to `target` as well; 1 where one broke."""
    applications = [read_application(name) for name in names]
    for application in applications:
        if application.left_out:
            print(application.left_out, file=sys.stderr)
    outcomes = [outcome_of(application) for application in applications if not application.left_out]
    text = render(outcomes)
    print(text, end="")
    if target is not None:
        aside = target.with_name(f".{target.name}.new")
        aside.write_text(PREFACE.format(machine=f"{os.uname().machine}, {os.cpu_count()} cores") + text)
        aside.rename(target)
    return 0 if all(outcome.good for outcome in outcomes) else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="examples.corpus", description="Builds and checks the corpus.")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build")
    building.add_argument("name", choices=names())
    building.add_argument("--to", type=Path, required=True, metavar="DIR")
    checking = commands.add_parser("check")
    checking.add_argument("name", choices=names())
    checking.add_argument("image", type=Path, metavar="ROOT_OR_IMAGE")
    slimming = commands.add_parser("table")
    slimming.add_argument("names", nargs="*", metavar="NAME")
    slimming.add_argument("--to", type=Path, metavar="FILE")
    turning = commands.add_parser("turn")
    turning.add_argument("count", type=int)
    options = parser.parse_args()
    if options.command == "table":
        return table(options.names or names(), options.to)
    if options.command == "turn":
        print(*rotation(names(), options.count, date.today().toordinal()))
        return 0
    application = read_application(options.name)
    if options.command == "build":
        build(application, options.to)
        return 0
    rows = check(application, options.image, Chroot())
    print(verdicts(rows))
    return 1 if any(row.objection for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
