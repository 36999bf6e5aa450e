"""The command ``deadweight``. Only what every start needs is imported here."""

from __future__ import annotations

import gc
import io
import os
import sys

INTERRUPTED = 130


def main() -> None:
    """Runs the command line, and exits with its exit code (docs/concepts.md, "Exit codes")."""
    # An analysis makes hundreds of thousands of objects that all live to its end: looking through them again and again
    # for garbage costs a tenth of the time.
    gc.disable()
    _open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _safe_output(sys.stdout)
    if sys.argv[1:] in (["--version"], ["-V"]):
        from deadweight._version import __version__

        try:
            print(f"deadweight {__version__}", flush=True)  # noqa: T201 - the command line speaks here
            return
        except OSError:
            pass  # the long way says what is wrong
    kept: list[object] = []
    try:
        code = _run(sys.argv[1:], kept)
    except KeyboardInterrupt:
        from contextlib import suppress

        code = INTERRUPTED
        with suppress(OSError):  # where nobody hears it, the code still says it
            os.write(2, b"deadweight: interrupted\n")
    # Freeing what was kept object by object takes a while, and helps nobody.
    os._exit(code)


def _run(arguments: list[str], kept: list[object]) -> int:
    from contextlib import suppress

    from deadweight.cli.run import run

    code = run(arguments, kept)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # `run` has seen to it, and `code` says so
            stream.flush()
    return code


def _safe_output(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """`stream`, which takes names and frames in a locale without such characters, and fails where a disk is full."""
    encoding, interactive = stream.encoding, stream.isatty()
    raw = stream.buffer
    if isinstance(raw, io.RawIOBase):  # as with PYTHONUNBUFFERED: what was cut off would go unnoticed
        stream.detach()
        stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding, line_buffering=interactive)
    stream.reconfigure(errors="replace")
    return stream


def _open_closed_streams() -> None:
    """Standard streams that were closed lead nowhere: else what is opened next would be taken for one of them."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


if __name__ == "__main__":
    main()
