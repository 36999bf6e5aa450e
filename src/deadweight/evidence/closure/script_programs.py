"""Programs that come with others: facts from ``knowledge/programs.toml``, each with its origin."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Start:
    """What a program may start."""

    programs: tuple[str, ...]
    because: str


@cache
def known_starts() -> Mapping[str, Sequence[Start]]:
    """The facts that come with deadweight, by the name of the program that starts others."""
    text = resources.files("deadweight.evidence").joinpath("knowledge/programs.toml").read_text("utf-8")
    found: dict[str, list[Start]] = {}
    for entry in tomllib.loads(text)["starts"]:
        for name in entry["by"]:
            found.setdefault(name, []).append(Start(tuple(entry["programs"]), str(entry["because"])))
    return found
