"""What the Go linker writes into a program of itself (Go's debug/buildinfo and runtime/debug.BuildInfo)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GoModule:
    """A module; `replacement` is what a replace directive put in its place."""

    path: str
    version: str
    """``(devel)`` or empty for what was built from a working tree."""
    replacement: GoModule | None = None


@dataclass(frozen=True, slots=True)
class GoBuild:
    """The build information of one Go program."""

    version: str
    """Of Go, such as ``go1.22.1``."""
    path: str = ""
    """The import path of the main package."""
    module: GoModule | None = None
    """The module that holds the main package."""
    dependencies: tuple[GoModule, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    """Name and value in the order of the file: ``-ldflags``, ``-trimpath``, ``CGO_ENABLED``, ``vcs.revision`` ..."""
