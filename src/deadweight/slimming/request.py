"""What a user wants of a slimmed image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deadweight.errors import NotFound
from deadweight.layer.compress import Compression
from deadweight.probe.workload import Workload
from deadweight.sandbox import Choice, require_named

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


def require_given(request: Request, evidence: Path | None = None) -> None:
    """Raises `DeadweightError` for what was given, and plainly is not there: before an image is opened or run.

    That is a file of observations that cannot be read, and a sandbox that is asked for by its name.
    """
    for file in (*request.traces, *((evidence,) if evidence is not None else ())):
        try:
            if not file.is_fifo():  # as of a shell's <(...), which can be read once
                file.open("rb").close()
        except OSError as error:
            remedy = "write it with --save-evidence" if file is evidence else ""
            raise NotFound(str(file), error.strerror or str(error), remedy) from None
    require_named(request.sandbox)
