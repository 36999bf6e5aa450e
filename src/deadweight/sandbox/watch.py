"""Watches a sandbox from outside: time and memory."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

from deadweight.sandbox.command import Limits

INTERVAL = 0.05
"""Seconds between two looks."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """Ends the sandbox of `process` when it takes more than `limits` allow."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits, *, traced: bool = False) -> None:
        self._process = process
        self._above = 3 if traced else 2
        self._limits = limits
        self._stopped = ""
        self._over = threading.Event()
        self._deadline = time.monotonic() + limits.seconds if limits.seconds is not None else None
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def finish(self) -> str:
        """Stops watching; why the sandbox was ended, empty where it was not."""
        self._over.set()
        self._thread.join()
        return self._stopped

    def program(self) -> int | None:
        """The image's program; None when it has ended. Above it are strace, if it is `traced`, bubblewrap and its process 1."""
        found = [self._process.pid]
        for _ in range(self._above):
            found = [below for one in found for below in _children(one)]
        return found[0] if found else None

    def first(self) -> int | None:
        """Process 1 of the sandbox, whose namespaces are those of it; None when it has ended or is not there yet."""
        todo = [self._process.pid]
        while todo:
            one = todo.pop()
            if _is_first(one):
                return one
            todo += _children(one)
        return None

    def _run(self) -> None:
        while not self._over.wait(INTERVAL):
            if self._process.poll() is not None:
                return
            if self._deadline is not None and time.monotonic() > self._deadline:
                self._stopped = f"it took more than {self._limits.seconds:g} seconds"
            elif (used := _memory(self._process.pid)) > self._limits.memory:
                self._stopped = f"it took {used} bytes of memory; {self._limits.memory} are allowed"
            if self._stopped:
                self._process.kill()
                return


def _memory(pid: int) -> int:
    """The bytes that `pid` and all processes below it hold, shared pages counted once for each."""
    pages = 0
    todo = [pid]
    while todo:
        one = todo.pop()
        try:
            resident, shared = Path(f"/proc/{one}/statm").read_text().split()[1:3]
        except (OSError, ValueError):
            continue  # it has ended meanwhile
        pages += int(resident) - int(shared)
        todo += _children(one)
    return pages * _PAGE


def _is_first(pid: int) -> bool:
    """Whether `pid` is number 1 in a namespace below ours (proc(5), ``NSpid``)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return False
    numbers = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
    return len(numbers) > 1 and numbers[-1] == "1"


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        threads = [one.name for one in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return found
    for thread in threads:
        try:
            found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
        except OSError:
            continue
    return found
