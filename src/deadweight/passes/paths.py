"""Paths of entries that lead through symbolic links: whether they lead to the same place in a rewritten layer."""

from __future__ import annotations

from deadweight.layer.entry import SYMLINK
from deadweight.passes.staying import Place, Staying, placed
from deadweight.tree.node import MAX_LINKS, Node

NEVER: Place = (1 << 31, 0)
"""After every entry."""


class Paths:
    """Looks up directories in what stays, each once."""

    def __init__(self, root: Node, staying: Staying) -> None:
        self._root = root
        self._staying = staying
        self._known: dict[str, tuple[Node, Place]] = {}

    def directory(self, path: str) -> tuple[Node, Place]:
        """The directory that `path` leads to, and the place after whose entry it does so for certain: `NEVER`, where it
        leads through what does not stay, or to nothing.
        """
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._walk(path)
        return known

    def _walk(self, path: str) -> tuple[Node, Place]:
        node, after, links = self._root, (-1, -1), 0
        todo = path.split("/")
        todo.reverse()
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                node = node.parent or node
                continue
            child = (node.children or {}).get(part)
            if child is None or not self._staying.has(child):
                return self._root, NEVER
            if child.entry.kind == SYMLINK:
                links += 1
                after = max(after, placed(child))
                todo.extend(reversed(child.entry.link.split("/")))
                if links > MAX_LINKS:
                    return self._root, NEVER
                if child.entry.link.startswith("/"):
                    node = self._root
            elif child.children is None:
                return self._root, NEVER
            else:
                node = child
        return node, after
