"""The seam between a filtered image and those who know one kind of package database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from deadweight.inventory.model import PYTHON, Inventory, Package
from deadweight.passes.paths import NEVER, Paths
from deadweight.passes.staying import Staying
from deadweight.tree.node import LinkLoop, Node, Tree

MAX_DATABASE = 32 << 20
"""The most bytes of a database file: those of more are not read for the inventory either."""

Contents = Callable[[str], bytes]
"""The content of a file of the original image, by its real path."""
Changes = Mapping[str, bytes | None]
"""New contents of database files by real path; None for one that goes."""

_DOCUMENTATION = (
    "usr/share/doc/",
    "usr/share/man/",
    "usr/share/info/",
    "usr/share/doc-base/",
    "usr/share/lintian/",
)


class DatabaseRewriter(Protocol):
    """Rewrites the databases of one kind."""

    def files(self, tree: Tree, inventory: Inventory) -> Iterable[Node]:
        """The files that it reads. They stay, unless `rewrite` says otherwise."""

    def rewrite(self, remaining: Remaining, inventory: Inventory, read: Contents) -> Changes:
        """What is to change so that just the packages that are left are listed, with just the files that are left.

        A file that needs no change is not among it.
        """


class Remaining:
    """What is left of a tree."""

    def __init__(self, tree: Tree, staying: Staying) -> None:
        self.tree = tree
        self._staying = staying
        self._paths = Paths(tree.root, staying)
        self._directories: dict[str, Node | None] = {}

    def has(self, path: str) -> bool:
        """Whether what lies at `path`, links in its parents followed, is left."""
        return self.place(path) is not None

    def place(self, path: str) -> str | None:
        """`path` if what lies there, links in its parents followed, is left; its real path where such a link is not.

        None where nothing is left.
        """
        directory, _, name = path.strip("/").rpartition("/")
        if not name:
            return path
        parent = self._directory(directory)
        child = parent.children.get(name) if parent is not None and parent.children is not None else None
        if child is None or not self._staying.has(child):
            return None
        return path if self._paths.directory(directory)[1] < NEVER else child.path

    def folder(self, path: str) -> str | None:
        """The same for the folder that `path` leads to."""
        node = self._directory(path)
        if node is None or node.children is None or not self._staying.has(node):
            return None
        return path if self._paths.directory(path)[1] < NEVER else node.path

    def has_file(self, path: str) -> bool:
        """Whether the real `path` of what is no directory is left."""
        return path in self._staying.leaves

    def has_package(self, package: Package) -> bool:
        """Whether a file of it is left that is neither documentation nor describes it, or none of its files went.

        Of one that never had more than that, any file counts.
        """
        left = [path for path in package.paths if self.has_file(path)]
        if len(left) == len(package.paths) or any(not _describes(path, package) for path in left):
            return True
        return bool(left) and all(_describes(path, package) for path in package.paths)

    def _directory(self, path: str) -> Node | None:
        if path not in self._directories:
            try:
                self._directories[path] = self.tree.resolve(path)
            except LinkLoop:
                self._directories[path] = None
        return self._directories[path]


def _describes(path: str, package: Package) -> bool:
    if path.startswith(_DOCUMENTATION):
        return True
    folder = package.source.rpartition("/")[0]
    return package.ecosystem == PYTHON and (path == package.source or path.startswith(_metadata(folder)))


def _metadata(folder: str) -> str:
    return f"{folder}/" if folder.endswith((".dist-info", ".egg-info")) else "\0"


def small(nodes: Iterable[Node | None]) -> Iterator[Node]:
    """Those of `nodes` that are files within `MAX_DATABASE`."""
    return (node for node in nodes if node is not None and node.is_file and node.entry.size <= MAX_DATABASE)


def child(tree: Tree, path: str) -> Node | None:
    """The node that `path` leads to, None where nothing is."""
    try:
        return tree.resolve(path)
    except LinkLoop:
        return None


def children(tree: Tree, folder: str) -> list[Node]:
    """The nodes in `folder`, by name."""
    node = child(tree, folder)
    return [found for _, found in sorted((node.children or {}).items())] if node is not None else []


def packages(inventory: Inventory, ecosystem: str) -> list[Package]:
    """All packages of one kind, removed ones that own something too, each once."""
    found = {id(package): package for package in (*inventory.packages, *inventory.owners.values())}
    return [package for package in found.values() if package.ecosystem == ecosystem]


def decoded(data: bytes) -> str:
    """`data` as text that `encoded` turns back into the same bytes."""
    return data.decode("utf-8", "surrogateescape")


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
