"""rpm's own database, as SUSE has it: slots that point at blobs (rpm, lib/backend/ndb/rpmpkg.c).

All numbers are little-endian. The slots fill the first pages, after a header of the size of two slots; a slot has the number
of its package, 0 for none, and where its blob lies in blocks of 16 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from deadweight.inventory.rpm.pages import BrokenDatabase
from deadweight.layer.collect import Content

MAGIC = b"RpmP"

_HEADER = Struct("<4s4I12x")
_SLOT = Struct("<4s3I")
_BLOB = Struct("<4s3I")
_PAGE = 4096
_BLOCK = 16


def recognises(content: Content) -> bool:
    """Whether `content` is a ``Packages.db``."""
    return content.read(0, len(MAGIC)) == MAGIC


def headers(content: Content) -> Iterator[bytes]:
    """Each package's blob, in the order of the slots."""
    start = content.read(0, _HEADER.size)
    if len(start) < _HEADER.size:
        raise BrokenDatabase("ends in its header")
    _, version, _, pages, _ = _HEADER.unpack(start)
    if version:
        raise BrokenDatabase(f"has version {version} of the ndb format, which is not known")
    if pages * _PAGE > content.size:
        raise BrokenDatabase(f"is shorter than its {pages} pages of slots")
    left = content.size
    slots = content.read(_HEADER.size, pages * _PAGE - _HEADER.size)
    for magic, number, block, count in _SLOT.iter_unpack(slots[: len(slots) // _SLOT.size * _SLOT.size]):
        if magic != b"Slot":
            raise BrokenDatabase("has a slot without its magic")
        if number:
            left -= count * _BLOCK
            if left < 0:
                raise BrokenDatabase("has blobs larger than the file")
            yield _blob(content, number, block * _BLOCK, count * _BLOCK)


def _blob(content: Content, number: int, offset: int, room: int) -> bytes:
    start = content.read(offset, _BLOB.size)
    if len(start) < _BLOB.size:
        raise BrokenDatabase(f"ends before package {number}")
    magic, found, _, size = _BLOB.unpack(start)
    if magic != b"BlbS" or found != number or size > room - _BLOB.size:
        raise BrokenDatabase(f"has a slot for package {number} that points elsewhere")
    return content.read(offset + _BLOB.size, size)
