"""One package in rpm's database: a header of tagged values (RPM file format, "Header format").

A header is two counts, an index of 16 bytes for each value, and the data that the index points into; big-endian.
"""

from __future__ import annotations

import stat
from struct import Struct

from deadweight.inventory.rpm.pages import BrokenDatabase
from deadweight.layer.collect import Fact

NAME = 1000
VERSION = 1001
RELEASE = 1002
EPOCH = 1003
LICENSE = 1014
ARCH = 1022
FILE_MODES = 1030
SOURCE_RPM = 1044
PROVIDE_NAME = 1047
REQUIRE_NAME = 1049
DIR_INDEXES = 1116
BASE_NAMES = 1117
DIR_NAMES = 1118

MAX_VALUES = 1 << 16

_COUNTS = Struct(">2I")
_INDEX = Struct(">4I")
_INT16, _INT32, _STRING, _STRING_ARRAY, _I18N_STRING = 3, 4, 6, 8, 9
_STRINGS = (_STRING, _STRING_ARRAY, _I18N_STRING)


class Header:
    """The values of one package."""

    def __init__(self, blob: bytes) -> None:
        if len(blob) < _COUNTS.size:
            raise BrokenDatabase("has a header without its counts")
        values, size = _COUNTS.unpack_from(blob)
        start = _COUNTS.size + values * _INDEX.size
        if values > MAX_VALUES or start + size > len(blob):
            raise BrokenDatabase("has a header that is shorter than it says")
        self._data = blob[start : start + size]
        index = _INDEX.iter_unpack(blob[_COUNTS.size : start])
        self._index = {tag: (kind, offset, count) for tag, kind, offset, count in index}

    def strings(self, tag: int) -> list[str]:
        """The strings of `tag`, none where it is absent."""
        kind, offset, count = self._index.get(tag, (_STRING, 0, 0))
        if kind not in _STRINGS:
            raise BrokenDatabase(f"has a header in which tag {tag} is no text")
        if not count:
            return []
        if offset > len(self._data) or count > len(self._data) - offset:
            raise BrokenDatabase(f"has a header in which tag {tag} leaves the data")
        parts = self._data[offset:].split(b"\0", count)
        if len(parts) <= count:
            raise BrokenDatabase(f"has a header in which tag {tag} does not end")
        return [part.decode("utf-8", "surrogateescape") for part in parts[:count]]

    def text(self, tag: int) -> str:
        """The first string of `tag`, else empty."""
        found = self.strings(tag)
        return found[0] if found else ""

    def numbers(self, tag: int) -> list[int]:
        """The numbers of `tag`, none where it is absent."""
        kind, offset, count = self._index.get(tag, (_INT32, 0, 0))
        size = {_INT16: 2, _INT32: 4}.get(kind)
        if size is None or offset + count * size > len(self._data):
            raise BrokenDatabase(f"has a header in which tag {tag} is no list of numbers")
        return list(Struct(f">{count}{'H' if size == 2 else 'I'}").unpack_from(self._data, offset))

    def paths(self) -> list[str]:
        """The paths of the package's files, without its directories."""
        names, folders, indexes = self.strings(BASE_NAMES), self.strings(DIR_NAMES), self.numbers(DIR_INDEXES)
        modes = self.numbers(FILE_MODES)
        if len(names) != len(indexes) or any(index >= len(folders) for index in indexes):
            raise BrokenDatabase("has a header whose file names have no directories")
        if len(modes) != len(names):
            modes = [stat.S_IFREG] * len(names)
        # Each file also has a digest, a size, an owner ...: whole paths are never much longer than the header.
        if sum(len(folders[index]) for index in indexes) > 4 * len(self._data):
            raise BrokenDatabase("has a header whose paths are longer than they can be")
        return [
            folders[index] + name
            for name, index, mode in zip(names, indexes, modes, strict=True)
            if not stat.S_ISDIR(mode)
        ]


def package(blob: bytes) -> dict[str, Fact]:
    """What is used of one package's header. Raises `BrokenDatabase`."""
    header = Header(blob)
    epoch = header.numbers(EPOCH)
    version = f"{header.text(VERSION)}-{header.text(RELEASE)}"
    return {
        "name": header.text(NAME),
        "version": f"{epoch[0]}:{version}" if epoch else version,
        "architecture": header.text(ARCH),
        "license": header.text(LICENSE),
        "source": header.text(SOURCE_RPM),
        "requires": list[Fact](dict.fromkeys(header.strings(REQUIRE_NAME))),
        "provides": list[Fact](dict.fromkeys(header.strings(PROVIDE_NAME))),
        "files": "\n".join(header.paths()),
    }
