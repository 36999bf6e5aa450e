"""rpm's database in Berkeley DB, as rpm wrote it up to 4.15: a hash table (Berkeley DB, dbinc/db_page.h).

Numbers have the byte order of the machine that wrote them. A hash page holds pairs of key and value; a value of more than a
quarter page lies in a chain of overflow pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from deadweight.inventory.rpm.pages import BrokenDatabase, Pages
from deadweight.layer.collect import Content

MAGIC = 0x061561

_HASH_PAGES = (2, 13)
_OVERFLOW_PAGE = 7
_PAGE_HEADER = 26
_INLINE = 1
_OFF_PAGE = 3


class _Order(NamedTuple):
    """The records of one byte order."""

    number: Struct
    page: Struct
    """Number of the next page, of entries, of bytes on an overflow page, and the type, from offset 16."""
    short: Struct
    off_page: Struct


_ORDERS = tuple(
    _Order(Struct(order + "I"), Struct(order + "IHHxB"), Struct(order + "H"), Struct(order + "4x2I"))
    for order in "<>"
)


def recognises(content: Content) -> bool:
    """Whether `content` is a hash table of Berkeley DB."""
    return _order(content) is not None


def headers(content: Content) -> Iterator[bytes]:
    """Each package's value, in the order of the pages."""
    order = _order(content)
    if order is None:
        raise BrokenDatabase("is no hash table of Berkeley DB")
    start = content.read(0, 72)
    if len(start) < 72:
        raise BrokenDatabase("ends in its header")
    pages = Pages(content, order.number.unpack_from(start, 20)[0])
    for index in range(1, pages.count):
        if content.read(index * pages.size + 25, 1)[0] in _HASH_PAGES:
            yield from _values(pages, pages.take(index), order)


def _order(content: Content) -> _Order | None:
    magic = content.read(12, 4)
    for order in _ORDERS:
        if len(magic) == 4 and order.number.unpack(magic)[0] == MAGIC:
            return order
    return None


def _values(pages: Pages, page: bytes, order: _Order) -> Iterator[bytes]:
    """The values of a hash page. Items fill the page from its end; the number 0 is the key of rpm's counter, no package."""
    count = order.page.unpack_from(page, 16)[1]
    if _PAGE_HEADER + 2 * count > pages.size or count % 2:
        raise BrokenDatabase(f"has {count} items on a page")
    offsets = [order.short.unpack_from(page, _PAGE_HEADER + 2 * index)[0] for index in range(count)]
    if any(low > high for high, low in zip([pages.size, *offsets], offsets, strict=False)):
        raise BrokenDatabase("has items that are not in order")
    ends = [pages.size, *offsets]
    for index in range(0, count, 2):
        key = page[offsets[index] : ends[index]]
        value = page[offsets[index + 1] : ends[index + 1]]
        if key[1:] == bytes(4) or not value:
            continue
        if value[0] == _INLINE:
            yield value[1:]
        elif value[0] == _OFF_PAGE and len(value) == order.off_page.size:
            first, size = order.off_page.unpack(value)
            yield _overflow(pages, first, size, order)
        else:
            raise BrokenDatabase(f"has an item of type {value[0]}")


def _overflow(pages: Pages, index: int, size: int, order: _Order) -> bytes:
    """The value of `size` bytes in the chain of overflow pages that begins at `index`."""
    parts = []
    left = size
    while left > 0:
        page = pages.take(index)
        index, _, filled, kind = order.page.unpack_from(page, 16)
        if kind != _OVERFLOW_PAGE or not 0 < filled <= min(left, pages.size - _PAGE_HEADER):
            raise BrokenDatabase("has a broken chain of overflow pages")
        parts.append(page[_PAGE_HEADER : _PAGE_HEADER + filled])
        left -= filled
    return b"".join(parts)
