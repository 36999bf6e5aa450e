"""The books: for each content of each layer one class, its unpacked bytes and its share of the wire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deadweight.layer.entry import FILE, Entry, is_whiteout
from deadweight.layer.index import LayerIndex
from deadweight.tree.merge import CLASSES, LIVE, Fate, Merged


@dataclass(frozen=True, slots=True)
class Row:
    """One content: the `number`-th entry of the layer at position `layer`."""

    layer: int
    number: int
    entry: Entry
    kind: str
    """Its class: live, superseded, restated or deleted."""
    wire: int | None
    fate: Fate | None
    """What hid it; None for a live one."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The layers of an image with the fate of each content.

    `layers` are by position; the index of a foreign layer that is missing has no entries. `shares[layer][number]`
    are wire bytes; None for a layer whose wire size is unknown.
    """

    layers: tuple[LayerIndex, ...]
    fates: tuple[dict[int, Fate], ...]
    shares: tuple[Sequence[int] | None, ...]

    def classes(self) -> dict[str, int]:
        """Unpacked bytes by class; they add up to the content of all layers."""
        return _added(self.layer_classes(position) for position in range(len(self.layers)))

    def layer_classes(self, position: int) -> dict[str, int]:
        """The same for one layer."""
        entries = self.layers[position].entries
        sums = dict.fromkeys(CLASSES, 0)
        for number, fate in self.fates[position].items():
            sums[fate.kind] += entries[number].size
        sums[LIVE] = self.layers[position].unpacked - sum(sums.values())
        return sums

    def wire_of(self, layer: int, number: int) -> int | None:
        """The wire bytes of one entry, header and padding included; None where unknown, or for implicit directories."""
        shares = self.shares[layer] if layer >= 0 else None
        return shares[number] if shares is not None else None

    def dead(self) -> Iterator[Row]:
        """Every content that is not live, by layer and entry."""
        for layer, (index, fates) in enumerate(zip(self.layers, self.fates, strict=True)):
            for number in sorted(fates):
                fate = fates[number]
                yield Row(layer, number, index.entries[number], fate.kind, self.wire_of(layer, number), fate)

    def live(self) -> Iterator[Row]:
        """Every content that is live, by layer and entry; a hard link is no content of its own."""
        for layer, (index, fates) in enumerate(zip(self.layers, self.fates, strict=True)):
            for number, entry in enumerate(index.entries):
                # A whiteout is an empty file by its type, but no content.
                if entry.kind == FILE and number not in fates and (entry.size or not is_whiteout(entry)):
                    yield Row(layer, number, entry, LIVE, self.wire_of(layer, number), None)


def open_ledger(merged: Merged, layers: Sequence[LayerIndex], wire_known: Sequence[bool]) -> Ledger:
    """The ledger of `layers`; `wire_known` says of each whether its blob is what a pull moves."""
    shares = tuple(
        index.wire_shares() if known else None for index, known in zip(layers, wire_known, strict=True)
    )
    return Ledger(tuple(layers), merged.fates, shares)


def _added(sums: Iterator[dict[str, int]]) -> dict[str, int]:
    total = dict.fromkeys(CLASSES, 0)
    for one in sums:
        for kind, value in one.items():
            total[kind] += value
    return total
