"""Runtimes whose files stay whole: facts from ``knowledge/runtimes.toml``, each with its origin."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources

from deadweight.evidence.closures import Quiet
from deadweight.evidence.globs import matching
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.tree.node import Node

WHOLE = "runtime-whole"


@dataclass(frozen=True, slots=True)
class Runtime:
    """One runtime."""

    name: str
    programs: tuple[str, ...]
    """Patterns of the names of its programs and libraries."""
    folders: tuple[str, ...]
    """Patterns of the folders that it loads from."""
    variables: tuple[str, ...]
    """Variables that name further ones, separated by colons."""


@cache
def known_runtimes() -> Sequence[Runtime]:
    """The facts that come with deadweight."""
    text = resources.files("deadweight.evidence").joinpath("knowledge/runtimes.toml").read_text("utf-8")
    return [
        Runtime(entry["name"], tuple(entry["programs"]), tuple(entry["folders"]), tuple(entry["variables"]))
        for entry in tomllib.loads(text)["runtime"]
    ]


class RuntimesClosure:
    """Keeps runtimes whole."""

    name = "runtimes"

    def open(self, scene: Scene) -> RuntimesFollower:
        return RuntimesFollower(scene, known_runtimes())


class RuntimesFollower(Quiet):
    """Keeps the runtimes of one image whole."""

    def __init__(self, scene: Scene, runtimes: Sequence[Runtime]) -> None:
        self._scene = scene
        self._left = list(runtimes)

    def follow(self, node: Node) -> Iterator[Claim]:
        if node.path not in self._scene.elf_files and not node.entry.mode & 0o111:
            return
        for runtime in [one for one in self._left if _is_of(node.name, one.programs)]:
            self._left.remove(runtime)
            yield from self._whole(runtime)

    def _whole(self, runtime: Runtime) -> Iterator[Claim]:
        folders = [path for pattern in runtime.folders for path in matching(self._scene, pattern)]
        for variable in runtime.variables:
            folders += filter(None, self._scene.environment.get(variable, "").split(":"))
        yield from whole(self._scene, folders, runtime.name)


def whole(scene: Scene, folders: Sequence[str], name: str) -> Iterator[Claim]:
    """All below `folders`, which the runtime `name` loads from."""
    because = f"{name} stays whole: what it loads at run time is not derived"
    for folder in folders:
        if folder.strip("/"):
            yield Claim(folder, WHOLE, because)
            yield from (Claim(node.path, WHOLE, because) for node in scene.below(folder))


def _is_of(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
