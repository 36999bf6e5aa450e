"""python -m sales JOB [ARGUMENT ...]: each job is a module, imported when it is wanted."""

import sys
from importlib import import_module

JOBS = ("summary", "zones", "solve", "spectrum", "store", "wait", "read")


def main() -> int:
    job, *arguments = sys.argv[1:] or ["summary"]
    if job not in JOBS:
        print(f"no such job: {job}", file=sys.stderr)
        return 64
    print(import_module(f"sales.{job}").run(*arguments))
    return 0


sys.exit(main())
