"""The file with a project's settings: ``deadweight.toml``, or ``[tool.deadweight]`` of ``pyproject.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deadweight.errors import UsageError
from deadweight.known_keys import require_known

MAX_SETTINGS = 1 << 20
"""The most bytes of a settings file."""
SECTIONS = ("budget", "images", "slim")


def nearest_settings(directory: Path) -> Path | None:
    """The settings file that is nearest to `directory`, in it or above it."""
    for folder in (directory, *directory.parents):
        own = folder / "deadweight.toml"
        if own.is_file():
            return own
        project = folder / "pyproject.toml"
        if project.is_file() and "deadweight" in section(_load(project), "tool", str(project)):
            return project
    return None


def load_settings(path: Path) -> Mapping[str, Any]:
    """The sections in `path`, as they are. Raises `UsageError` for what is no settings file, and for unknown sections."""
    values: Mapping[str, Any] = _load(path)
    if path.name == "pyproject.toml":
        values = section(section(values, "tool", str(path)), "deadweight", str(path))
    require_known(values, SECTIONS, str(path))
    return values


def section(values: Mapping[str, Any], name: str, subject: str) -> Mapping[str, Any]:
    """The table `name` of `values`, empty where it is not there. Raises `UsageError` for what is none."""
    value = values.get(name, {})
    if not isinstance(value, dict):
        raise UsageError(subject, f"{name!r} must be a table")
    return value


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_SETTINGS + 1)
        if len(raw) > MAX_SETTINGS:
            raise UsageError(str(path), f"has more than {MAX_SETTINGS} bytes", "is it a settings file?")
        return tomllib.loads(raw.decode())
    except tomllib.TOMLDecodeError as error:
        raise UsageError(str(path), f"is not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise UsageError(str(path), "is not UTF-8") from None
