"""What is learnt of a file's content while its layer streams by.

The index keeps no content. A `Collector` names the files that it wants by base name, suffix or first four
bytes, sees each once, and returns facts that are kept with the index (and in its cache).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

Fact: TypeAlias = "bool | int | str | list[Fact] | dict[str, Fact] | None"
"""What JSON can hold, so that an index can be cached."""


class Content(Protocol):
    """The content of one file, or of a large one the parts that were kept."""

    @property
    def size(self) -> int:
        """The size of the whole content in bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes at `offset`, fewer at the end. Raises `ContentGap` where they were not kept."""


class ContentGap(LookupError):
    """The wanted part of a large file was not kept: it lies between its first and its last `Collector.limit` bytes."""


class Collector(Protocol):
    """One kind of facts. Selection is by table, so that a file that nobody wants costs two look-ups."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int:
        """To be raised when the facts for the same content change: cached indexes with another one are not used."""

    @property
    def names(self) -> frozenset[str]:
        """Base names wanted."""

    @property
    def suffixes(self) -> frozenset[str]:
        """What may follow the last dot of a base name, without the dot."""

    @property
    def magics(self) -> frozenset[bytes]:
        """First four bytes wanted."""

    @property
    def limit(self) -> int:
        """Larger files are shown by their first and last `limit` bytes only."""

    def wants(self, path: str, size: int) -> bool:
        """The second look, for what the tables let through."""

    def collect(self, path: str, content: Content) -> Fact:
        """The facts, or None for nothing worth keeping. Bad content is a fact too: never raises for it."""


def signature(collectors: Sequence[Collector]) -> str:
    """Names and versions of `collectors`, for cache keys."""
    return ",".join(sorted(f"{collector.name}:{collector.version}" for collector in collectors))
