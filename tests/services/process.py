"""A program that runs beside the tests and is ended with them."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_TAIL = 4000


@contextmanager
def running(
    command: Sequence[str], log: Path, ready: Callable[[], bool], seconds: float = 60.0
) -> Iterator[subprocess.Popen[bytes]]:
    """The process, once `ready` says so; terminated at the end, killed where that does not help.

    Raises `RuntimeError` with the end of its log where it exits or takes longer than `seconds` to start.
    """
    # The kernel ends the program with us, even where we are killed.
    guard = [path, "--pdeathsig", "TERM", "--"] if (path := shutil.which("setpriv")) else []
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*guard, *command], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
    try:
        _wait(process, command[0], log, ready, seconds)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(
    process: subprocess.Popen[bytes], name: str, log: Path, ready: Callable[[], bool], seconds: float
) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        code = process.poll()
        late = time.monotonic() > deadline
        if code is not None or late:
            what = f"is not ready after {seconds:g} s" if late else f"ended with code {code}"
            tail = log.read_bytes()[-_TAIL:].decode(errors="replace")
            raise RuntimeError(f"{name} {what}; the end of its log:\n{tail}")
        time.sleep(0.05)
