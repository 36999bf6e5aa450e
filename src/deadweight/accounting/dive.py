"""dive's image score (dive 0.13, `dive/filetree/efficiency.go` and `dive/image/analysis.go`), computed its way.

dive looks at the leaves of each layer's tree: files, links and directories without children. A path is wasteful when
two layers, or more, have it as a leaf; all of its copies count as wasted then, the live one too. A whiteout is a leaf of
the path that it hides, so a deleted file is wasted; of a deleted directory only the directory's own path is looked at,
which is no leaf, so nothing below it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from operator import itemgetter

from deadweight.accounting.model import DiveScore
from deadweight.errors import LimitExceeded
from deadweight.layer.entry import DIRECTORY, WHITEOUT_PREFIX, Entry
from deadweight.layer.index import LayerIndex
from deadweight.tree.merge import MAX_PATHS

_NEVER_ADDED = ".wh..wh.."
_PATH_AND_SIZE = itemgetter(Entry._fields.index("path"), Entry._fields.index("size"))


def dive_score(layers: Sequence[LayerIndex]) -> DiveScore:
    """The numbers that dive has for `layers`, base first; bytes are unpacked."""
    trees = [_LayerTree(index) for index in layers]
    below = _Below(trees)
    once: dict[str, int] = {}
    copies: dict[str, list[int]] = {}
    for position, tree in enumerate(trees):
        if tree.whiteouts:
            for path, size in tree.leaves(below, position):
                if path in once:
                    copies.setdefault(path, [once[path]]).append(size)
                else:
                    once[path] = size
        else:  # the same for many at once
            leaves = tree.plain_leaves()
            for path in once.keys() & leaves.keys():
                copies.setdefault(path, [once[path]]).append(leaves.pop(path))
            once, leaves = (once, leaves) if len(once) > len(leaves) else (leaves, once)
            once.update(leaves)
    # A path of which dive saw no more than a whiteout of nothing has the least size that it starts from: -1.
    unknown = {gone for tree in trees if (gone := tree.hides_nothing) is not None and gone not in once}
    found = sum(once.values()) + sum(sum(sizes[1:]) for sizes in copies.values())
    least = sum(once.values()) - sum(sizes[0] - min(sizes) for sizes in copies.values()) - len(unknown)
    return DiveScore(
        efficiency=least / found if found else 1.0,
        wasted=sum(map(sum, copies.values())),
        user_bytes=sum(index.unpacked for index in layers[1:]),
    )


class _LayerTree:
    """The nodes of one layer: path -> size. A path that only others imply has no size."""

    def __init__(self, index: LayerIndex) -> None:
        self._index = index
        self._room = MAX_PATHS
        self.hides_nothing: str | None = None
        self.sizes = dict(map(_PATH_AND_SIZE, index.entries))
        self.sizes.pop("", None)
        special = [path for path in self.sizes if WHITEOUT_PREFIX in path]
        implied = [self._cut(path) for path in special if _NEVER_ADDED in path]
        self.parents = {path.rpartition("/")[0] for path in self.sizes}
        for parent in [parent for parent in self.parents if parent not in self.sizes]:
            self._add_parents(parent.rpartition("/")[0])
        for path in implied:
            self._add_parents(path.rpartition("/")[0])
        self.parents.discard("")
        for path in (*self.parents, *filter(None, implied)):
            self.sizes.setdefault(path, 0)
        self.whiteouts = [
            path
            for path in special
            if path in self.sizes and path not in self.parents and _name(path).startswith(WHITEOUT_PREFIX)
        ]

    @cached_property
    def directories(self) -> set[str]:
        """The paths that are entered as directories."""
        kinds = {entry.path: entry.kind for entry in self._index.entries}
        return {path for path, kind in kinds.items() if kind == DIRECTORY}

    def plain_leaves(self) -> dict[str, int]:
        """The leaves with their sizes, where none is a whiteout."""
        leaves = self.sizes.copy()
        for path in self.parents:
            leaves.pop(path, None)
        return leaves

    def leaves(self, below: _Below, position: int) -> list[tuple[str, int]]:
        """The leaves with their sizes, a whiteout as what it hides. A whiteout of nothing ends dive's walk of the layer."""
        hidden = {path: below.size(position, _hidden(path)) for path in self.whiteouts}
        paths = [path for path in self.sizes if path not in self.parents]
        if None in hidden.values():
            paths.sort(key=_order)
            stop = next(number for number, path in enumerate(paths) if hidden.get(path, 0) is None)
            self.hides_nothing = _hidden(paths[stop])
            del paths[stop:]
        return [
            (_hidden(path), hidden[path] or 0) if path in hidden else (path, self.sizes[path])
            for path in paths
        ]

    def _cut(self, path: str) -> str:
        """Drops `path` where dive makes no node: an opaque whiteout, and what is below one. The parent that it does make."""
        parts = path.split("/")
        stop = next((number for number, part in enumerate(parts) if part.startswith(_NEVER_ADDED)), None)
        if stop is None:
            return ""
        del self.sizes[path]
        return "/".join(parts[:stop])

    def _add_parents(self, path: str) -> None:
        while path and path not in self.parents:
            self._room -= len(path)
            if self._room < 0:
                problem = f"makes more than {MAX_PATHS} characters of paths that its entries do not have"
                raise LimitExceeded(f"layer {self._index.digest}", problem)
            self.parents.add(path)
            path = path.rpartition("/")[0]


class _Below:
    """What the layers below a whiteout have where it points to: dive stacks their trees anew for each whiteout.

    Here the trees are stacked once, and only what is at or below the path of some whiteout.
    """

    def __init__(self, trees: Sequence[_LayerTree]) -> None:
        self._trees = trees
        self._targets = {_hidden(path) for tree in trees for path in tree.whiteouts}
        self._near: dict[str, bool] = {"": False}
        self._root = _Node()
        self._stacked = 0
        if self._targets:
            self._copy(trees[0])

    def size(self, position: int, path: str) -> int | None:
        """What dive takes for a whiteout of `path` in layer `position`: the bytes of a directory, 0 for a file, None for nothing."""
        while self._stacked < position:
            self._stack(self._trees[self._stacked])
            self._stacked += 1
        node = self._root.find(path.split("/"))
        if node is None:
            return None
        return node.total() if node.is_directory else 0

    def _copy(self, tree: _LayerTree) -> None:
        """The start: dive takes a copy of the base layer, and stacks the base layer on it again."""
        for path, size in tree.sizes.items():
            if self._is_near(path):
                self._root.make(path.split("/")).fill(size, path in tree.directories)

    def _stack(self, tree: _LayerTree) -> None:
        near = [path for path in tree.sizes if self._is_near(path) or self._is_near(_hidden(path))]
        for path in sorted(near, key=_order):
            if _name(path).startswith(WHITEOUT_PREFIX):
                self._root.remove(_hidden(path).split("/"))
            else:
                self._root.make(path.split("/")).fill(tree.sizes[path], path in tree.directories)

    def _is_near(self, path: str) -> bool:
        unknown = []
        while path not in self._near:
            if path in self._targets:
                self._near[path] = True
            else:
                unknown.append(path)
                path = path.rpartition("/")[0]
        near = self._near[path]
        for one in unknown:
            self._near[one] = near
        return near


class _Node:
    __slots__ = ("children", "is_directory", "size")

    def __init__(self) -> None:
        self.size = 0
        self.is_directory = False
        self.children: dict[str, _Node] = {}

    def fill(self, size: int, is_directory: bool) -> None:
        self.size, self.is_directory = size, is_directory

    def make(self, parts: Sequence[str]) -> _Node:
        node = self
        for part in parts:
            child = node.children.get(part)
            if child is None:
                child = node.children[part] = _Node()
            node = child
        return node

    def find(self, parts: Sequence[str]) -> _Node | None:
        node: _Node | None = self
        for part in parts:
            if node is None:
                return None
            node = node.children.get(part)
        return node

    def remove(self, parts: Sequence[str]) -> None:
        parent = self.find(parts[:-1])
        if parent is not None:
            parent.children.pop(parts[-1], None)

    def total(self) -> int:
        total, stack = 0, [self]
        while stack:
            node = stack.pop()
            total += node.size
            stack.extend(node.children.values())
        return total


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _hidden(path: str) -> str:
    """`path` without the prefix that makes its last part a whiteout."""
    directory, slash, name = path.rpartition("/")
    return directory + slash + name.removeprefix(WHITEOUT_PREFIX)


def _order(path: str) -> list[bytes]:
    """The order of dive's walk: by name, as bytes, directory for directory."""
    return path.encode("utf-8", "surrogateescape").split(b"/")
