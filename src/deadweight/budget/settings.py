"""Budgets in ``deadweight.toml``, or under ``[tool.deadweight]`` in ``pyproject.toml``.

[budget]
wire = "60 MB"            # compressed bytes of all layers
unpacked = "200 MB"       # content bytes of all layers
dead = "5 MB"             # superseded, restated and deleted bytes
largest-file = "50 MB"    # of the merged file system
layers = 12
secrets = 0
growth = "5 %"            # unpacked, against `baseline`; bytes or percent
baseline = "oci:released" # an image, or a report that `analyze --json` wrote

[images."*/webhook"]      # the same for images whose reference matches; what stands here wins
wire = "30 MB"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from deadweight.budget.quantity import parse_bytes, parse_growth
from deadweight.errors import NotFound, UsageError
from deadweight.known_keys import require_known
from deadweight.settings_file import load_settings, nearest_settings, section

_BYTES = {"wire": "wire", "unpacked": "unpacked", "dead": "dead", "largest-file": "largest_file"}
_COUNTS = ("layers", "secrets")
KEYS = (*_BYTES, *_COUNTS, "growth", "baseline")


@dataclass(frozen=True, slots=True)
class Budget:
    """What an image may have at the most; None for no limit. Sizes are in bytes."""

    wire: int | None = None
    unpacked: int | None = None
    dead: int | None = None
    largest_file: int | None = None
    layers: int | None = None
    secrets: int | None = None
    growth_bytes: int | None = None
    growth_percent: float | None = None
    baseline: str = ""

    @property
    def is_empty(self) -> bool:
        return self == Budget(baseline=self.baseline)


@dataclass(frozen=True, slots=True)
class Settings:
    """The budgets of a project."""

    origin: str
    """The file they stand in."""
    budget: Budget
    images: tuple[tuple[str, Mapping[str, Any]], ...]

    def budget_for(self, reference: str) -> Budget:
        """The budget for the image named `reference`: the common one, changed by each section that matches."""
        budget = self.budget
        for pattern, values in self.images:
            if fnmatchcase(reference, pattern):
                budget = _budget(budget, values, f'{self.origin}: images."{pattern}"')
        return budget


def find_settings(directory: Path) -> Path:
    """The settings file that is nearest to `directory`, in it or above it. Raises `NotFound`."""
    found = nearest_settings(directory)
    if found is None:
        remedy = "write one, or name limits as --wire 60MB"
        raise NotFound("deadweight.toml", f"is not in {directory} or above it", remedy)
    return found


def read_settings(path: Path) -> Settings:
    """The settings in `path`. Raises `UsageError` for what is not understood, naming the nearest right key."""
    values = load_settings(path)
    origin = str(path)
    images = section(values, "images", origin)
    settings = Settings(
        origin=origin,
        budget=_budget(Budget(), section(values, "budget", origin), f"{origin}: budget"),
        images=tuple((pattern, section(images, pattern, origin)) for pattern in images),
    )
    for pattern, own in settings.images:
        _budget(Budget(), own, f'{origin}: images."{pattern}"')
    return settings


def _budget(base: Budget, values: Mapping[str, Any], subject: str) -> Budget:
    require_known(values, KEYS, subject)
    changes: dict[str, Any] = {}
    for key, value in values.items():
        if key in _BYTES:
            changes[_BYTES[key]] = parse_bytes(value, f"{subject}.{key}")
        elif key in _COUNTS:
            changes[key] = _count(value, f"{subject}.{key}")
        elif key == "growth":
            changes["growth_bytes"], changes["growth_percent"] = parse_growth(value, f"{subject}.growth")
        elif isinstance(value, str) and value:
            changes["baseline"] = value
        else:
            raise UsageError(f"{subject}.baseline", f"{value!r} is no image and no file")
    return replace(base, **changes)


def _count(value: object, subject: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise UsageError(subject, f"{value!r} is no count", "write a whole number")
