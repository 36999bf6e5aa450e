"""Contents out of a layer that has been indexed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from deadweight.errors import DigestMismatch
from deadweight.layer.cursor import Cursor
from deadweight.layer.decompress import decoded
from deadweight.layer.entry import Entry
from deadweight.layer.inflate import inflated
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest


def read_content(stream: BinaryIO, descriptor: Descriptor, entry: Entry) -> Iterator[memoryview]:
    """The content of `entry`, a regular file of an indexed layer whose stored bytes are in `stream`.

    Raises `DigestMismatch` at the end where it is not what the index says, `InvalidLayer` for a broken stream.
    """
    subject = f"layer {descriptor.digest}"
    cursor = Cursor(decoded(stream, subject), subject)
    hasher = hashlib.sha256()
    for piece in _content(cursor, entry):
        hasher.update(piece)
        yield piece
    if hasher.digest() != entry.digest:
        raise DigestMismatch(subject, f"{entry.path!r} has changed since the layer was indexed")


def read_contents(
    stream: BinaryIO, descriptor: Descriptor, diff_id: Digest, entries: Sequence[Entry], wanted: Iterable[int]
) -> Iterator[tuple[int, Iterator[memoryview]]]:
    """The contents of `wanted`, numbers of regular files among the `entries` of an indexed layer, in the order of the layer.

    Each must be used up before the next is asked for. All of the layer is read, and verified at its end, with all contents in
    it: raises what `inflated` raises.
    """
    pieces = inflated(stream, descriptor, diff_id)
    cursor = Cursor(pieces, f"layer {descriptor.digest}")
    for number in sorted(wanted):
        yield number, _content(cursor, entries[number])
    for _ in pieces:
        pass


def _content(cursor: Cursor, entry: Entry) -> Iterator[memoryview]:
    cursor.skip(entry.start - cursor.offset)
    cursor.header()
    yield from cursor.pieces(entry.size)
