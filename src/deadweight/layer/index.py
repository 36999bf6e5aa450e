"""What one pass over a layer finds out: every entry, every digest, and where each lies on the wire."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import itemgetter

from deadweight.layer.collect import Fact
from deadweight.layer.entry import Entry
from deadweight.oci.digest import Digest

_SIZE, _START = (itemgetter(Entry._fields.index(name)) for name in ("size", "start"))


@dataclass(frozen=True, slots=True)
class WireMap:
    """Pairs of offsets, strictly ascending in both: at `tar[i]` uncompressed bytes, `wire[i]` stored bytes had been read.

    The first pair is (0, 0), the last is (size of the uncompressed layer, size of the blob).
    """

    tar: array[int]
    wire: array[int]

    def at(self, offset: int) -> int:
        """The offset in the blob for an offset in the uncompressed layer, interpolated between two pairs."""
        right = bisect_right(self.tar, offset)
        if right >= len(self.tar):
            return self.wire[-1]
        if right == 0:
            return 0
        tar0, wire0 = self.tar[right - 1], self.wire[right - 1]
        return wire0 + (offset - tar0) * (self.wire[right] - wire0) // (self.tar[right] - tar0)

    def all_at(self, offsets: Sequence[int]) -> list[int]:
        """The same for many offsets, which must ascend."""
        found: list[int] = []
        begin = 0
        for (tar0, wire0), (tar1, wire1) in pairwise(zip(self.tar, self.wire, strict=True)):
            end = bisect_left(offsets, tar1, begin)
            if end > begin:
                tar, wire = tar1 - tar0, wire1 - wire0
                found += [wire0 + (offset - tar0) * wire // tar for offset in offsets[begin:end]]
                begin = end
        return found + [self.wire[-1]] * (len(offsets) - begin)


@dataclass(frozen=True)
class LayerIndex:
    """The index of one layer."""

    digest: Digest
    """Of the blob as stored; verified."""
    diff_id: Digest
    """Of the uncompressed layer; computed."""
    blob_size: int
    """Stored bytes."""
    tar_size: int
    """Uncompressed bytes, tar headers and padding included."""
    compression: str
    entries: Sequence[Entry]
    wire: WireMap
    facts: Mapping[str, Mapping[int, Fact]]
    """Collector name -> entry number -> fact."""
    missing: bool = False
    """The source does not hold the layer (a foreign one): nothing is known of it but its digests."""

    @cached_property
    def unpacked(self) -> int:
        """The content bytes of all files, every copy counted."""
        return sum(map(_SIZE, self.entries))

    def wire_shares(self) -> list[int]:
        """For each entry the stored bytes that it takes, header and padding included.

        The shares add up to `blob_size`: what is before the first entry counts to the first, what is after the
        last (the end of the archive) to the last.
        """
        starts = self.wire.all_at(list(map(_START, self.entries)))
        if not starts:
            return []
        starts[0] = 0
        starts.append(self.blob_size)
        return [end - start for start, end in pairwise(starts)]
