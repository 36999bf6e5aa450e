"""The members of the tar archive that holds an image: where each lies, found by its headers alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from deadweight.errors import InvalidDocument
from deadweight.layer.tar_header import BLOCK_SIZE, ZEROS, HeaderError, HeaderReader
from deadweight.transport.files import ReadAt


class Member(NamedTuple):
    """One member: its cleaned name, its kind as of a layer's entry, and where its content lies."""

    name: str
    kind: str
    size: int
    offset: int
    link: str


def walk(read_at: ReadAt, subject: str) -> Iterator[Member]:
    """The members in their order, read at ascending offsets. Raises `InvalidDocument` naming `subject` for what is no tar archive.

    An archive that ends without the two blocks of zeros is accepted, as by all tars; whether the content of the
    last member is whole is for the caller to see.
    """
    headers = HeaderReader()
    offset = 0
    while True:
        block = read_at(offset, BLOCK_SIZE)
        if block == ZEROS or (not block and offset and not headers.incomplete):
            return
        try:
            if len(block) < BLOCK_SIZE:
                raise HeaderError("ends in the middle of a header")
            header = headers.read(block)
            if isinstance(header, int):
                size = header
                data = read_at(offset + BLOCK_SIZE, size)
                if len(data) < size:
                    raise HeaderError("ends in the middle of an extension header")
                headers.extend(block, data)
            else:
                size = header.size
                yield Member(header.path, header.kind, size, offset + BLOCK_SIZE, header.link)
        except HeaderError as error:
            raise _broken(subject, offset, error) from None
        offset += BLOCK_SIZE + padded(size)


def padded(size: int) -> int:
    """`size` rounded up to whole blocks."""
    return -(-size // BLOCK_SIZE) * BLOCK_SIZE


def _broken(subject: str, offset: int, error: HeaderError) -> InvalidDocument:
    if offset == 0:
        return InvalidDocument(subject, f"is no tar archive: its first member {error}")
    return InvalidDocument(subject, f"is a broken tar archive: the member at byte {offset} {error}")
