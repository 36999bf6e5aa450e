"""Builds and checks the corpus.

python -m examples.corpus build NAME --to DIR          an OCI layout, in layers
python -m examples.corpus check NAME ROOT_OR_IMAGE     asks all probes and behaviours; exits with 1 on a failure
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from examples.corpus.application import names, read_application
from examples.corpus.build import build
from examples.corpus.check import Row, check
from examples.corpus.chroot import Chroot


def table(rows: list[Row]) -> str:
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="examples.corpus", description="Builds and checks the corpus.")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build")
    building.add_argument("name", choices=names())
    building.add_argument("--to", type=Path, required=True, metavar="DIR")
    checking = commands.add_parser("check")
    checking.add_argument("name", choices=names())
    checking.add_argument("image", type=Path, metavar="ROOT_OR_IMAGE")
    options = parser.parse_args()
    application = read_application(options.name)
    if options.command == "build":
        build(application, options.to)
        return 0
    rows = check(application, options.image, Chroot())
    print(table(rows))
    return 1 if any(row.objection for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
