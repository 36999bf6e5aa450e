"""Layer indexes as bytes: column by column, because that is small, and fast to read back.

The bytes hold nothing that could be run. A JSON object with all that is there once comes first, the columns follow.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

from deadweight.errors import InvalidDocument, Unsupported
from deadweight.layer.entry import Entry
from deadweight.layer.index import LayerIndex, WireMap
from deadweight.oci.digest import Digest

_DIGEST_SIZE = 32
_NUMBERS = ("size", "mode", "uid", "gid", "mtime", "start")
_NO_XATTRS: tuple[tuple[str, bytes], ...] = ()
_NO_DEVICE = (0, 0)


class NotEncodable(ValueError):
    """An index that the columns cannot hold, as that of a layer with an owner beyond 64 bits."""


class NotDecodable(ValueError):
    """Bytes that are no encoded index."""


def encode(index: LayerIndex) -> bytes:
    """`index` as bytes, the same for the same index. Raises `NotEncodable`."""
    rows = zip(*index.entries, strict=True) if index.entries else repeat((), len(Entry._fields))
    paths, kinds, sizes, modes, uids, gids, mtimes, links, digests, starts, xattrs, devices = rows
    once = {
        "digest": index.digest,
        "diff_id": index.diff_id,
        "blob_size": index.blob_size,
        "tar_size": index.tar_size,
        "compression": index.compression,
        "count": len(index.entries),
        "xattrs": {
            number: [[name, value.hex()] for name, value in one] for number, one in enumerate(xattrs) if one
        },
        "devices": {number: one for number, one in enumerate(devices) if one != _NO_DEVICE},
        "facts": index.facts,
    }
    columns = (
        _texts(paths),
        _texts(links),
        "".join(kinds).encode(),
        *(_numbers("q", column) for column in (sizes, modes, uids, gids, mtimes, starts)),
        bytes(map(bool, digests)),
        b"".join(digests),
        _numbers("Q", index.wire.tar),
        _numbers("Q", index.wire.wire),
    )
    parts = (json.dumps(once, separators=(",", ":"), sort_keys=True).encode(), *columns)
    return b"".join(part for column in parts for part in (len(column).to_bytes(8, "little"), column))


def decode(data: bytes) -> LayerIndex:
    """The index in `data`. Raises `NotDecodable` where it is none."""
    try:
        once, paths, links, kinds, *numbers, flags, digests, tar, wire = _parts(data)
        head = json.loads(once)
        count = head["count"]
        columns = dict(zip(_NUMBERS, (_array("q", column).tolist() for column in numbers), strict=True))
        rows = zip(
            _split(paths, count),
            kinds.decode(),
            columns["size"],
            columns["mode"],
            columns["uid"],
            columns["gid"],
            columns["mtime"],
            _split(links, count),
            _spread(digests, flags),
            columns["start"],
            _sparse(head["xattrs"], count, _NO_XATTRS, _xattrs),
            _sparse(head["devices"], count, _NO_DEVICE, _device),
            strict=True,
        )
        return LayerIndex(
            digest=Digest(head["digest"]),
            diff_id=Digest(head["diff_id"]),
            blob_size=head["blob_size"],
            tar_size=head["tar_size"],
            compression=head["compression"],
            entries=list(map(Entry._make, rows)),
            wire=WireMap(_array("Q", tar), _array("Q", wire)),
            facts={name: {int(n): fact for n, fact in of.items()} for name, of in head["facts"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, InvalidDocument, Unsupported) as error:
        raise NotDecodable(str(error)) from error


def _parts(data: bytes) -> Iterator[bytes]:
    offset = 0
    while offset < len(data):
        length = int.from_bytes(data[offset : offset + 8], "little")
        offset += 8 + length
        if offset > len(data):
            raise NotDecodable("is cut off")
        yield data[offset - length : offset]


def _texts(texts: Sequence[str]) -> bytes:
    # Surrogates stand for bytes that are not UTF-8; this keeps each as it is.
    joined = "\0".join(texts)
    if joined.count("\0") != max(0, len(texts) - 1):
        raise NotEncodable("a name with a NUL")
    return joined.encode("utf-8", "surrogatepass")


def _split(column: bytes, count: int) -> list[str]:
    return column.decode("utf-8", "surrogatepass").split("\0") if count else []


def _numbers(code: str, numbers: Iterable[int]) -> bytes:
    try:
        column = array(code, numbers)
    except OverflowError as error:
        raise NotEncodable(str(error)) from None
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def _array(code: str, column: bytes) -> array[int]:
    numbers = array(code, column)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _spread(digests: bytes, flags: bytes) -> list[bytes]:
    """The digests in their order where a flag is set, nothing where none is."""
    if len(digests) != _DIGEST_SIZE * sum(flags):
        raise NotDecodable("has too few digests")
    each = (digests[start : start + _DIGEST_SIZE] for start in range(0, len(digests), _DIGEST_SIZE))
    return [next(each) if flag else b"" for flag in flags]


def _sparse(values: Mapping[str, Any], count: int, nothing: Any, parse: Any) -> Iterable[Any]:
    if not values:
        return repeat(nothing, count)
    column = [nothing] * count
    for number, value in values.items():
        column[int(number)] = parse(value)
    return column


def _xattrs(value: list[list[str]]) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, bytes.fromhex(content)) for name, content in value)


def _device(value: list[int]) -> tuple[int, int]:
    major, minor = value
    return major, minor
