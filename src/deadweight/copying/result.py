"""What a copy did."""

from __future__ import annotations

from dataclasses import dataclass

from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest

MOVED = "moved"
"""Its bytes went over as they are."""
CONVERTED = "converted"
"""It was compressed anew, or uncompressed."""
REUSED = "reused"
"""The destination had it already."""
FOREIGN = "foreign"
"""Only its descriptor went over, as for every layer that registries do not hold."""


@dataclass(frozen=True, slots=True)
class LayerCopy:
    """One layer, or another blob of an artifact. `source` is what was read, `result` what the destination has."""

    source: Descriptor
    result: Descriptor
    outcome: str


@dataclass(frozen=True, slots=True)
class CopyResult:
    """The copy of an image, or of an index of several."""

    source: str
    """The full reference that was read."""
    destination: str
    digest: Digest
    """Of the manifest or index that was written."""
    images: int
    """How many manifests of images it has."""
    layers: tuple[LayerCopy, ...]
    """Each distinct layer once, in the order in which they were come by."""
    notes: tuple[str, ...] = ()
    """What is there in another way than in the source without having been asked for, one sentence each."""

    @property
    def moved(self) -> int:
        """The stored bytes of layers that were written to the destination."""
        return sum(layer.result.size for layer in self.layers if layer.outcome in (MOVED, CONVERTED))

    @property
    def reused(self) -> int:
        """How many layers the destination had already."""
        return sum(layer.outcome == REUSED for layer in self.layers)

    @property
    def stored_before(self) -> int:
        """The stored bytes of all layers in the source, foreign ones left out: where compressed, what a pull moves."""
        return sum(layer.source.size for layer in self.layers if layer.outcome != FOREIGN)

    @property
    def stored_after(self) -> int:
        """The same in the destination."""
        return sum(layer.result.size for layer in self.layers if layer.outcome != FOREIGN)
