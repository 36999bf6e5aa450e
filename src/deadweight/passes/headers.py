"""Tar headers under another name: whatever else they say stays, owners' names and fractions of seconds too.

Formats: ustar and pax (POSIX.1-2017, pax), GNU ("Basic Tar Format" in GNU tar's manual).
"""

from __future__ import annotations

from deadweight.layer.entry import DIRECTORY, FILE, HARD_LINK, Entry
from deadweight.layer.tar_header import BLOCK_SIZE, EXTENSIONS, KIND_OF, octal, pax_records

_NAME_SIZE = 100
_NAME, _SIZE, _CHECKSUM, _LINK = slice(0, 100), slice(124, 136), slice(148, 156), slice(157, 257)
_TYPE, _MAGIC, _PREFIX = slice(156, 157), slice(257, 263), slice(345, 500)
_GNU = b"ustar "
_USTAR = b"ustar\0"
_NEW_TYPE = {FILE: b"0", HARD_LINK: b"1"}
_OVERRIDDEN = frozenset({"path", "linkpath", "size"})


def renamed(blocks: bytes, entry: Entry) -> bytes:
    """`blocks`, the header of an entry with all extension headers, with the path, kind, link and size of `entry`.

    `entry` is of the same kind, or a hard link or regular file where the other was.
    """
    records: dict[bytes, bytes] = {}
    kept: list[bytes] = []
    position = 0
    while (flag := blocks[position:][_TYPE]) in EXTENSIONS:
        size = octal(blocks[position:][_SIZE])
        end = position + BLOCK_SIZE + size + -size % BLOCK_SIZE
        if flag == b"x":
            found = pax_records(blocks[position + BLOCK_SIZE : position + BLOCK_SIZE + size])
            records |= {_bytes(name): value for name, value in found.items() if name not in _OVERRIDDEN}
        elif flag == b"g":
            kept.append(blocks[position:end])
        position = end
    block = bytearray(blocks[position : position + BLOCK_SIZE])
    gnu = block[_MAGIC] == _GNU
    path = _bytes(f"{entry.path or '.'}/" if entry.kind == DIRECTORY else entry.path)
    link = _bytes(entry.link)
    block[_NAME] = path[:_NAME_SIZE].ljust(_NAME_SIZE, b"\0")
    block[_LINK] = link[:_NAME_SIZE].ljust(_NAME_SIZE, b"\0")
    if KIND_OF[bytes(block[_TYPE])] != entry.kind:
        block[_TYPE] = _NEW_TYPE[entry.kind]
    block[_SIZE] = _number(entry.size)
    if block[_MAGIC] == _USTAR:
        block[_PREFIX] = bytes(_PREFIX.stop - _PREFIX.start)
    for keyword, flag, text in ((b"path", b"L", path), (b"linkpath", b"K", link)):
        if len(text) > _NAME_SIZE:
            if gnu:
                kept.append(_extension(flag, text + b"\0"))
            else:
                records[keyword] = text
    if records:
        kept.append(_extension(b"x", b"".join(_record(name, records[name]) for name in sorted(records))))
    return b"".join((*kept, _sealed(block)))


def _extension(flag: bytes, data: bytes) -> bytes:
    block = bytearray(BLOCK_SIZE)
    block[_NAME] = (b"pax" if flag == b"x" else b"././@LongLink").ljust(_NAME_SIZE, b"\0")
    block[100:124] = b"0000644\x000000000\x000000000\0"
    block[_SIZE] = _number(len(data))
    block[136:148] = b"%011o\0" % 0
    block[_TYPE] = flag
    block[257:265] = b"ustar\x0000" if flag == b"x" else b"ustar  \0"
    return _sealed(block) + data + bytes(-len(data) % BLOCK_SIZE)


def _sealed(block: bytearray) -> bytes:
    block[_CHECKSUM] = b" " * 8
    block[_CHECKSUM] = b"%06o\0 " % sum(block)
    return bytes(block)


def _number(value: int) -> bytes:
    """Octal, or GNU's base-256 where the field is too short."""
    if value < 8**11:
        return b"%011o\0" % value
    return (value | 1 << 95).to_bytes(12, "big")


def _record(keyword: bytes, value: bytes) -> bytes:
    length = len(keyword) + len(value) + 3
    total = length + len(str(length))
    if len(str(total)) > len(str(length)):
        total += 1
    return b"%d %s=%s\n" % (total, keyword, value)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
