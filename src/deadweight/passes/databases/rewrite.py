"""All package databases of a filtered image, rewritten: what is left, and the new contents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from deadweight.errors import LimitExceeded
from deadweight.image import Image
from deadweight.inventory.model import RPM, Inventory, Package
from deadweight.layer.extract import read_contents
from deadweight.layer.index import LayerIndex
from deadweight.passes.databases.apk import ApkRewriter
from deadweight.passes.databases.dpkg import DpkgRewriter
from deadweight.passes.databases.model import DatabaseRewriter, Remaining
from deadweight.passes.databases.node import NodeRewriter
from deadweight.passes.databases.python import PythonRewriter
from deadweight.passes.staying import Kept, staying
from deadweight.tree.merge import Merged, merge
from deadweight.tree.node import Node, Tree

REWRITERS: tuple[DatabaseRewriter, ...] = (PythonRewriter(), NodeRewriter(), ApkRewriter(), DpkgRewriter())
"""A language's before the system's, whose lists name the files of a language's that go."""

WHOLE = frozenset({RPM})
"""Kinds whose packages stay whole. An rpm header is signed with the list of its files: with another one rpm refuses it; and
what SQLite writes differs by its version, so that the same image would give other bytes elsewhere.
"""


MAX_DATABASES = 512 << 20
"""The most bytes of all database files of an image together."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What to filter an image by, so that its databases agree with its files."""

    kept: Kept
    """What was kept, with the databases that list it, and without those of packages that are gone."""
    replaced: Mapping[str, bytes]
    """New contents of databases, by real path."""
    whole: tuple[Package, ...]
    """Packages that stay whole, whatever was to be kept of them, since nothing can rewrite their database."""


def kept_whole(inventory: Inventory) -> tuple[Package, ...]:
    """The packages that stay whole, since nothing can rewrite their database."""
    return tuple(package for package in inventory.packages if package.ecosystem in WHOLE)


def rewrite_databases(
    image: Image,
    indexes: Sequence[LayerIndex],
    merged: Merged,
    inventory: Inventory,
    kept: Kept,
    keep_layers: int = 0,
    known: Mapping[str, bytes] | None = None,
) -> Rewritten:
    """Rewrites the databases of `image` for what is `kept` of it. Contents of `database_files` that are `known` need not be read.

    A package is gone if none of its files is left but documentation and its own metadata, unless it never had others; its
    part of the database goes with it. Of the others just the files that are left are listed. With `keep_layers`, what the first layers have is
    left, and their databases stay as they are. Where nothing goes, all databases stay as they are, also where they list what
    was not there before. Raises `DeadweightError` where the image cannot be read.
    """
    if all(map(kept, merged.tree.leaves)):
        return Rewritten(kept, {}, kept_whole(inventory))
    databases = database_files(merged.tree, inventory)
    if sum(node.entry.size for node in databases) > MAX_DATABASES:
        raise LimitExceeded(image.reference, f"has more than {MAX_DATABASES} bytes of package databases")
    contents = dict(known or {})
    contents |= read_files(image, indexes, [node for node in databases if node.path not in contents])
    base = merge(indexes[:keep_layers]).tree if keep_layers else None
    return rewritten(merged, inventory, kept, contents, base, keep_layers)


def database_files(tree: Tree, inventory: Inventory) -> list[Node]:
    """The files of databases that are read to rewrite them, each once, by path."""
    found = {node.path: node for rewriter in REWRITERS for node in rewriter.files(tree, inventory)}
    return [found[path] for path in sorted(found)]


def rewritten(
    merged: Merged,
    inventory: Inventory,
    kept: Kept,
    contents: Mapping[str, bytes],
    base: Tree | None = None,
    keep_layers: int = 0,
) -> Rewritten:
    """The same for an image of which the `contents` of `database_files` are known; `base` is the tree of the first layers."""
    whole = kept_whole(inventory)
    forced = set(contents).union(*((*package.paths, package.source) for package in whole))
    removed: set[str] = set()
    replaced: dict[str, bytes] = {}

    def stays(node: Node) -> bool:
        return node.path not in removed and (node.path in forced or kept(node))

    for rewriter in REWRITERS:
        remaining = Remaining(merged.tree, staying(merged, stays, base, keep_layers))
        for path, content in rewriter.rewrite(remaining, inventory, contents.__getitem__).items():
            if content is None:
                removed.add(path)
            elif content != contents[path]:
                replaced[path] = content
    return Rewritten(stays, {path: replaced[path] for path in sorted(replaced.keys() - removed)}, whole)


def read_files(image: Image, indexes: Sequence[LayerIndex], nodes: Iterable[Node]) -> dict[str, bytes]:
    """The contents of `nodes`, regular files of the merged tree, by path. Each layer that has some is read once."""
    names: dict[int, dict[int, list[str]]] = {}
    for node in nodes:
        names.setdefault(node.layer, {}).setdefault(node.number, []).append(node.path)
    found: dict[str, bytes] = {}
    for layer in image.layers:
        wanted = names.get(layer.position)
        if wanted:
            with image.open_layer(layer) as stream:
                entries = indexes[layer.position].entries
                for number, pieces in read_contents(stream, layer.descriptor, layer.diff_id, entries, wanted):
                    content = b"".join(pieces)
                    found |= dict.fromkeys(wanted[number], content)
    return found
