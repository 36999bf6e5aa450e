"""Places whose files only one kind of program reads or starts: an init system, cron, a package manager.

What packages of a distribution put there stays only if such a program is needed, or if it is named by something else. The
facts are in ``knowledge/places.toml``, each with its origin.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from deadweight.evidence.globs import matching
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene

READ = "place-of-program"


@dataclass(frozen=True, slots=True)
class Place:
    """Folders, each with a slash at its end, files, and ``*`` with what paths end in."""

    paths: tuple[str, ...]
    readers: tuple[str, ...]
    """The programs, by name. Where there are none, only people use what is there."""
    because: str
    """Why a container that has none of them does without it."""


@cache
def known_places() -> Sequence[Place]:
    """The facts that come with deadweight."""
    text = resources.files("deadweight.evidence").joinpath("knowledge/places.toml").read_text("utf-8")
    entries = tomllib.loads(text)["place"]
    return [Place(tuple(entry["paths"]), tuple(entry["readers"]), str(entry["because"])) for entry in entries]


class Places:
    """The places of one image."""

    def __init__(self, scene: Scene, places: Sequence[Place]) -> None:
        self._scene = scene
        paths = [path for place in places for path in place.paths]
        self._begin = tuple(path for path in paths if not path.startswith("*"))
        self._end = tuple(path[1:] for path in paths if path.startswith("*"))
        self._for_people = tuple(path for place in places if not place.readers for path in place.paths)
        self._read: dict[str, list[Place]] = {}
        self._seen: set[Place] = set()
        for place in places:
            for name in place.readers:
                self._read.setdefault(name, []).append(place)

    def decides(self, path: str) -> bool:
        """Whether what is at `path`, and belongs to a package, stays only if it is reached."""
        return path.startswith(self._begin) or path.endswith(self._end)

    def for_people(self, path: str) -> bool:
        """Whether only people use what is at `path`: what it needs is needed for nothing else."""
        return path.startswith(self._for_people)

    def read_by(self, name: str) -> Iterator[Claim]:
        """What the program `name` reads, the first time that it is asked for."""
        for place in self._read.get(name, ()):
            if place in self._seen:
                continue
            self._seen.add(place)
            for path in place.paths:
                if path.startswith("*"):
                    path = f"**/{path[2:]}"
                for found in matching(self._scene, f"{path}**" if path.endswith("/") else path):
                    yield Claim(found, READ, f"{name} may read or start it")
