"""What of a merged tree stays: the names that are kept, the directories that they are in, and what shares a content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from deadweight.tree.merge import Merged
from deadweight.tree.node import Node, Tree

Kept = Callable[[Node], bool]
"""Whether a name stays. The directories above it stay unasked."""

Place = tuple[int, int]
"""Where an entry is: the position of its layer, base first, and its number in it."""


def everything(node: Node) -> bool:
    """Keeps every name: what is left out is dead."""
    return True


@dataclass(frozen=True, slots=True)
class Staying:
    """The names of a merged tree that stay, by path."""

    leaves: Mapping[str, Node]
    directories: Mapping[str, Node]
    names: Mapping[Place, list[Node]]
    """The names of each content that a hard link gave a name to, in the order in which they came; those in `leaves`."""
    optional: frozenset[str] = frozenset()
    """Directories that stay only where kept base layers have them still."""

    def nodes(self) -> Iterator[Node]:
        yield from self.directories.values()
        yield from self.leaves.values()

    def has(self, node: Node) -> bool:
        return node.path in (self.leaves if node.children is None else self.directories)


def staying(merged: Merged, kept: Kept, base: Tree | None, keep_layers: int) -> Staying:
    """What stays of `merged`: what is `kept`, and what the first `keep_layers` layers, whose tree is `base`, have of it."""
    leaves: dict[str, Node] = {}
    directories: dict[str, Node] = {"": merged.tree.root}
    linked: dict[Place, list[Node]] = {}
    of_base = _directories(base) if base is not None else frozenset()
    optional = set()
    for path, node in reversed(list(merged.tree.walk())):  # directories after what is in them
        if node.children is not None:
            if path in directories or kept(node):
                directories[path] = node
            elif path in of_base:
                directories[path] = node
                optional.add(path)
                continue
            else:
                continue
        elif node.touched < keep_layers or kept(node):
            leaves[path] = node
            if placed(node) != origin(node):
                linked[origin(node)] = []
        else:
            continue
        if node.parent is not None:
            directories[node.parent.path] = node.parent
    for node in leaves.values():
        names = linked.get(origin(node))
        if names is not None:
            names.append(node)
    for names in linked.values():
        names.sort(key=placed)
    return Staying(leaves, directories, linked, frozenset(optional))


def origin(node: Node) -> Place:
    """Where the entry with the type and content of `node` is."""
    return node.layer, node.number


def placed(node: Node) -> Place:
    """Where the entry is that gave `node`, which is no directory, its name."""
    return node.touched, node.named


def _directories(tree: Tree) -> frozenset[str]:
    return frozenset(path for path, node in tree.walk() if node.children is not None)
