"""Layers applied one on the other (OCI image-spec v1.1, layer.md, "Applying Changesets").

Where the specification is silent, layers are applied as umoci unpacks them: a symbolic link in the parent of an
entry is followed inside the image, an entry of another type replaces what was there, and a whiteout spares what
its own layer brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deadweight.errors import InvalidLayer, LimitExceeded
from deadweight.layer.entry import (
    DIRECTORY,
    FILE,
    HARD_LINK,
    OPAQUE_WHITEOUT,
    SYMLINK,
    WHITEOUT_PREFIX,
    Entry,
)
from deadweight.layer.index import LayerIndex
from deadweight.tree.node import IMPLICIT, MAX_LINKS, Node, Tree

MAX_REAL_PATH = 1 << 16
"""The longest path that links may lead to."""

LIVE = "live"
SUPERSEDED = "superseded"
RESTATED = "restated"
DELETED = "deleted"
CLASSES = (LIVE, SUPERSEDED, RESTATED, DELETED)

MAX_IMPLICIT = 200_000
"""The most directories of one layer that no entry makes: one long path stands for two thousand of them."""
MAX_PATHS = 64 << 20
"""The most characters of paths of one layer that are not those of its entries: behind links they may be of any length."""


@dataclass(frozen=True, slots=True)
class Fate:
    """Why a content is not visible: its class, and the entry that hid it."""

    kind: str
    layer: int
    number: int


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged tree, and the fate of every content that is not in it.

    `fates[layer]` maps entry numbers to fates; a file that is not there is live. `shared` are the contents with several
    names, by layer and entry number.
    """

    tree: Tree
    fates: tuple[dict[int, Fate], ...]
    shared: frozenset[tuple[int, int]]


def merge(layers: Sequence[LayerIndex], *, complete: bool = True) -> Merged:
    """Applies `layers`, base first.

    With `complete`, a hard link without target is an error, as it is for every runtime; without (a foreign layer
    is missing) it is left out. Raises `InvalidLayer` for what cannot be unpacked, and `LimitExceeded`.
    """
    root = Node("", "", None, IMPLICIT, -1, -1, {})
    hidden = Fates(len(layers))
    for position, index in enumerate(layers):
        _Layer(root, position, index, hidden, complete).apply()
    return Merged(Tree(root), tuple(hidden.by_layer), hidden.shared())


class Fates:
    """Contents and how many names each still has."""

    def __init__(self, layers: int) -> None:
        self.by_layer: list[dict[int, Fate]] = [{} for _ in range(layers)]
        self._more_names: dict[tuple[int, int], int] = {}

    def shared(self) -> frozenset[tuple[int, int]]:
        """The contents that have several names now."""
        return frozenset(key for key, more in self._more_names.items() if more)

    def add_name(self, node: Node) -> None:
        """`node`'s content has got one more name."""
        key = node.layer, node.number
        self._more_names[key] = self._more_names.get(key, 0) + 1

    def drop_name(self, node: Node, kind: str, layer: int, number: int) -> None:
        """`node` goes; with the last name its content is hidden."""
        if node.entry.kind != FILE:
            return
        key = node.layer, node.number
        more = self._more_names.get(key, 0)
        if more:
            self._more_names[key] = more - 1
        else:
            self.by_layer[node.layer][node.number] = Fate(kind, layer, number)


class _Layer:
    """One layer on its way into the tree."""

    def __init__(self, root: Node, position: int, index: LayerIndex, fates: Fates, complete: bool) -> None:
        self._root = root
        self._position = position
        self._index = index
        self._fates = fates
        self._complete = complete
        self._number = -1
        self._implicit = 0
        self._paths = 0
        # By the path in the tar; emptied when a directory or link goes, or a link comes that may lie on the way to one.
        self._directories: dict[str, Node] = {}
        self._behind_links = False

    def apply(self) -> None:
        directories, position = self._directories, self._position
        for number, entry in enumerate(self._index.entries):
            self._number = number
            path = entry.path
            directory, _, name = path.rpartition("/")
            if name.startswith(WHITEOUT_PREFIX):
                self._whiteout(directory, name, entry)
            elif path:
                parent = directories.get(directory) or self._parent(directory)
                if parent.path != directory:  # behind a link
                    path = self._counted(parent, name)
                children = parent.children or _children(parent)
                if entry.kind == FILE and parent.touched == position and name not in children:
                    children[name] = Node(path, name, parent, entry, position, number)  # as nearly always
                else:
                    self._put(path, parent, name, entry)
            elif entry.kind == DIRECTORY:
                self._root.entry, self._root.layer, self._root.number = entry, self._position, number
            else:
                raise self._error(entry, "the root of the image is not a directory")

    def _put(self, path: str, parent: Node, name: str, entry: Entry) -> None:
        children = _children(parent)
        old = children.get(name)
        if entry.kind == HARD_LINK:
            node = self._link(path, parent, name, entry, old)
            if node is None:
                return
        elif entry.kind == DIRECTORY and old is not None and old.children is not None:
            old.entry, old.layer, old.number = entry, self._position, self._number
            self._touch(old)
            return
        else:
            below: dict[str, Node] | None = {} if entry.kind == DIRECTORY else None
            # Nearly always the path is that of the entry: one string for both spares memory.
            node = Node(path, name, parent, entry, self._position, self._number, below)
        if old is not None:
            self._replace(old, node)
            del children[name]
        children[name] = node
        if self._behind_links and node.entry.kind == SYMLINK:
            self._directories.clear()
        if parent.touched != self._position:
            self._touch(parent)

    def _link(self, path: str, parent: Node, name: str, entry: Entry, old: Node | None) -> Node | None:
        target = self._find_target(entry.link)
        if target is None or target.children is not None or target is old:
            if target is old and old is not None and old.children is None:
                return None  # a hard link to itself: nothing changes
            if self._complete:
                what = "a directory" if target is not None else "nothing"
                raise self._error(entry, f"is a hard link to {entry.link!r}, where {what} is")
            return None
        node = Node(path, name, parent, target.entry, target.layer, target.number)
        node.touched, node.named = self._position, self._number
        if target.entry.kind == FILE:
            self._fates.add_name(target)
        return node

    def _find_target(self, path: str) -> Node | None:
        directory, _, name = path.rpartition("/")
        parent = self._directories.get(directory) or self._walk(directory, create=False)
        return parent.children.get(name) if parent is not None and parent.children is not None else None

    def _replace(self, old: Node, new: Node) -> None:
        same = old.entry.kind == FILE and new.entry.kind == FILE and old.entry.digest == new.entry.digest
        self._drop(old, RESTATED if same else SUPERSEDED)

    def _drop(self, node: Node, kind: str) -> None:
        """All names at and below `node` go."""
        if node.entry.kind == FILE:
            self._fates.drop_name(node, kind, self._position, self._number)
            return
        if node.children is not None or node.entry.kind == SYMLINK:
            self._directories.clear()
        for _, below in node.walk():
            self._fates.drop_name(below, kind, self._position, self._number)

    def _whiteout(self, directory: str, name: str, entry: Entry) -> None:
        parent = self._walk(directory, create=False)
        if parent is None or parent.children is None:
            return
        if name == OPAQUE_WHITEOUT:
            self._clear(parent)
            return
        victim = name.removeprefix(WHITEOUT_PREFIX)
        if not victim or victim in (".", ".."):
            raise self._error(entry, "is a whiteout of no name")
        node = parent.children.get(victim)
        if node is None:
            return
        if node.touched == self._position:
            self._clear(node)
        else:
            self._drop(node, DELETED)
            del parent.children[victim]

    def _clear(self, directory: Node) -> None:
        """What lower layers put into `directory` goes; what this layer brought stays."""
        stack = [directory]
        while stack:
            node = stack.pop()
            children = node.children
            if children is None:
                continue
            for name, child in list(children.items()):
                if child.touched == self._position:
                    stack.append(child)
                else:
                    self._drop(child, DELETED)
                    del children[name]

    def _parent(self, path: str) -> Node:
        above, _, name = path.rpartition("/")
        known = self._directories.get(above)
        node = _children(known).get(name) if known is not None else None
        if node is None or node.children is None:
            node = self._walk(path, create=True) or self._root
        self._directories[path] = node
        self._behind_links = self._behind_links or node.path != path
        return node

    def _walk(self, path: str, *, create: bool) -> Node | None:
        """The directory at `path`, links followed inside the image.

        What is missing, or is no directory, counts as an empty one, as securejoin has it for extractors: ``..`` leads
        back out of it. With `create`, it is made where the path ends in it.
        """
        node, links = self._root, 0
        missing: list[str] = []
        todo = path.split("/")
        todo.reverse()
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if missing:
                    missing.pop()
                else:
                    node = node.parent or node
                continue
            child = node.children.get(part) if node.children is not None and not missing else None
            if child is None:
                missing.append(part)
            elif child.entry.kind == SYMLINK:
                links += 1
                if links > MAX_LINKS:
                    raise self._error(
                        self._index.entries[self._number], "its parent is a circle of symbolic links"
                    )
                todo.extend(reversed(child.entry.link.split("/")))
                if child.entry.link.startswith("/"):
                    node = self._root
            elif child.children is None:
                missing.append(part)
            else:
                node = child
        if missing and not create:
            return None
        for name in missing:
            node = self._make_directory(node, name)
        return node

    def _make_directory(self, parent: Node, name: str) -> Node:
        """A directory that no entry speaks of; what stands in its way goes."""
        self._implicit += 1
        if self._implicit > MAX_IMPLICIT:
            problem = f"needs more than {MAX_IMPLICIT} directories that it has no entries for"
            raise LimitExceeded(f"layer {self._index.digest}", problem)
        children = _children(parent)
        node = Node(self._counted(parent, name), name, parent, IMPLICIT, -1, -1, {})
        old = children.pop(name, None)
        if old is not None:
            self._drop(old, SUPERSEDED)
        children[name] = node
        self._touch(node)
        return node

    def _counted(self, parent: Node, name: str) -> str:
        """The path of `name` in `parent`, one that no entry has. Raises `InvalidLayer` and `LimitExceeded`."""
        path = f"{parent.path}/{name}" if parent.path else name
        if len(path) > MAX_REAL_PATH:
            problem = f"leads through links to a path of {len(path)} characters"
            raise self._error(self._index.entries[self._number], problem)
        self._paths += len(path)
        if self._paths > MAX_PATHS:
            problem = f"makes more than {MAX_PATHS} characters of paths that its entries do not have"
            raise LimitExceeded(f"layer {self._index.digest}", problem)
        return path

    def _touch(self, node: Node | None) -> None:
        while node is not None and node.touched != self._position:
            node.touched = self._position
            node = node.parent

    def _error(self, entry: Entry, problem: str) -> InvalidLayer:
        return InvalidLayer(f"layer {self._index.digest}", f"{entry.path!r} {problem}", offset=entry.start)


def _children(directory: Node) -> dict[str, Node]:
    if directory.children is None:
        raise TypeError(f"{directory.path!r} is no directory")
    return directory.children
