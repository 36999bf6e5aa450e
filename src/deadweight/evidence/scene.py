"""What is looked at when evidence is sought: the merged files of an image, who owns them, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from deadweight.accounting import scripts
from deadweight.accounting.programs import find_program, search_path
from deadweight.accounting.scripts import Script
from deadweight.inventory import elf
from deadweight.inventory.elf import Elf
from deadweight.inventory.model import Inventory, Package
from deadweight.inventory.reader import Facts
from deadweight.layer.entry import SYMLINK
from deadweight.oci.config import Execution
from deadweight.tree.node import MAX_LINKS, LinkLoop, Node, Tree

MAX_TEXT = 4 << 20
"""The most bytes of a file of text that are read."""


class Contents(Protocol):
    """The contents of the regular files of the merged tree."""

    def read(self, node: Node, limit: int) -> bytes | None:
        """The first `limit` bytes of the content of `node`; None where it cannot be read."""


@dataclass(frozen=True)
class Scene:
    """One image, for one platform."""

    tree: Tree
    facts: Facts
    inventory: Inventory
    execution: Execution
    contents: Contents

    def text(self, node: Node, limit: int = MAX_TEXT) -> str | None:
        """The content of `node` as text; None where it is larger than `limit` bytes, cannot be read, or is no file."""
        if not node.is_file or node.entry.size > limit:
            return None
        raw = self.contents.read(node, limit)
        return None if raw is None else raw.decode("utf-8", "surrogateescape")

    def resolve(self, path: str) -> Node | None:
        """What `path` leads to, links followed; None for nothing, or for links that lead in a circle."""
        try:
            return self.tree.resolve(path)
        except LinkLoop:
            return None

    def way(self, path: str) -> tuple[Node, ...]:
        """The symbolic links on the way along `path`, and at its end what it leads to; empty where it leads to nothing."""
        return way(self.tree, path)

    def program(self, name: str, working_dir: str = "/") -> Node | None:
        """The file that starting `name` starts: through the config's PATH unless it has a slash."""
        return find_program(self.tree, name, self.search_path, working_dir)

    def owner(self, path: str) -> Package | None:
        """The package that owns the real path `path`."""
        return self.inventory.owners.get(path)

    def below(self, path: str) -> Iterator[Node]:
        """All that is no directory below the real directory `path`, in the order of the layers."""
        top = self.resolve(path)
        if top is not None and top.is_directory:
            yield from (node for _, node in top.walk() if not node.is_directory)

    @cached_property
    def search_path(self) -> Sequence[str]:
        """The directories of the config's PATH."""
        return search_path(self.execution)

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """The config's variables."""
        return self.execution.environment()

    @cached_property
    def elf_files(self) -> Mapping[str, Elf]:
        """What is known of ELF files, by real path."""
        live = self.facts.live(elf.COLLECTOR)
        return {path: found for path, fact in live if (found := elf.of(fact)) is not None}

    @cached_property
    def scripts(self) -> Mapping[str, Script]:
        """What is known of scripts, by real path."""
        live = self.facts.live(scripts.SCRIPTS)
        return {path: found for path, fact in live if (found := scripts.of(fact)) is not None}


def way(tree: Tree, path: str) -> tuple[Node, ...]:
    """The symbolic links on the way along `path`, each once and in order, and at the end what it leads to.

    Empty where it leads to nothing, or in a circle. One look at each part, as the kernel does it (path_resolution(7)).
    """
    links: list[Node] = []
    node = tree.root
    todo = path.split("/")
    todo.reverse()
    while todo:
        part = todo.pop()
        if part in ("", "."):
            continue
        if part == "..":
            node = node.parent or node
            continue
        child = node.children.get(part) if node.children is not None else None
        if child is None:
            return ()
        if child.entry.kind != SYMLINK:
            node = child
            continue
        links.append(child)
        if len(links) > MAX_LINKS:
            return ()
        todo.extend(reversed(child.entry.link.split("/")))
        if child.entry.link.startswith("/"):
            node = tree.root
    return (*dict.fromkeys(links), node)
