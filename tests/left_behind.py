"""What a command leaves on the host: processes, mounts, and folders for temporary files."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MARK = "DEADWEIGHT_TEST_MARK"
"""An environment variable: all processes have it that are to be found, those of an image by its config."""
PATIENCE = 30.0
"""Seconds after which what is still there counts as left. A killed process is there until somebody has waited for it."""


@dataclass(frozen=True, slots=True)
class Host:
    """What was there before."""

    mounts: frozenset[str]
    folders: frozenset[str]


def host(*places: Path) -> Host:
    """The mounts of this process, and deadweight's folders in `places`."""
    return Host(frozenset(_mounts()), frozenset(_folders(places)))


def left_since(before: Host, mark: str, *places: Path) -> list[str]:
    """What has come since, and does not go: folders in `places`, mounts, and processes whose `MARK` is `mark`."""
    deadline = time.monotonic() + PATIENCE
    come: set[str] | None = None
    while True:
        there = {*_mounts(), *_folders(places)} - before.mounts - before.folders
        # What comes while we wait is of other tests.
        come = there if come is None else come & there
        found = [*sorted(come), *processes(mark)]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def processes(mark: str) -> Sequence[str]:
    """The command lines of the processes whose `MARK` is `mark`."""
    done = subprocess.run(["ps", "axewwo", "args"], capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if f"{MARK}={mark}" in line]


def _folders(places: Sequence[Path]) -> list[str]:
    return [str(path) for place in places for path in place.glob("deadweight-*")]


def _mounts() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    # The engine that other tests start mounts for its containers.
    return [line for line in lines if "docker" not in line]
