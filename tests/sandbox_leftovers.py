"""What a sandbox could leave behind: processes and mounts. Other programs come and go meanwhile, and do not count."""

from __future__ import annotations

import subprocess
from pathlib import Path

_POINTS = ("/mnt", "/media", "/srv", "/opt")
"""Where a sandbox mounts what is written in it, in a namespace of its own."""


def processes(mark: str) -> list[str]:
    """The command lines with `mark` in them."""
    shown = subprocess.run(["ps", "axwwo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if mark in line]


def mounts(folder: Path) -> list[str]:
    """The mounts in `folder`, and where sandboxes have theirs (proc(5), mountinfo: the fifth field)."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [point for point in points if any(Path(point).is_relative_to(top) for top in (folder, *_POINTS))]
