"""rpm's databases: headers written tag by tag, in each of the formats that hold them."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

Value = str | Sequence[str] | Sequence[int]

NAME, VERSION, RELEASE, EPOCH, LICENSE, ARCH = 1000, 1001, 1002, 1003, 1014, 1022
FILE_MODES, SOURCE_RPM, PROVIDE_NAME, REQUIRE_NAME = 1030, 1044, 1047, 1049
DIR_INDEXES, BASE_NAMES, DIR_NAMES = 1116, 1117, 1118

_INT16, _INT32, _STRING, _STRING_ARRAY = 3, 4, 6, 8


def header(values: Mapping[int, Value]) -> bytes:
    """A header with `values`: a text as a string, texts as an array, numbers as 16 (modes) or 32 bits."""
    index, data = b"", b""
    for tag, value in values.items():
        if isinstance(value, str):
            kind, count, content = _STRING, 1, value.encode() + b"\0"
        elif all(isinstance(item, str) for item in value):
            kind, count = _STRING_ARRAY, len(value)
            content = b"".join(str(item).encode() + b"\0" for item in value)
        else:
            kind, letter = (_INT16, "H") if tag == FILE_MODES else (_INT32, "I")
            count, content = len(value), struct.pack(f">{len(value)}{letter}", *value)
            data += bytes(-len(data) % 4)
        index += struct.pack(">4I", tag, kind, len(data), count)
        data += content
    return struct.pack(">2I", len(values), len(data)) + index + data


def package(
    name: str, version: str = "1", release: str = "1", paths: Sequence[str] = (), **more: Value
) -> bytes:
    """The header of a package; a path that ends in ``/`` is a directory. `more` by the names of tags above."""
    folders = list(dict.fromkeys(_folder(path) for path in paths))
    values: dict[int, Value] = {NAME: name, VERSION: version, RELEASE: release, ARCH: "x86_64"}
    if paths:
        values[FILE_MODES] = [0o40755 if path.endswith("/") else 0o100644 for path in paths]
        values[DIR_INDEXES] = [folders.index(_folder(path)) for path in paths]
        values[BASE_NAMES] = [path.rstrip("/").rpartition("/")[2] for path in paths]
        values[DIR_NAMES] = folders
    values.update({globals()[tag]: value for tag, value in more.items()})
    return header(values)


def _folder(path: str) -> str:
    return path.rstrip("/").rpartition("/")[0] + "/"


def sqlite_database(headers: Sequence[bytes], folder: Path, page_size: int = 4096) -> bytes:
    """``rpmdb.sqlite`` as SQLite itself writes it, with rpm's tables; the file is made in `folder`."""
    path = folder / "rpmdb.sqlite"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA page_size = {page_size}")
        connection.execute(
            "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)"
        )
        connection.execute(
            "CREATE TABLE 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)"
        )
        connection.execute("CREATE INDEX 'Name_key_idx' ON 'Name'(key ASC)")
        connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(blob,) for blob in headers])
        connection.executemany(
            "INSERT INTO Name VALUES ('x', ?, 0)", [(number,) for number in range(len(headers))]
        )
    connection.close()
    return path.read_bytes()


def ndb_database(headers: Sequence[bytes]) -> bytes:
    """``Packages.db``: one page of slots, then the blobs."""
    slots = [b"RpmP" + struct.pack("<4I12x", 0, 1, 1, len(headers) + 1)]
    blobs = b""
    for number, blob in enumerate(headers, 1):
        record = b"BlbS" + struct.pack("<3I", number, 1, len(blob)) + blob
        record += bytes(-(len(record) + 12) % 16) + struct.pack("<2I", 0, len(blob)) + b"BlbE"
        slots.append(b"Slot" + struct.pack("<3I", number, (4096 + len(blobs)) // 16, len(record) // 16))
        blobs += record
    free = b"Slot" + bytes(12)
    table = b"".join(slots)
    return table + free * ((4096 - len(table)) // 16) + blobs


def berkeley_database(headers: Sequence[bytes], order: str = "<", page_size: int = 512) -> bytes:
    """``Packages`` as a hash table with one bucket; a header of more than a quarter page overflows."""
    pages = [b""]
    items = [b"\1" + struct.pack(order + "I", 0), b"\1" + struct.pack(order + "I", len(headers) + 1)]
    bucket = 1
    pages.append(b"")
    for number, blob in enumerate(headers, 1):
        items.append(b"\1" + struct.pack(order + "I", number))
        if len(blob) <= page_size // 4:
            items.append(b"\1" + blob)
        else:
            items.append(b"\3" + struct.pack(order + "3x2I", len(pages), len(blob)))
            room = page_size - 26
            parts = [blob[start : start + room] for start in range(0, len(blob), room)]
            for part in parts:
                following = len(pages) + 1 if part is not parts[-1] else 0
                pages.append(_page(order, len(pages), following, 1, len(part), 7) + part)
    offsets, content = [], b""
    for item in items:
        content = item + content
        offsets.append(page_size - len(content))
    start = _page(order, bucket, 0, len(items), offsets[-1], 13) + struct.pack(
        f"{order}{len(items)}H", *offsets
    )
    assert len(start) + len(content) <= page_size, "too many packages for one bucket"
    pages[bucket] = start.ljust(page_size - len(content), b"\0") + content
    pages[0] = struct.pack(order + "8x3I", 0, 0x061561, 9).ljust(20, b"\0") + struct.pack(
        order + "I", page_size
    )
    return b"".join(page.ljust(page_size, b"\0") for page in pages)


def _page(order: str, number: int, following: int, entries: int, offset: int, kind: int) -> bytes:
    return struct.pack(order + "8x3I2H2B", number, 0, following, entries, offset, 0, kind)
