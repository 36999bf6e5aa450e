"""The command ``deadweight``. Only what every start needs is imported here."""

from __future__ import annotations

import sys


def main() -> int:
    """Runs the command line and returns its exit code (docs/concepts.md, "Exit codes")."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from deadweight._version import __version__

        print(f"deadweight {__version__}")  # noqa: T201 - the command line speaks here
        return 0
    from deadweight.cli.run import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
