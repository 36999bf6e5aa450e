"""The command ``deadweight``. Only what every start needs is imported here."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Runs the command line, and exits with its exit code (docs/concepts.md, "Exit codes")."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from deadweight._version import __version__

        print(f"deadweight {__version__}")  # noqa: T201 - the command line speaks here
        return
    from contextlib import suppress

    from deadweight.cli.run import run

    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # `run` has seen to it, and `code` says so
            stream.flush()
    # Freeing an analysis object by object takes a while, and helps nobody.
    os._exit(code)


if __name__ == "__main__":
    main()
