"""Images filtered for tests, with their inventory before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deadweight.image import Image, open_image
from deadweight.indexing import index_image
from deadweight.inventory.model import Inventory, Package
from deadweight.inventory.reader import Facts
from deadweight.inventory.take import collectors, take_inventory
from deadweight.layer.compress import Compression
from deadweight.layer.index import LayerIndex
from deadweight.passes.databases.rewrite import rewrite_databases
from deadweight.passes.staying import Kept
from deadweight.passes.write import Written, write_filtered
from deadweight.transport.base import Access
from deadweight.transport.names import open_destination
from deadweight.tree.merge import Merged, merge

NONE: Mapping[str, bytes] = {}


@dataclass(frozen=True)
class Opened:
    """All that is known of an image."""

    image: Image
    indexes: tuple[LayerIndex, ...]
    merged: Merged
    inventory: Inventory

    @property
    def paths(self) -> set[str]:
        return {path for path, _ in self.merged.tree.walk()}


@contextmanager
def opened(reference: str) -> Iterator[Opened]:
    with open_image(reference) as image:
        indexes = index_image(image, collectors())
        merged = merge(indexes)
        inventory = take_inventory(merged.tree, Facts(merged.tree, indexes))
        yield Opened(image, indexes, merged, inventory)


def write(
    source: Opened,
    kept: Kept,
    replaced: Mapping[str, bytes],
    folder: Path,
    *,
    compression: Compression | None = None,
    keep_layers: int = 0,
    threads: int | None = None,
) -> Written:
    """Writes what is kept into the layout `folder`, as the image ``x``."""
    with open_destination(f"oci:{folder}:x", Access()) as destination:
        return write_filtered(
            source.image,
            source.indexes,
            source.merged,
            kept,
            replaced,
            destination,
            compression=compression,
            keep_layers=keep_layers,
            threads=threads,
        )


def with_databases(source: Opened, kept: Kept, folder: Path, *, keep_layers: int = 0) -> Written:
    """The same with package databases that say what is there."""
    new = rewrite_databases(source.image, source.indexes, source.merged, source.inventory, kept, keep_layers)
    return write(source, new.kept, new.replaced, folder, keep_layers=keep_layers)


def left_of(inventory: Inventory, paths: set[str]) -> list[Package]:
    """The packages of `inventory` that have a file in `paths` beside documentation and metadata, with those files; and those that
    never had others, with any.
    """
    left = []
    for package in inventory.packages:
        there = tuple(path for path in package.paths if path in paths)
        telling = [path for path in package.paths if not _describes(path)]
        if set(there) & set(telling) or there == package.paths or (there and not telling):
            left.append(replace(package, paths=there))
    return left


def _describes(path: str) -> bool:
    documentation = (
        "usr/share/doc/",
        "usr/share/man/",
        "usr/share/info/",
        "usr/share/doc-base/",
        "usr/share/lintian/",
    )
    return path.startswith(documentation) or ".dist-info/" in path or ".egg-info/" in path
