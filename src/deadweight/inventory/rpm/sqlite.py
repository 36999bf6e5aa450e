"""rpm's database in SQLite: the blobs in its table ``Packages`` (SQLite file format, https://www.sqlite.org/fileformat2.html).

Only the b-tree of that table is walked. Nothing in the file is executed, as views and triggers of a foreign schema could be.
"""

from __future__ import annotations

from collections.abc import Iterator

from deadweight.inventory.rpm.pages import BrokenDatabase, Pages
from deadweight.layer.collect import Content

MAGIC = b"SQLite format 3\0"
TABLE = b"Packages"

_LEAF = 13
_INTERIOR = 5
_FILE_HEADER = 100
_INTEGER_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)


def recognises(content: Content) -> bool:
    """Whether `content` is an SQLite database."""
    return content.read(0, len(MAGIC)) == MAGIC


def headers(content: Content) -> Iterator[bytes]:
    """The column ``blob`` of each package, by package number."""
    start = content.read(0, _FILE_HEADER)
    if len(start) < _FILE_HEADER:
        raise BrokenDatabase("ends in its header")
    size = int.from_bytes(start[16:18], "big")
    pages = Pages(content, 65536 if size == 1 else size)
    usable = pages.size - start[20]
    if usable < 480:
        raise BrokenDatabase("reserves too much of each page")
    root = None
    for record in _records(pages, 1, usable):
        columns = _columns(record)
        if len(columns) >= 4 and columns[:2] == [b"table", TABLE]:
            root = int.from_bytes(columns[3], "big")
    if root is None:
        raise BrokenDatabase("has no table Packages")
    for record in _records(pages, root, usable):
        columns = _columns(record)
        if len(columns) < 2:
            raise BrokenDatabase("has a package without a header")
        yield columns[1]


def _records(pages: Pages, root: int, usable: int) -> Iterator[bytes]:
    """The records of the table whose b-tree begins at page `root`, by row number."""
    todo = [root]
    left = pages.count * pages.size  # cells may overlap
    while todo:
        number = todo.pop()
        page = pages.take(number - 1)
        start = _FILE_HEADER if number == 1 else 0
        kind = page[start]
        if kind not in (_LEAF, _INTERIOR):
            raise BrokenDatabase(f"has a page of type {kind} where a table should be")
        cells = start + (8 if kind == _LEAF else 12)
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        if cells + 2 * count > usable:
            raise BrokenDatabase(f"has {count} cells in page {number}")
        offsets = [int.from_bytes(page[at : at + 2], "big") for at in range(cells, cells + 2 * count, 2)]
        if kind == _LEAF:
            for offset in offsets:
                record = _record(pages, page, offset, usable)
                left -= len(record)
                if left < 0:
                    raise BrokenDatabase("has rows larger than the file")
                yield record
        else:
            todo.append(int.from_bytes(page[start + 8 : start + 12], "big"))
            todo.extend(int.from_bytes(page[offset : offset + 4], "big") for offset in reversed(offsets))


def _record(pages: Pages, page: bytes, offset: int, usable: int) -> bytes:
    """The payload of the cell at `offset`, with what overflows into other pages."""
    size, offset = _varint(page, offset)
    _, offset = _varint(page, offset)
    if size > pages.count * pages.size:
        raise BrokenDatabase(f"has a row of {size} bytes")
    local = _local_size(size, usable)
    if offset + local > usable:
        raise BrokenDatabase("has a row that leaves its page")
    parts = [page[offset : offset + local]]
    left = size - local
    at = offset + local
    while left > 0:
        page = pages.take(int.from_bytes(page[at : at + 4], "big") - 1)
        parts.append(page[4 : min(usable, 4 + left)])
        left -= len(parts[-1])
        at = 0
    return b"".join(parts)


def _local_size(size: int, usable: int) -> int:
    """How many of a row's `size` bytes lie in its own page (file format, section 1.6)."""
    if size <= usable - 35:
        return size
    least = (usable - 12) * 32 // 255 - 23
    local = least + (size - least) % (usable - 4)
    return local if local <= usable - 35 else least


def _columns(record: bytes) -> list[bytes]:
    """The values of a record as they are stored: text, blobs and big-endian integers; what is NULL is empty."""
    end, at = _varint(record, 0)
    offset = end
    columns = []
    while at < end:
        kind, at = _varint(record, at)
        if kind in (10, 11):
            raise BrokenDatabase("has a value of an unknown type")
        size = (kind - 12) // 2 if kind >= 12 else _INTEGER_SIZES[kind]
        if offset + size > len(record):
            raise BrokenDatabase("has a value that leaves its row")
        columns.append(record[offset : offset + size])
        offset += size
    return columns


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    """The variable-length integer at `offset`, big-endian in groups of seven bits, and where it ends."""
    value = 0
    for position in range(offset, offset + 8):
        if position >= len(data):
            raise BrokenDatabase("ends in a number")
        byte = data[position]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, position + 1
    raise BrokenDatabase("has a number of more than eight bytes")
