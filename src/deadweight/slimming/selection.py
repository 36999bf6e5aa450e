"""What of an image stays at each level, and why the rest goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from deadweight.evidence.company import DATABASES, SYSTEM
from deadweight.evidence.model import Evidence
from deadweight.evidence.scene import Scene
from deadweight.inventory.model import Package
from deadweight.layer.entry import SYMLINK
from deadweight.tree.node import Node

LOSSLESS = "lossless"
PACKAGES = "packages"
FILES = "files"
LEVELS = (FILES, PACKAGES, LOSSLESS)
"""From the deepest cut to the one that cuts nothing that anybody could see."""

UNUSED_PACKAGE = "unused-package"
UNREACHED = "unreached"
DROPPED = "dropped"
BOOKS = "package-database"
"""What package databases say of packages that go. It is found out when they are rewritten, and is in no `Selection`."""
REWRITTEN = "rewritten"
"""What a database lost when it was written anew; it stays itself. Like `BOOKS` it is in no `Selection`."""

_DIRECTORIES_STAY_OUTSIDE = ("usr/", "opt/", "lib/", "lib64/", "lib32/", "libx32/", "bin/", "sbin/")
"""Where a directory that nothing is left in goes: elsewhere somebody may write into it."""


class Removal(NamedTuple):
    """A path that goes. A NamedTuple, because there is one for nearly each file of an image."""

    path: str
    unpacked: int
    """Content bytes; 0 for what is no regular file, and for all but one of several names of a content."""
    kind: str
    """The id of a finding, such as ``documentation``; `UNUSED_PACKAGE`, `UNREACHED`, `DROPPED`, `BOOKS` or `REWRITTEN`."""
    owner: str
    """``ecosystem:name``; empty for what no package owns."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The paths of the merged tree that stay, and those that go."""

    level: str
    kept: frozenset[str]
    """Real paths: files, links and directories; their parents are among them."""
    removals: tuple[Removal, ...]
    """Sorted by path. Directories are not listed."""
    packages: tuple[Package, ...]
    """Those of which nothing stays that anybody uses, in the order of the inventory."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out about an image, on which every level decides."""

    scene: Scene
    evidence: Evidence
    needless: Mapping[str, str]
    """What is needless by its place: path -> the id of the finding."""
    drop: tuple[str, ...] = ()
    """Patterns of paths that the user wants to be gone, whatever needs them."""


def select(level: str, known: Known) -> Selection:
    """What stays at `level`, one of `LEVELS`."""
    return _SELECTORS[level](known).selection(level)


class _Selector:
    """Goes over all that is no directory, then over the directories."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.reasons = known.evidence.reasons
        self.owners = known.scene.inventory.owners
        self.gone: dict[int, Package] = {}

    def selection(self, level: str) -> Selection:
        removals: list[Removal] = []
        kept: set[str] = set()
        links: list[Node] = []
        counted: set[tuple[int, int]] = set()
        for node in self.known.scene.tree.leaves:
            kind = self._dropped(node) or self.kind(node)
            if not kind:
                kept.add(node.path)
                counted.add((node.layer, node.number))
            elif node.entry.kind == SYMLINK and kind == UNREACHED:
                links.append(node)
            else:
                removals.append(self._removal(node, kind))
        for node in links:
            if self._leads_to(node, kept):
                kept.add(node.path)
            else:
                removals.append(self._removal(node, UNREACHED))
        removals.sort()
        kept |= self._directories(kept)
        gone = tuple(package for package in self.known.scene.inventory.packages if id(package) in self.gone)
        return Selection(level, frozenset(kept), tuple(_counted(removals, self.known, counted)), gone)

    def kind(self, node: Node) -> str:
        """Why `node` goes; empty where it stays."""
        return ""

    def _dropped(self, node: Node) -> str:
        if any(fnmatchcase("/" + node.path, pattern) for pattern in self.known.drop):
            return DROPPED
        return ""

    def _removal(self, node: Node, kind: str) -> Removal:
        owner = self.owners.get(node.path)
        return Removal(node.path, node.entry.size, kind, owner.label if owner is not None else "")

    def _leads_to(self, link: Node, kept: set[str]) -> bool:
        """Whether what `link` leads to stays, so that it may be asked for by this name.

        One that leads to nothing in the image may lead to a volume, or to what the program makes at its start.
        """
        target = self.known.scene.resolve(link.path)
        return target is None or target.is_directory or target.path in kept

    def _directories(self, kept: set[str]) -> set[str]:
        """The directories above what stays, those that nothing was in, and those that something may be written into."""
        found: set[str] = set()
        for path in kept:
            above = path.rpartition("/")[0]
            while above and above not in found:
                found.add(above)
                above = above.rpartition("/")[0]
        for path, node in self.known.scene.tree.walk():
            if node.is_directory and path and path not in found and self._directory_stays(node):
                while path and path not in found:
                    found.add(path)
                    path = path.rpartition("/")[0]
        return found

    def _directory_stays(self, node: Node) -> bool:
        if node.path in self.reasons or not node.path.startswith(_DIRECTORIES_STAY_OUTSIDE):
            return True
        return all(child.is_directory for _, child in node.walk())


class _Packages(_Selector):
    """Packages that nothing needed depends on go, and what is needless by its place."""

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self.gone = _unused(known)

    def kind(self, node: Node) -> str:
        path = node.path
        if path in self.reasons:
            return ""
        if path in self.known.needless:
            return self.known.needless[path]
        return UNUSED_PACKAGE if id(self.owners.get(path)) in self.gone else ""


class _Files(_Packages):
    """Of the packages that stay goes what no evidence reaches."""

    def __init__(self, known: Known) -> None:
        super().__init__(known)
        self.gone = {
            id(package): package
            for package in known.scene.inventory.packages
            if not any(path in known.evidence.reasons for path in package.paths)
        }

    def kind(self, node: Node) -> str:
        found = super().kind(node)
        if found or node.path in self.reasons or node.path.startswith(DATABASES):
            return found
        return UNREACHED


_SELECTORS = {LOSSLESS: _Selector, PACKAGES: _Packages, FILES: _Files}


def _unused(known: Known) -> dict[int, Package]:
    """The packages that neither evidence reaches nor one that stays asks for, by identity."""
    packages = known.scene.inventory.packages
    providers: dict[tuple[str, str], list[Package]] = {}
    for package in packages:
        for name in {package.name, *package.provides}:
            providers.setdefault((package.ecosystem, name), []).append(package)
    stack = [
        package
        for package in packages
        if (package.essential and package.ecosystem in SYSTEM)
        or any(path in known.evidence.reasons for path in package.paths)
    ]
    staying: dict[int, Package] = {}
    while stack:
        package = stack.pop()
        if id(package) in staying:
            continue
        staying[id(package)] = package
        for name in _names(package.requires):
            stack += providers.get((package.ecosystem, name), ())
    return {id(package): package for package in packages if id(package) not in staying}


def _names(requires: Iterable[Iterable[str]]) -> Iterator[str]:
    for alternatives in requires:
        yield from alternatives


def _counted(removals: list[Removal], known: Known, counted: set[tuple[int, int]]) -> Iterator[Removal]:
    """The same with the bytes of each content at the first of its names, and none where a name of it stays."""
    for removal in removals:
        node = known.scene.tree.find(removal.path)
        key = (node.layer, node.number) if node is not None else (-1, -1)
        if key in counted:
            removal = removal._replace(unpacked=0)
        counted.add(key)
        yield removal
