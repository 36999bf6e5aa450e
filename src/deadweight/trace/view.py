"""The file system as a run sees it: the image's tree, and what the run itself changed in it.

It makes, removes, renames and links names as the calls of the run say, so that a path leads to what the image has there,
and only to that: what the run made is not the image's, and what it renamed still is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deadweight.errors import LimitExceeded
from deadweight.layer.entry import SYMLINK
from deadweight.tree.node import Node, Tree

MAX_LINKS = 40
"""How many symbolic links Linux follows for one path (path_resolution(7))."""
MAX_MADE = 1_000_000
"""The most names that a run may make."""
FOREIGN = frozenset({"dev", "proc", "sys"})
"""Folders of the root that are the sandbox's, whatever the image has there."""


class Spot:
    """A name in the view. `node` is what the image has for it; None for what the run made, whose `link` is the target of a
    symbolic link. What is known below it is in `names`; None stands for a name that was removed. Hard links have the same
    `first`.
    """

    __slots__ = ("first", "link", "name", "names", "node", "parent")

    def __init__(self, name: str, parent: Spot | None, node: Node | None, link: str | None = None) -> None:
        self.name = name
        self.parent = parent
        self.node = node
        self.link = link
        self.names: dict[str, Spot | None] = {}
        self.first = self

    @property
    def path(self) -> str:
        """Where it is now, with a leading slash."""
        parts: list[str] = []
        spot = self
        while spot.parent is not None:
            parts.append(spot.name)
            spot = spot.parent
        return "/" + "/".join(reversed(parts))

    def is_same(self, other: Spot) -> bool:
        """Whether both are names of one file."""
        if self.first is other.first:
            return True
        one, two = self.node, other.node
        return (
            one is not None and two is not None and one.layer == two.layer >= 0 and one.number == two.number
        )

    def below(self, name: str) -> Spot | None:
        """What has that name in this directory; None where nothing has."""
        try:
            return self.names[name]
        except KeyError:
            pass
        node = self.node.children.get(name) if self.node is not None and self.node.children else None
        if node is None:
            return None
        link = node.entry.link if node.entry.kind == SYMLINK else None
        spot = self.names[name] = Spot(name, self, node, link)
        return spot


@dataclass(frozen=True, slots=True)
class Found:
    """Where a path led. `links` are the symbolic links that were followed.

    `spot` is what is there, None for nothing; then `parent` is the last that was there on the way. Where that is the
    directory in which the path's last part would be, `name` is that part; else it is empty. `removed` says that the run itself
    removed it; `foreign`, that the path led out of the image.
    """

    links: Sequence[Spot]
    spot: Spot | None
    parent: Spot
    name: str = ""
    removed: bool = False
    foreign: bool = False


class View:
    """The tree as a run sees it. `changes` grows with each change."""

    def __init__(self, tree: Tree) -> None:
        self.root = Spot("", None, tree.root)
        self.changes = 0
        self._made = 0

    def find(self, path: str, start: Spot, root: Spot, *, follows: bool = True) -> Found:
        """Where `path` leads a process whose working directory is `start` and whose root is `root`."""
        spot = root if path.startswith("/") else start
        todo = path.split("/")
        todo.reverse()
        links: list[Spot] = []
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if spot is not root:
                    spot = spot.parent or spot
                continue
            if part in FOREIGN and spot is self.root:
                if part == "proc" and len(todo) > 1 and todo[-2] == "root" and (len(todo) > 2 or follows):
                    del todo[-2:]
                    continue
                return Found(links, None, spot, foreign=True)
            below = spot.below(part)
            if below is None:
                last = not any(rest not in ("", ".") for rest in todo)
                return Found(links, None, spot, part if last else "", removed=part in spot.names)
            if below.link is not None and (todo or follows):
                links.append(below)
                if len(links) > MAX_LINKS:
                    return Found(links, None, spot)
                todo.extend(reversed(below.link.split("/")))
                if below.link.startswith("/"):
                    spot = root
            else:
                spot = below
        return Found(links, spot, spot.parent or spot, spot.name)

    def make(self, parent: Spot, name: str, link: str | None = None) -> Spot:
        """A new name, which the image does not have. Raises `LimitExceeded`."""
        return self._put(parent, name, Spot(name, parent, None, link))

    def link(self, spot: Spot, parent: Spot, name: str) -> Spot:
        """One more name for what is at `spot`, which is no directory."""
        twin = Spot(name, parent, spot.node, spot.link)
        twin.first = spot.first
        return self._put(parent, name, twin)

    def rename(self, spot: Spot, parent: Spot, name: str) -> None:
        """Gives `spot` another name; what had it is gone. Of two names of one file, both stay (rename(2))."""
        there = parent.below(name)
        if there is not None and there.is_same(spot):
            return
        above: Spot | None = parent
        while above is not None:
            if above is spot:
                return  # no kernel does that: the log errs
            above = above.parent
        if spot.parent is None:
            return
        self.remove(spot)
        spot.parent, spot.name = parent, name
        self._put(parent, name, spot)

    def exchange(self, one: Spot, other: Spot) -> None:
        """Each gets the other's name."""
        if one.parent is None or other.parent is None:
            return
        parent, name = other.parent, other.name
        self.rename(other, one.parent, one.name)
        self.rename(one, parent, name)

    def remove(self, spot: Spot) -> None:
        """Nothing has that name any more."""
        if spot.parent is not None and spot.parent.names.get(spot.name) is spot:
            spot.parent.names[spot.name] = None
            self.changes += 1

    def _put(self, parent: Spot, name: str, spot: Spot) -> Spot:
        self._made += 1
        if self._made > MAX_MADE:
            raise LimitExceeded("the trace", f"the run makes more than {MAX_MADE} names")
        parent.names[name] = spot
        self.changes += 1
        return spot
