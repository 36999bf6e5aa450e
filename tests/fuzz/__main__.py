"""Fuzzes one target: ``python -m fuzz TARGET CORPUS [LIBFUZZER-OPTIONS]``; without arguments prints the targets' names.

CORPUS is a folder for inputs; those to start from are put into it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["deadweight"]):
    from fuzz.targets import TARGETS


def main(arguments: Sequence[str]) -> None:
    if not arguments:
        sys.stdout.write("\n".join([*TARGETS, ""]))
        return
    name, corpus, *options = arguments
    target = TARGETS[name]
    for seed in target.seeds():
        (Path(corpus) / hashlib.sha256(seed).hexdigest()).write_bytes(seed)
    atheris.Setup([sys.argv[0], *options, corpus], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
