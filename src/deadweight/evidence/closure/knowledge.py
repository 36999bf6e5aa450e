"""What libraries and runtimes open by paths of their own: the facts of ``knowledge/libraries.toml``."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence

from deadweight.evidence.closures import Quiet
from deadweight.evidence.company import PROGRAM_FOLDERS, SYSTEM
from deadweight.evidence.globs import matching
from deadweight.evidence.knowledge_entries import Entry, library_knowledge
from deadweight.evidence.linker import Linker
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import Package
from deadweight.tree.node import Node

RULE = "knowledge-"
"""Before the id of the entry."""
TERMINFO = ("lib/terminfo", "usr/lib/terminfo", "usr/share/terminfo")
"""Where the distributions' ncurses look for terminals, beside etc/terminfo."""


class KnowledgeClosure:
    """Follows what is needed to what is known to come with it."""

    name = "knowledge"

    def __init__(self, entries: Sequence[Entry] | None = None) -> None:
        self._entries = library_knowledge() if entries is None else entries

    def open(self, scene: Scene) -> KnowledgeFollower:
        return KnowledgeFollower(scene, self._entries)


class KnowledgeFollower(Quiet):
    """Each entry fires once in an image: for the first file that it speaks of."""

    def __init__(self, scene: Scene, entries: Sequence[Entry]) -> None:
        self._scene = scene
        self._waiting = [(entry, _any_of(entry.names)) for entry in entries]
        self._only = _any_of(pattern for entry in entries for pattern in entry.only)
        folders = tuple(folder for folder in Linker(scene).directories)
        self._folders = {"{lib}": folders, "{terminfo}": TERMINFO}

    def follow(self, node: Node) -> Iterator[Claim]:
        fired = [waiting for waiting in self._waiting if self._speaks_of(*waiting, node)]
        if fired:
            self._waiting = [waiting for waiting in self._waiting if waiting not in fired]
        for entry, _ in fired:
            for pattern in entry.keep:
                for path in self._paths(pattern):
                    yield Claim(path, RULE + entry.id, f"{entry.because} ({entry.origin})")

    def _speaks_of(self, entry: Entry, names: re.Pattern[str], node: Node) -> bool:
        if entry.when == "file":
            return names.fullmatch(node.path) is not None
        elf = self._scene.elf_files.get(node.path)
        if elf is None:
            return False
        if entry.when == "library":
            return bool(elf.soname and names.fullmatch(elf.soname)) or names.fullmatch(node.name) is not None
        if entry.when == "program":
            return names.fullmatch(node.name) is not None and node.path.rpartition("/")[0] in PROGRAM_FOLDERS
        return elf.is_go if entry.when == "go" else elf.static

    def _paths(self, pattern: str) -> Iterator[str]:
        for word, folders in self._folders.items():
            if pattern.startswith(word):
                for folder in folders:
                    yield from matching(self._scene, pattern.replace(word, _literal(folder), 1))
                return
        yield from matching(self._scene, pattern)

    def decides(self, node: Node, owner: Package | None) -> bool:
        return owner is not None and owner.ecosystem in SYSTEM and self._only.fullmatch(node.path) is not None


def _literal(folder: str) -> str:
    """`folder` as a pattern that matches only itself."""
    return re.sub(r"([*?[])", r"[\1]", folder)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """Matches what one of `patterns` does; ``*`` stands for any characters, slashes too. Nothing where there are none."""
    texts = [fnmatch.translate(pattern) for pattern in patterns]
    return re.compile("|".join(texts) or r"(?!)")
