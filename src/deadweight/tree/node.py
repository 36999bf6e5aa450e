"""Names in the merged file system of an image, and how to find them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from operator import attrgetter

from deadweight.layer.entry import DIRECTORY, FILE, SYMLINK, Entry

_PATH = attrgetter("path")

MAX_LINKS = 255
"""How many symbolic links one look-up follows: as many as the extractors that runtimes use."""

IMPLICIT = Entry("", DIRECTORY, 0, 0o755, 0, 0, 0, "", b"", 0)
"""Stands for a directory that no layer has an entry for."""


class LinkLoop(LookupError):
    """A path whose symbolic links lead in a circle, or through more than `MAX_LINKS` links."""


class Node:
    """A name. Two hard links are two nodes with the same `layer` and `number`.

    `layer` and `number` say where the entry with the type and content lies (position of the layer, base first;
    number of the entry in it); -1 for implicit directories. `path` leads from the root of the image, without a leading
    slash; that of the root is empty. Only a directory has `children`, by name. What is no directory got its name from
    the entry `named` of the layer `touched`: where that is a hard link, another one than `number` of `layer`.
    """

    __slots__ = ("children", "entry", "layer", "name", "named", "number", "parent", "path", "touched")

    def __init__(
        self,
        path: str,
        name: str,
        parent: Node | None,
        entry: Entry,
        layer: int,
        number: int,
        children: dict[str, Node] | None = None,
    ) -> None:
        self.path = path
        self.name = name
        self.parent = parent
        self.entry = entry
        self.layer = layer
        self.number = number
        self.touched = layer
        self.named = number
        self.children = children

    @property
    def is_file(self) -> bool:
        return self.entry.kind == FILE

    @property
    def is_directory(self) -> bool:
        return self.children is not None

    def walk(self) -> Iterator[tuple[str, Node]]:
        """This node and all below it with their paths, directories before what they hold, in the order of the layers."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node.path, node
            if node.children:
                stack.extend(reversed(node.children.values()))


class Tree:
    """The merged file system: what a container sees. Once its `leaves` were looked at, it must not change any more."""

    def __init__(self, root: Node) -> None:
        self.root = root

    def walk(self) -> Iterator[tuple[str, Node]]:
        """Every path and its node, the root (an empty path) first."""
        return self.root.walk()

    @cached_property
    def files(self) -> Mapping[str, Node]:
        """Every regular file by its path, in the order of the paths."""
        return {node.path: node for node in self.leaves if node.entry.kind == FILE}

    @cached_property
    def leaves(self) -> Sequence[Node]:
        """Every node that is no directory, sorted by path."""
        found: list[Node] = []
        stack = [self.root]
        while stack:
            for child in (stack.pop().children or {}).values():
                (found if child.children is None else stack).append(child)
        found.sort(key=_PATH)
        return found

    def find(self, path: str) -> Node | None:
        """The node at `path`; symbolic links are followed in all but its last part. None where nothing is."""
        return self._find(path, follow_last=False)

    def resolve(self, path: str) -> Node | None:
        """The node that `path` leads to, every symbolic link followed inside the image; None where nothing is."""
        return self._find(path, follow_last=True)

    def _find(self, path: str, *, follow_last: bool) -> Node | None:
        node = self.root
        todo = path.split("/")
        todo.reverse()
        links = 0
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                node = node.parent or node
                continue
            if node.children is None:
                return None
            child = node.children.get(part)
            if child is None:
                return None
            if child.entry.kind == SYMLINK and (todo or follow_last):
                links += 1
                if links > MAX_LINKS:
                    raise LinkLoop(path)
                target = child.entry.link
                todo.extend(reversed(target.split("/")))
                if target.startswith("/"):
                    node = self.root
            else:
                node = child
        return node
