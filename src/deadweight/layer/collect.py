"""What is learnt of a file's content while its layer streams by.

The index keeps no content. A `Collector` names the files that it wants by base name, suffix or first four
bytes, sees each once, and returns facts that are kept with the index (and in its cache).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


START = 64 << 10
"""How many bytes of a large content are seen by who then says which others are to be kept."""


def ends(size: int, limit: int) -> tuple[range, ...]:
    """The first and the last `limit` bytes of a content of `size` bytes."""
    return range(limit), range(size - limit, size)


class ContentGap(LookupError):
    """The wanted part of a large file was not kept: it is in none of `Collector.parts`."""


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

    def wants(self, path: str, size: int) -> bool:
        """The second look, for what the tables let through."""

    def parts(self, size: int, start: bytes) -> Iterable[range]:
        """What of a large content it is going to read, as ranges of offsets: only that much is kept of one that comes in
        pieces. `start` is the content's first `START` bytes, which are kept anyway.
        """

    def collect(self, path: str, content: Content) -> Fact:
        """The facts, or None for nothing worth keeping. Bad content is a fact too: never raises for it."""


class WholeOrNothing:
    """The base of collectors that read a content from end to end, and of one of more than `limit` bytes nothing but its start."""

    limit: int

    def parts(self, size: int, start: bytes) -> Iterable[range]:
        return (range(size),) if size <= self.limit else ()


def signature(collectors: Sequence[Collector]) -> str:
    """Names and versions of `collectors`, for cache keys."""
    return ",".join(sorted(f"{collector.name}:{collector.version}" for collector in collectors))
