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
_POINTS = tuple(map(Path, ("/mnt", "/media", "/srv", "/opt")))
"""Where a sandbox mounts what is written in it, in a namespace of its own."""


@dataclass(frozen=True, slots=True)
class Host:
    """What was there before."""

    mounts: frozenset[str]
    folders: frozenset[str]


def host(*places: Path) -> Host:
    """The mounts that could be a sandbox's, and deadweight's folders in `places`."""
    return Host(frozenset(_mounts(places)), frozenset(_folders(places)))


def left_since(before: Host, mark: str, *places: Path) -> list[str]:
    """What has come since, and does not go: folders in `places`, mounts, and processes whose `MARK` is `mark`."""
    deadline = time.monotonic() + PATIENCE
    come: set[str] | None = None
    while True:
        there = {*_mounts(places), *_folders(places)} - before.mounts - before.folders
        # What comes while we wait is of other tests.
        come = there if come is None else come & there
        found = [*sorted(come), *processes(mark)]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def processes(mark: str) -> list[str]:
    """The command lines, with the environment, of the processes whose `MARK` is `mark`."""
    return [line for line in _shown("axewwo") if f"{MARK}={mark}" in line]


def _shown(options: str) -> list[str]:
    return subprocess.run(
        ["ps", options, "args"], capture_output=True, text=True, check=True
    ).stdout.splitlines()


def _folders(places: Sequence[Path]) -> list[str]:
    """Those that nobody is there to remove: who will names them in its arguments."""
    found = [str(path) for place in places for path in place.glob("deadweight-*")]
    named = "\n".join(_shown("axwwo"))
    return [path for path in found if path not in named]


def _mounts(places: Sequence[Path]) -> list[str]:
    """Those of deadweight in `places`, and where sandboxes mount (proc(5), mountinfo: the fifth field)."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if _is_ours(Path(line.split()[4]), places)]


def _is_ours(point: Path, places: Sequence[Path]) -> bool:
    within = (place / "deadweight-" for place in places)
    return any(str(point).startswith(str(one)) for one in within) or any(map(point.is_relative_to, _POINTS))
