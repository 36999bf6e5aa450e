"""Layers and owners in numbers."""

from __future__ import annotations

from deadweight.accounting.model import LayerSummary, OwnerSummary
from deadweight.accounting.view import View, added_wire
from deadweight.image import Image
from deadweight.inventory.model import Package
from deadweight.layer.entry import FILE, is_whiteout
from deadweight.layer.index import LayerIndex


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
    sums: dict[int, tuple[Package | None, list[int | None], list[int]]] = {}
    shares = view.ledger.shares
    owner_of = view.owners.get
    for file in view.files:
        owner = owner_of(file.path)
        known = sums.get(id(owner))
        if known is None:
            known = sums[id(owner)] = (owner, [], [])
        share = shares[file.layer]
        known[1].append(share[file.number] if share is not None else None)
        known[2].append(file.entry.size)
    summaries = [
        OwnerSummary(package, len(sizes), sum(sizes), added_wire(wires))
        for package, wires, sizes in sums.values()
    ]
    return tuple(sorted(summaries, key=_order))


def _order(owner: OwnerSummary) -> tuple[int, str, str]:
    package = owner.package
    return -owner.unpacked, package.label if package else "", package.version if package else ""
