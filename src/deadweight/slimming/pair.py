"""An original and what was made of it: whether it was, and what is in the one and not in the other."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from deadweight.errors import UsageError
from deadweight.evidence.company import DATABASES, STATE
from deadweight.image import AS_DOCKER_WOULD, open_image
from deadweight.indexing import NO_CACHE, SILENT, Cache, Progress
from deadweight.inventory.model import Package
from deadweight.layer.entry import FILE, SYMLINK, Entry
from deadweight.oci.descriptor import Platform
from deadweight.passes.databases.rewrite import database_files
from deadweight.slimming.labels import level_of, require_original
from deadweight.slimming.outcome import removals_of
from deadweight.slimming.selection import BOOKS, UNREACHED, UNUSED_PACKAGE, Removal
from deadweight.slimming.subject import Subject, read_subject
from deadweight.transport.base import Access
from deadweight.tree.node import Node, Tree


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images, of which the second has nothing that the first has not, but for package databases."""

    original: Subject
    slimmed: Subject
    rewritten: tuple[str, ...]
    """Package databases with another content than in the original, sorted."""

    @property
    def level(self) -> str:
        """The level at which it was slimmed; empty where it does not say."""
        return level_of(self.slimmed.image)

    def kept(self) -> frozenset[str]:
        """The paths that the slimmed image has, directories included."""
        return frozenset(path for path, _ in self.slimmed.view.merged.tree.walk())

    def removals(self) -> tuple[Removal, ...]:
        """All but directories that is only in the original, sorted by path, each with its class where that can be told."""
        tree = self.original.view.merged.tree
        here = self.slimmed.view.merged.tree
        left = {node.path for node in here.leaves}
        return tuple(removals_of(tree, left, _Classes(self).of))


@contextmanager
def open_pair(
    original: str,
    slimmed: str,
    *,
    platform: Platform | None = None,
    access: Access = AS_DOCKER_WOULD,
    cache: Cache = NO_CACHE,
    progress: Progress = SILENT,
) -> Iterator[Pair]:
    """Both images, read. Raises `UsageError` where `slimmed` was not made of `original`, and `DeadweightError`."""
    with open_image(original, platform, access) as whole, open_image(slimmed, platform, access) as part:
        require_original(whole, part)
        first, second = (read_subject(image, cache=cache, progress=progress) for image in (whole, part))
        tree = first.view.merged.tree
        databases = {node.path for node in database_files(tree, first.view.inventory)}
        strange = foreign_path(tree, second.view.merged.tree, databases)
        if strange:
            problem = f"was not made of {whole.reference}: /{strange} is not there, or is something else"
            raise UsageError(part.reference, problem, "name the original")
        yield Pair(first, second, rewritten_files(tree, second.view.merged.tree))


def foreign_path(original: Tree, slimmed: Tree, databases: Container[str]) -> str:
    """The first path of `slimmed` that is not in `original` as it is; empty where all are.

    Regular files that are `databases` may have another content. Times are not compared, nor what only directories have.
    """
    strange = [path for path, node in slimmed.walk() if not _is_from(original, node, databases)]
    return min(strange, default="")


def rewritten_files(original: Tree, slimmed: Tree) -> tuple[str, ...]:
    """The files that are in both with another content, sorted by path."""
    files = original.files
    return tuple(
        path
        for path, node in slimmed.files.items()
        if path in files and files[path].entry.digest != node.entry.digest
    )


def _is_from(original: Tree, node: Node, databases: Container[str]) -> bool:
    there = _at(original, node.path)
    if there is None or node.is_directory or there.is_directory:
        return there is not None and node.is_directory and there.is_directory
    if node.path in databases and node.is_file and there.is_file:
        return _owned(node.entry) == _owned(there.entry)
    return _shown(node.entry) == _shown(there.entry)


def _at(tree: Tree, path: str) -> Node | None:
    """The node whose real path is `path`: no link is followed."""
    node = tree.root
    for name in filter(None, path.split("/")):
        child = node.children.get(name) if node.children is not None else None
        if child is None:
            return None
        node = child
    return node


def _owned(entry: Entry) -> tuple[object, ...]:
    return entry.kind, entry.mode, entry.uid, entry.gid


def _shown(entry: Entry) -> tuple[object, ...]:
    target = entry.link if entry.kind == SYMLINK else ""
    return (*_owned(entry), entry.digest if entry.kind == FILE else b"", target, entry.device)


class _Classes:
    """Why something may have gone, as far as the two images tell: its place, a package that is gone, or one that is not."""

    def __init__(self, pair: Pair) -> None:
        self._needless: Mapping[str, str] = pair.original.needless()
        self._owners = pair.original.view.inventory.owners
        self._left = {_identity(package) for package in pair.slimmed.view.inventory.packages}

    def of(self, node: Node) -> tuple[str, str]:
        """The kind of a `Removal`, empty where it cannot be told, and the owner's label."""
        owner = self._owners.get(node.path)
        label = owner.label if owner is not None else ""
        if node.path in self._needless:
            return self._needless[node.path], label
        if owner is None:
            return self._unowned(node.path), ""
        return UNREACHED if _identity(owner) in self._left else UNUSED_PACKAGE, label

    def _unowned(self, path: str) -> str:
        if path.startswith(DATABASES):
            return BOOKS
        return UNREACHED if path.startswith(tuple(STATE)) else ""


def _identity(package: Package) -> tuple[str, str, str, str]:
    return package.ecosystem, package.name, package.version, package.architecture
