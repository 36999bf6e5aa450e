"""Layers and owners in numbers."""

from __future__ import annotations

from collections import defaultdict

from deadweight.accounting.model import LayerSummary, OwnerSummary
from deadweight.accounting.view import View, added_wire
from deadweight.image import Image
from deadweight.layer.entry import FILE, is_whiteout
from deadweight.layer.index import LayerIndex
from deadweight.tree.node import Node


def layer_summaries(image: Image, view: View, wires: tuple[int | None, ...]) -> tuple[LayerSummary, ...]:
    """One summary for each layer, base first; `wires` are their wire sizes."""
    return tuple(
        LayerSummary(
            position=layer.position,
            digest=layer.descriptor.digest,
            diff_id=layer.diff_id,
            media_type=layer.descriptor.media_type,
            instruction=layer.instruction,
            wire=wire,
            unpacked=index.unpacked,
            files=_files(index),
            classes=view.ledger.layer_classes(layer.position),
            missing=index.missing,
        )
        for layer, index, wire in zip(image.layers, view.ledger.layers, wires, strict=True)
    )


def _files(index: LayerIndex) -> int:
    """A whiteout is a file by its type, but no content."""
    return sum([entry.kind == FILE and (entry.size > 0 or not is_whiteout(entry)) for entry in index.entries])


def owner_summaries(view: View) -> tuple[OwnerSummary, ...]:
    """What each package, and no package, takes of the live bytes: largest first.

    A content with several names counts for the owner of the first that has one.
    """
    owner_of, shares = view.owners.get, view.ledger.shares
    owned: dict[int, list[Node]] = defaultdict(list)
    for file in view.files:
        owned[id(owner_of(file.path))].append(file)
    summaries = []
    for files in owned.values():
        wires = [None if (share := shares[file.layer]) is None else share[file.number] for file in files]
        size = sum([file.entry.size for file in files])
        summaries.append(OwnerSummary(owner_of(files[0].path), len(files), size, added_wire(wires)))
    return tuple(sorted(summaries, key=_order))


def _order(owner: OwnerSummary) -> tuple[int, str, str]:
    package = owner.package
    return -owner.unpacked, package.label if package else "", package.version if package else ""
