"""Tar headers: ustar, pax (POSIX.1-2017, pax, "ustar Interchange Format") and GNU (tar manual, "Basic Tar Format").

Strict where a lenient reader could be led to another tree than the runtime's: an unknown type, a number that is none,
a path that climbs are refused, not guessed.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import NamedTuple

from isal.isal_zlib import adler32

from deadweight.layer.entry import BLOCK, CHARACTER, DIRECTORY, FIFO, FILE, HARD_LINK, SYMLINK

BLOCK_SIZE = 512
ZEROS = bytes(BLOCK_SIZE)
MAX_PATH = 4096
"""Linux's PATH_MAX: no runtime can make a longer path."""
MAX_EXTENSION = 1 << 20
"""The most bytes of the pax and GNU extension headers of one entry."""
MAX_SIZE = 1 << 50
MAX_REMEMBERED = 65536
"""How many fields that recur are kept with what they mean."""

XATTR_PREFIX = "SCHILY.xattr."

_FIELDS = struct.Struct("100s24s12s12s8sc")
"""Name, mode with uid and gid, size, mtime, checksum, type. What comes after them is seldom needed."""
_LINK, _MAGIC, _MAJOR, _MINOR, _PREFIX = (
    slice(157, 257),
    slice(257, 263),
    slice(329, 337),
    slice(337, 345),
    slice(345, 500),
)

KIND_OF = {
    b"0": FILE,
    b"\0": FILE,
    b"7": FILE,
    b"1": HARD_LINK,
    b"2": SYMLINK,
    b"3": CHARACTER,
    b"4": BLOCK,
    b"5": DIRECTORY,
    b"6": FIFO,
}
EXTENSIONS = frozenset({b"x", b"g", b"L", b"K"})

_LONG_NAME = re.compile(r"[^/]{64}")
"""Of so many characters a name may be longer than 255 bytes."""

_REFUSED = {
    b"S": "a sparse file of GNU tar",
    b"M": "a continued file of GNU tar's multi-volume archives",
    b"V": "a volume label of GNU tar",
    b"D": "a directory list of GNU tar's incremental archives",
}


class HeaderError(ValueError):
    """A header that is not well formed; the message says how."""


class Header(NamedTuple):
    """A header with its extensions applied. `size` is the number of content bytes that follow."""

    path: str
    kind: str
    size: int
    mode: int
    uid: int
    gid: int
    mtime: int
    link: str
    xattrs: tuple[tuple[str, bytes], ...]
    device: tuple[int, int]


class HeaderReader:
    """Header blocks in the order of the stream; keeps what extension headers say for the entry that they precede."""

    def __init__(self) -> None:
        self._accesses = _Accesses()
        self._times = _Times()
        self._records: dict[str, bytes] = {}
        self._extended = 0

    @property
    def incomplete(self) -> bool:
        """Whether an extension header has come, but not yet its entry."""
        return bool(self._records)

    def extend(self, block: bytes, data: bytes) -> None:
        """Takes in the extension `data` that followed `block`. Raises `HeaderError`."""
        self._extended += len(data)
        if self._extended > MAX_EXTENSION:
            raise HeaderError(f"has extensions of more than {MAX_EXTENSION} bytes in all")
        typeflag = block[156:157]
        if typeflag == b"L":
            self._records["path"] = data.partition(b"\0")[0]
        elif typeflag == b"K":
            self._records["linkpath"] = data.partition(b"\0")[0]
        else:
            records = pax_records(data)
            if typeflag == b"x":
                self._records.update(records)
            elif set(records) - {"comment"}:
                # Git writes a comment; what changes every later entry at once no image builder writes.
                raise HeaderError("is a pax global header that would change all entries after it")

    def read(self, block: bytes) -> Header | int:
        """The header in `block`; of an extension header the size of what follows, which `extend` takes.

        Raises `HeaderError`.
        """
        name, access, size, mtime, stored, typeflag = _FIELDS.unpack_from(block)
        # Adler-32's lower half is one plus the sum of all bytes, modulo 65521: the fast way to add 512 of them.
        # The stored checksum itself counts as eight spaces.
        total = (adler32(block) & 0xFFFF) - (adler32(stored) & 0xFFFF) + 256
        if stored != b"%06o\0 " % total:  # as nearly all writers have it
            _require_checksum(block, total, stored)
        kind = KIND_OF.get(typeflag)
        if kind is None:
            return _extension_size(typeflag, octal(size))
        path = name.partition(b"\0")[0].decode("utf-8", "surrogateescape")
        if block[_PREFIX.start] and block[_MAGIC] == b"ustar\0":
            path = f"{_text(block[_PREFIX])}/{path}"
        target = _text(block[_LINK]) if kind is SYMLINK or kind is HARD_LINK else ""
        length = octal(size) if kind is FILE else 0
        mode, owner, group = self._accesses[access]
        modified = self._times[mtime]
        xattrs: tuple[tuple[str, bytes], ...] = ()
        if self._records or self._extended:
            records, self._records, self._extended = self._records, {}, 0
            _refuse_sparse(records)
            path = _recorded_text(records, "path", path)
            target = _recorded_text(records, "linkpath", target) if target else ""
            length = _recorded_number(records, "size", length) if kind is FILE else 0
            owner = _recorded_number(records, "uid", owner)
            group = _recorded_number(records, "gid", group)
            modified = _recorded_number(records, "mtime", modified)
            xattrs = _xattrs(records)
        path = path.removeprefix("./")
        if path[-1:] == "/":
            if kind is FILE:  # as tars from before POSIX mark a directory
                kind, length = DIRECTORY, 0
            path = path[:-1]
        # Most paths are clean already; the marks of one that is not are searched for before it is taken apart.
        if (
            "/." in path
            or "//" in path
            or "\0" in path
            or path[:1] in "./"
            or path[-1:] == "/"
            or (len(path) > 63 and (len(path) > MAX_PATH or _LONG_NAME.search(path)))
        ):
            path = clean_path(path)
        if not 0 <= length <= MAX_SIZE:
            raise HeaderError(f"claims a size of {length} bytes")
        if target:
            target = _link_target(target, kind)
        device = (0, 0)
        if kind is CHARACTER or kind is BLOCK:
            device = number(block[_MAJOR]), number(block[_MINOR])
        fields = (path, kind, length, mode, owner, group, modified, target, xattrs, device)
        return tuple.__new__(Header, fields)


class _Accesses(dict[bytes, tuple[int, int, int]]):
    """Mode, uid and gid by their three fields: the same few recur in thousands of entries."""

    def __missing__(self, fields: bytes) -> tuple[int, int, int]:
        value = number(fields[:8]) & 0o7777, number(fields[8:16]), number(fields[16:])
        if len(self) < MAX_REMEMBERED:
            self[fields] = value
        return value


class _Times(dict[bytes, int]):
    """Times of modification by their field."""

    def __missing__(self, field: bytes) -> int:
        value = number(field)
        if len(self) < MAX_REMEMBERED:
            self[field] = value
        return value


def _refuse_sparse(records: Mapping[str, bytes]) -> None:
    if any(keyword.startswith("GNU.sparse.") for keyword in records):
        raise HeaderError("is a sparse file, which no image layer holds")


def _recorded_text(records: Mapping[str, bytes], keyword: str, otherwise: str) -> str:
    value = records.get(keyword)
    return otherwise if value is None else value.decode("utf-8", "surrogateescape")


def _recorded_number(records: Mapping[str, bytes], keyword: str, otherwise: int) -> int:
    value = records.get(keyword)
    if value is None:
        return otherwise
    whole = value.partition(b".")[0]
    if not whole.removeprefix(b"-").isdigit() or len(whole) > 20:
        raise HeaderError(f"has the pax record {keyword}={value[:30]!r}, which is no number")
    return int(whole)


def _xattrs(records: Mapping[str, bytes]) -> tuple[tuple[str, bytes], ...]:
    return tuple(
        sorted(
            (keyword.removeprefix(XATTR_PREFIX), value)
            for keyword, value in records.items()
            if keyword.startswith(XATTR_PREFIX)
        )
    )


def _link_target(target: str, kind: str) -> str:
    if kind is HARD_LINK:
        return clean_path(target)
    if "\0" in target or len(target) >= MAX_PATH:
        raise HeaderError(f"is a symbolic link with an impossible target of {len(target)} characters")
    return target


def _require_checksum(block: bytes, total: int, stored: bytes) -> None:
    """Raises `HeaderError` unless the checksum `stored` is right; `total` is the sum modulo 65521."""
    claimed = number(stored)
    if (total - claimed) % 65521 == 0 and 0 <= claimed < 1 << 17:
        return
    # Some old tars added the bytes as signed numbers.
    signed = sum(byte - 256 if byte > 127 else byte for byte in block[:148] + b" " * 8 + block[156:])
    if signed != claimed:
        raise HeaderError("has a wrong header checksum")


def _extension_size(typeflag: bytes, size: int) -> int:
    if typeflag not in EXTENSIONS:
        what = _REFUSED.get(typeflag, f"of the unknown type {typeflag!r}")
        raise HeaderError(f"is {what}, which no image layer holds")
    if not 0 <= size <= MAX_EXTENSION:
        raise HeaderError(f"has an extension of {size} bytes; at most {MAX_EXTENSION} are read")
    return size


def octal(field: bytes) -> int:
    """As `number`, but fast for the digits and one NUL or space that most writers use."""
    digits = field[:-1]
    if digits.isdigit() and field[-1] in b"\0 ":
        try:
            return int(digits, 8)
        except ValueError:
            pass  # 8 or 9: `number` says so
    return number(field)


def number(field: bytes) -> int:
    """The number in a header field: octal digits with spaces and NULs around, or GNU's base-256. Raises `HeaderError`."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big", signed=False)
        bits = len(field) * 8
        # The top bit marks the encoding; the next one is the sign.
        value &= (1 << (bits - 1)) - 1
        if value >> (bits - 2):
            value -= 1 << (bits - 1)
        return value
    digits = field.partition(b"\0")[0].strip(b" ")
    if not digits:
        return 0
    if not digits.isdigit():
        raise HeaderError(f"has {bytes(field)!r} where an octal number belongs")
    try:
        return int(digits, 8)
    except ValueError:
        raise HeaderError(f"has {bytes(field)!r} where an octal number belongs") from None


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def clean_path(name: str) -> str:
    """`name` as a path from the root of the image. Raises `HeaderError` where it climbs, holds a NUL or is too long."""
    if len(name) > MAX_PATH:
        raise HeaderError(f"has a path of {len(name)} characters; at most {MAX_PATH} are possible")
    if "\0" in name:
        raise HeaderError("has a NUL in its path")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise HeaderError(f"has the path {name[:200]!r}, which climbs with '..'")
    if _LONG_NAME.search(name) and any(len(part.encode("utf-8", "surrogateescape")) > 255 for part in parts):
        raise HeaderError("has a name of more than 255 bytes in its path")
    return "/".join(parts)


def pax_records(data: bytes) -> dict[str, bytes]:
    r"""The records of a pax extended header: ``LENGTH KEYWORD=VALUE\n``. Raises `HeaderError`."""
    records: dict[str, bytes] = {}
    position = 0
    while position < len(data):
        if data[position] == 0:
            break  # padding of writers that count it in
        space = data.find(b" ", position, position + 20)
        digits = data[position:space] if space > 0 else b""
        if not digits.isdigit():
            raise HeaderError("has a pax record without a length")
        end = position + int(digits)
        record = data[space + 1 : end]
        if end > len(data) or not record.endswith(b"\n"):
            raise HeaderError("has a pax record that is cut off")
        keyword, equals, value = record[:-1].partition(b"=")
        if not equals or not keyword:
            raise HeaderError("has a pax record without a keyword")
        records[keyword.decode("utf-8", "surrogateescape")] = value
        position = end
    return records
