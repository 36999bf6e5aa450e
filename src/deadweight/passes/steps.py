"""What a rewritten layer is made of: one step for each of its entries, in the order of the original layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from deadweight.layer.entry import FILE, Entry

FIRST, LAST = -1, 1 << 31
"""The numbers of what comes before and after all entries."""


@dataclass(frozen=True, slots=True)
class Same:
    """The entry `number` of the layer, its bytes as they are."""

    number: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Renamed:
    """The entry `number` of the layer with its content, under the path, kind and link of `entry`."""

    number: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Refilled:
    """The entry `number` of the layer, a regular file, with another `content`."""

    number: int
    entry: Entry
    content: bytes


@dataclass(frozen=True, slots=True)
class Carried:
    """A content from the entry `origin` of a lower layer, whose name there is gone: layer and number."""

    number: int
    entry: Entry
    origin: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Made:
    """An entry that no layer has, at the place of `number`."""

    number: int
    entry: Entry
    content: bytes = b""


Step = Same | Renamed | Refilled | Carried | Made


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """What becomes of one layer. `carried` are the numbers of entries that higher layers are going to carry."""

    steps: Sequence[Step]
    carried: frozenset[int] = field(default_factory=frozenset)

    @property
    def unpacked(self) -> int:
        """The content bytes of its files."""
        return sum(step.entry.size for step in self.steps if step.entry.kind == FILE)

    def unchanged(self, entries: Sequence[Entry]) -> bool:
        """Whether it has all of `entries`, those of the original layer, as they are."""
        return len(self.steps) == len(entries) and all(isinstance(step, Same) for step in self.steps)
