"""Ruby's gems: those that an application's Gemfile.lock names, else all. What Ruby itself brings is in ``runtimes.toml``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from deadweight.evidence.closures import Quiet
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import GEM, Package
from deadweight.tree.node import Node

GEM_KEPT = "gem"

LOCK = "Gemfile.lock"
MAX_LOCKS = 64
ALWAYS = frozenset({"bundler"})
"""Bundler reads the lock, and is not in it."""
_LOCKED = re.compile(r"^ {4,6}([A-Za-z0-9._-]+)(?: \(|!?$)", re.MULTILINE)
_DEFAULT = "/specifications/default/"


class RubyClosure:
    """Follows gems."""

    name = "ruby"

    def open(self, scene: Scene) -> RubyFollower:
        return RubyFollower(scene)


class RubyFollower(Quiet):
    """Knows the gems of one image."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._gems = [package for package in scene.inventory.packages if package.ecosystem == GEM]

    def follow(self, node: Node) -> Iterator[Claim]:
        if not self._gems or not (fnmatchcase(node.name, "ruby*") or fnmatchcase(node.name, "libruby*.so*")):
            return
        if node.path not in self._scene.elf_files:
            return
        gems, self._gems = self._gems, []
        locked = self._locked()
        for gem in gems:
            because = _why(gem, locked)
            yield from (Claim(path, GEM_KEPT, because) for path in gem.paths if because)

    def _locked(self) -> frozenset[str]:
        """The names in the locks of applications; none where there is no lock."""
        locks = [
            node
            for node in self._scene.tree.leaves
            if node.name == LOCK and node.is_file and self._scene.owner(node.path) is None
        ]
        texts = [self._scene.text(node) or "" for node in locks[:MAX_LOCKS]]
        return frozenset(name for text in texts for name in _LOCKED.findall(text))


def _why(gem: Package, locked: frozenset[str]) -> str:
    """Why `gem` is needed; empty where it is not."""
    if not locked:
        return "Ruby may load any gem: what an application loads at run time is not derived"
    if gem.name in locked:
        return f"the application's {LOCK} names {gem.name}"
    if gem.name in ALWAYS or _DEFAULT in gem.source:
        return f"{gem.name} comes with Ruby"
    return ""
