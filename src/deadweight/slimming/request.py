"""What a user wants of a slimmed image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deadweight.layer.compress import Compression
from deadweight.probe.workload import Workload
from deadweight.sandbox import Choice

AUTO = "auto"
CHOICES = (AUTO, "files", "packages", "lossless")


@dataclass(frozen=True, slots=True)
class Request:
    """Options of a slimming. Patterns are those of `fnmatch`, against paths with a leading slash."""

    level: str = AUTO
    """One of `CHOICES`."""
    workloads: tuple[Workload, ...] = ()
    """What the image is asked; where there are none, what its config says can be asked."""
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    keep_packages: tuple[str, ...] = ()
    """By name, or as ``ecosystem:name``."""
    drop_shell: bool = False
    traces: tuple[Path, ...] = ()
    """What strace wrote, or lists of paths: what they say was used is kept."""
    keep_base: str = ""
    """Which layers, from the lowest on, stay as they are: how many, or an image that has them too."""
    compression: Compression | None = None
    """None for that of each layer."""
    threads: int = 1
    sandbox: Choice = Choice()  # noqa: RUF009 - it is frozen
    """What runs the original and the result."""
