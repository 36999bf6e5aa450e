"""The seam between an image and those who know one kind of packages.

A `Reader` says what it wants to know of files while layers stream by (its collectors) and turns what is known of
those that the merged tree still shows into packages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from deadweight.errors import LimitExceeded
from deadweight.inventory.model import Package
from deadweight.layer.collect import Collector, Fact
from deadweight.layer.entry import SYMLINK
from deadweight.layer.index import LayerIndex
from deadweight.tree.node import LinkLoop, Node, Tree

MAX_CLAIMED = 256 << 20
"""The most bytes of paths that the packages of one kind may own: some hundred times those of 50,000 files."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A database or metadata file that could not be read: `reason` completes "PATH: ..."."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class Reader(Protocol):
    """Finds the packages of one kind."""

    @property
    def collectors(self) -> Sequence[Collector]:
        """The facts that it needs. Two readers may share a collector."""

    def read(self, tree: Tree, facts: Facts) -> Iterator[Package | Problem]:
        """What is installed, in any order. Never raises for what an image holds: that is a `Problem`."""


class Facts:
    """What collectors learnt of the contents that `tree` shows."""

    def __init__(self, tree: Tree, layers: Sequence[LayerIndex]) -> None:
        self._layers = layers
        self._nodes = _nodes_with_facts(tree, layers)

    def of(self, collector: Collector, node: Node) -> Fact:
        """The fact of the content of `node`; None where there is none."""
        if node.number < 0:
            return None
        return self._layers[node.layer].facts.get(collector.name, {}).get(node.number)

    def live(self, collector: Collector) -> Iterator[tuple[str, Fact]]:
        """Every path whose content has a fact, hard links included, and that fact; sorted by path.

        A collector selects by the first name that a layer gives a content: a hard link may have any other.
        """
        return ((node.path, fact) for node, fact in self.nodes(collector))

    def nodes(self, collector: Collector) -> Iterator[tuple[Node, Fact]]:
        """The same with nodes for paths."""
        tables = [layer.facts.get(collector.name, {}) for layer in self._layers]
        for node in self._nodes:
            fact = tables[node.layer].get(node.number)
            if fact is not None:
                yield node, fact


def first_fact(
    tree: Tree, facts: Facts, collector: Collector, paths: Iterable[str]
) -> tuple[str, dict[str, Fact]] | None:
    """The first of `paths` that leads to a file with a fact: the file's real path and that fact."""
    for path in paths:
        try:
            node = tree.resolve(path)
        except LinkLoop:
            continue
        fact = facts.of(collector, node) if node is not None else None
        if node is not None and isinstance(fact, dict):
            return node.path, fact
    return None


def _nodes_with_facts(tree: Tree, layers: Sequence[LayerIndex]) -> list[Node]:
    wanted = [set[int]().union(*layer.facts.values()) for layer in layers]
    return [node for node in tree.files.values() if node.number in wanted[node.layer]]


class Locator:
    """Finds the real paths of what databases list, each directory looked up once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._directories: dict[str, tuple[str, dict[str, Node]]] = {}
        self._claimed = 0

    def real(self, path: str) -> str | None:
        """The real path of what lies at `path`, links in its parents resolved; None for nothing or a directory."""
        directory, _, name = path.rpartition("/")
        prefix, children = self._directories.get(directory) or self._look_up(directory)
        child = children.get(name)
        return prefix + name if child is not None and child.children is None else None

    def owned(self, paths: Sequence[str]) -> tuple[str, ...]:
        """The real paths of those of `paths` that exist and are no directories, sorted, each once.

        Those that are real themselves, without a leading slash, are found fastest. A path that has others of `paths` in it was a directory to who listed it, even if a link took its place. Raises
        `LimitExceeded` for more than `MAX_CLAIMED` in all.
        """
        known = self._directories.get
        files = self._tree.files
        found = dict.fromkeys(filter(files.__contains__, paths))
        links = []
        for path in [path for path in paths if path not in files]:
            directory, _, name = path.rpartition("/")
            child = (known(directory) or self._look_up(directory))[1].get(name)
            if child is not None and child.children is None:
                if child.entry.kind == SYMLINK:
                    links.append((path, child.path))
                else:
                    found[child.path] = None
        if any(path in self._directories for path, _ in links):
            above = {path.rpartition("/")[0] for path in paths}
            links = [(path, real) for path, real in links if path not in above]
        found.update((real, None) for _, real in links)
        self._claimed += sum(map(len, found))
        if self._claimed > MAX_CLAIMED:
            raise LimitExceeded("the inventory", f"packages claim more than {MAX_CLAIMED} bytes of paths")
        return tuple(sorted(found))

    def _look_up(self, directory: str) -> tuple[str, dict[str, Node]]:
        above, _, name = directory.rpartition("/")
        parent = self._directories.get(above)
        node = parent[1].get(name) if parent is not None else None
        if parent is not None and node is not None and node.children is not None:
            found = (f"{parent[0]}{name}/", node.children)
        else:
            found = self._resolve(directory)
        self._directories[directory] = found
        return found

    def _resolve(self, directory: str) -> tuple[str, dict[str, Node]]:
        try:
            node = self._tree.resolve(directory)
        except LinkLoop:
            node = None
        if node is None or node.children is None:
            return "", {}
        path = node.path
        return path + "/" if path else "", node.children
