"""What modules need that their source does not say: facts from ``knowledge/python.toml``, each with its origin."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Need:
    """What comes with some modules."""

    modules: tuple[str, ...]
    """Further modules: ``a.b``, or ``a.b*`` for all whose names begin so."""
    paths: tuple[str, ...]
    """Files and directories of the image; a directory with all that is in it."""
    programs: tuple[str, ...]
    """Programs that are started by name."""
    because: str


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All facts."""

    start: tuple[Need, ...]
    """What an interpreter loads when it starts, or for an error that nobody catches."""
    needs: Mapping[str, Sequence[Need]]
    """By the name of the module that brings it about."""
    ignored: Mapping[str, frozenset[str]]
    """Imports that are not followed, by the name of the module that makes them."""
    quiet_pth: frozenset[str]
    """Names of .pth files that are of use only where their distribution is needed for another reason."""


@cache
def python_knowledge() -> Knowledge:
    """The facts that come with deadweight."""
    text = resources.files("deadweight.evidence").joinpath("knowledge/python.toml").read_text("utf-8")
    return parse(text)


def parse(text: str) -> Knowledge:
    """The facts in `text`."""
    value = tomllib.loads(text)
    needs: dict[str, list[Need]] = {}
    for entry in value["needs"]:
        for module in entry["of"]:
            needs.setdefault(module, []).append(_need(entry))
    return Knowledge(
        tuple(_need(entry) for entry in value["start"]),
        needs,
        {entry["module"]: frozenset(entry["imports"]) for entry in value["ignored"]},
        frozenset(entry["name"] for entry in value["quiet_pth"]),
    )


def _need(entry: Mapping[str, object]) -> Need:
    return Need(
        _texts(entry, "modules"), _texts(entry, "paths"), _texts(entry, "programs"), str(entry["because"])
    )


def _texts(entry: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = entry.get(key, ())
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
