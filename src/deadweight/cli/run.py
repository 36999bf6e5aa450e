"""From arguments to an exit code: parses, runs one command, and turns what goes wrong into one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from deadweight.cli.parser import build_parser
from deadweight.errors import DeadweightError
from deadweight.report.units import printable

DONE = 0
NO = 1
FAILED = 2

_NO_THREAD = "can't start new thread"
"""How Python says it; there is no class for it."""


def run(arguments: Sequence[str], kept: list[object]) -> int:
    """Runs the command in `arguments`: 0 done, 1 the answer is no, 2 could not do it. `KeyboardInterrupt` goes through.

    What is large goes into `kept`, so that the caller says when it is freed.
    """
    # The two threads of a pass hand Python's lock to each other every millisecond or so: five, which is usual, is long.
    sys.setswitchinterval(0.0002)
    debug = "--debug" in arguments
    code = DONE
    try:
        code = _done(arguments, kept)
        sys.stdout.flush()
    except DeadweightError as error:
        if debug:
            _print_traceback()
        return _fail(str(error))
    except BrokenPipeError:
        _drop_output()  # the reader (`head`, a pager) has seen enough
    except (OSError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and str(error) != _NO_THREAD:
            raise
        if debug:
            _print_traceback()
        try:
            sys.stdout.flush()
        except OSError:
            _drop_output()
        return _fail(_system_error(error))
    return code


def _print_traceback() -> None:
    import traceback  # only where it is asked for

    traceback.print_exc()


def _done(arguments: Sequence[str], kept: list[object]) -> int:
    """The exit code of what was done."""
    parser = build_parser()
    if not arguments:
        parser.print_help()
        return DONE
    try:
        options = parser.parse_args(arguments)
    except SystemExit as end:  # after the help, the version or what is wrong with the arguments
        return int(end.code or DONE)
    options.kept = kept
    return int(options.run(options))


def _drop_output() -> None:
    """What standard output did not take is given up: what is flushed later would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _system_error(error: OSError | MemoryError | RuntimeError) -> str:
    if isinstance(error, RuntimeError):
        return "no thread can be started; allow this user more (ulimit -u)"
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return f"{error.filename}: {reason}" if error.filename else reason
    return "not enough memory"


def _fail(message: str) -> int:
    line = printable(" ".join(message.split()))
    with suppress(OSError):  # where nobody hears it, the code still says it
        print(f"deadweight: error: {line}", file=sys.stderr)  # noqa: T201
    return FAILED
