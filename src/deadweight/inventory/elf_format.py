"""The records of an ELF file (System V gABI, chapters 4 and 5), read where they are needed and never further.

Numbers in a file are claims: each is checked before it is used. Nothing is read twice, nothing without a bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from operator import itemgetter
from struct import Struct
from typing import NamedTuple

from deadweight.layer.collect import Content, ContentGap
from deadweight.layer.content import Beginning

MAGIC = b"\x7fELF"
MAX_SECTIONS = 1 << 17
MAX_SEGMENTS = 1 << 12
MAX_NAMES = 1 << 22
MAX_DYNAMIC = 1 << 13
MAX_STRING = 1 << 12

MAX_KEPT = 8 << 20
"""Of a file that comes in pieces, the most bytes that are kept of what is loaded first, and of what is not loaded."""
MAX_KEPT_SEGMENT, MAX_LOADS = 4 << 20, 8
"""The most bytes that are kept of another segment, and the most segments of which some are."""

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP, _PT_GNU_RELRO = 1, 2, 3, 0x6474E552
_PF_X, _PF_W = 1, 2
_SHT_DYNAMIC = 6


class BrokenElf(ValueError):
    """A number in an ELF file that cannot be right."""


class Section(NamedTuple):
    """A section header."""

    name: int
    """Offset in the section names."""
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int


class Segment(NamedTuple):
    """A program header."""

    kind: int
    offset: int
    address: int
    size: int
    """In the file."""
    flags: int


class _Layout(NamedTuple):
    """The records of one class and byte order."""

    bits: int
    big_endian: bool
    header: Struct
    section: Struct
    segment: Struct
    segment_fields: itemgetter[tuple[int, int, int, int, int]]
    """The fields of `Segment` in a program header."""
    dynamic: Struct


def _layout(bits: int, order: str) -> _Layout:
    big_endian = order == ">"
    if bits == 64:
        structs = Struct(order + "16x2HI3QI6H"), Struct(order + "2I4Q2I2Q"), Struct(order + "2I6Q")
        return _Layout(bits, big_endian, *structs, itemgetter(0, 2, 3, 5, 1), Struct(order + "qQ"))
    structs = Struct(order + "16x2H5I6H"), Struct(order + "10I"), Struct(order + "8I")
    return _Layout(bits, big_endian, *structs, itemgetter(0, 1, 2, 4, 6), Struct(order + "iI"))


_LAYOUTS = {
    b"\1\1": _layout(32, "<"),
    b"\1\2": _layout(32, ">"),
    b"\2\1": _layout(64, "<"),
    b"\2\2": _layout(64, ">"),
}
"""By EI_CLASS and EI_DATA."""


def open_elf(content: Content) -> ElfFile | None:
    """The ELF file `content`; None where it is none."""
    start = content.read(0, 64)
    layout = _LAYOUTS.get(start[4:6]) if start.startswith(MAGIC) else None
    if layout is None or len(start) < layout.header.size:
        return None
    return ElfFile(content, layout, layout.header.unpack_from(start))


def parts(start: bytes, size: int) -> list[range]:
    """What has to be kept of an ELF file of `size` bytes that begins with `start`, so that it can be read.

    Most linkers put the names of symbols at the start of what is loaded first, or, where that is code, of what is not; the
    Go linker's words are at the start of the data, or behind what is read-only after relocation; patchelf moves names into
    a segment of their own. What is not loaded comes last, before the section headers.
    """
    file = open_elf(Beginning(size, start))
    if file is None:
        return []
    try:
        segments = file.segments()
    except (BrokenElf, ContentGap):
        segments = []
    loads = [segment for segment in segments if segment.kind == _PT_LOAD]
    one = {segment.kind: segment for segment in segments if segment.kind != _PT_LOAD}
    read = [one[kind] for kind in (_PT_DYNAMIC, _PT_INTERP) if kind in one]
    tables_first = not (loads and loads[0].flags & _PF_X)
    read += [
        load for load in loads[1:MAX_LOADS] if load.flags & _PF_W or not (tables_first or load.flags & _PF_X)
    ]
    found = file.section_parts(max((load.offset + load.size for load in loads), default=0))
    found += [range(load.offset, load.offset + min(load.size, MAX_KEPT)) for load in loads[:1]]
    found += [
        range(part.offset, part.offset + MAX_STRING + min(part.size, MAX_KEPT_SEGMENT)) for part in read
    ]
    if relro := one.get(_PT_GNU_RELRO):
        end = relro.offset + relro.size
        found.append(range(end, end + MAX_KEPT_SEGMENT))
    return found


class ElfFile:
    """One ELF file. What reads raises `BrokenElf`, or `ContentGap` for a part that was not kept."""

    def __init__(self, content: Content, layout: _Layout, header: tuple[int, ...]) -> None:
        self.content = content
        self.bits = layout.bits
        self.big_endian = layout.big_endian
        self.kind = header[0]
        self.machine = header[1]
        self._layout = layout
        self._segments_at, self._sections_at = header[4:6]
        self._segment_size, self._segment_count = header[8:10]
        self._section_size, self._section_count, self._names_index = header[10:13]
        self._loads: list[Segment] = []

    def section_parts(self, loaded: int) -> list[range]:
        """The section headers with what is before them, but not `loaded`: among others the names of sections.

        And where the headers are known already, those names and the names of symbols to be loaded.
        """
        size = min(self._section_count or 1, MAX_SECTIONS) * self._layout.section.size
        start = min(max(loaded, self._sections_at - MAX_KEPT), self._sections_at)
        found = [range(start, self._sections_at + size)]
        try:
            sections = self._section_headers()
            names = [self._section_names(sections)]
        except (BrokenElf, ContentGap):
            return found
        links = (link for _, kind, _, _, _, _, link, _, _, _ in sections if kind == _SHT_DYNAMIC)
        names += [Section._make(sections[link]) for link in islice(links, 1) if link < len(sections)]
        return found + [range(one.offset, one.offset + min(one.size, MAX_NAMES)) for one in names]

    def sections(self) -> tuple[list[tuple[int, ...]], bytes]:
        """The fields of `Section` of all section headers, and the section names that `Section.name` points into."""
        if not self._sections_at:
            return [], b""
        sections = self._section_headers()
        names = self._section_names(sections)
        return sections, self._exactly(names.offset, names.size)

    def _section_headers(self) -> list[tuple[int, ...]]:
        record = self._layout.section
        if self._section_size != record.size:
            raise BrokenElf("section headers of another size")
        count = self._section_count
        if not count:  # too many for the header: the first section says
            count = Section(*record.unpack(self._exactly(self._sections_at, record.size))).size
        if count > MAX_SECTIONS:
            raise BrokenElf("too many sections")
        data = self._exactly(self._sections_at, count * record.size)
        return list(record.iter_unpack(data))

    def _section_names(self, sections: list[tuple[int, ...]]) -> Section:
        number = self._names_index
        if number == 0xFFFF and sections:
            number = Section._make(sections[0]).link
        if number >= len(sections):
            raise BrokenElf("the section names are in no section")
        names = Section._make(sections[number])
        if names.size > MAX_NAMES:
            raise BrokenElf("the section names are too long")
        return names

    def segments(self) -> list[Segment]:
        """All program headers."""
        if not self._segments_at or not self._segment_count:
            return []
        record = self._layout.segment
        if self._segment_size != record.size or self._segment_count > MAX_SEGMENTS:
            raise BrokenElf("program headers of another size, or too many")
        data = self._exactly(self._segments_at, self._segment_count * record.size)
        fields = self._layout.segment_fields
        segments = [Segment._make(fields(header)) for header in record.iter_unpack(data)]
        self._loads = [segment for segment in segments if segment.kind == _PT_LOAD]
        return segments

    def dynamic(self, segment: Segment) -> Iterator[tuple[int, int]]:
        """Tag and value of each entry of the dynamic section in `segment`, without the DT_NULL that ends it."""
        record = self._layout.dynamic
        size = min(segment.size, MAX_DYNAMIC * record.size, self.content.size)
        data = self.content.read(segment.offset, size)
        for tag, value in record.iter_unpack(data[: len(data) // record.size * record.size]):
            if not tag:
                return
            yield tag, value

    def is_undefined(self, table: bytes, name: int) -> bool:
        """Whether `table`, symbols to be loaded, has one of the name at offset `name` that other files define (SHN_UNDEF)."""
        size, section = (24, 6) if self.bits == 64 else (16, 14)
        start = name.to_bytes(4, "big" if self.big_endian else "little")
        at = table.find(start)
        while at >= 0:
            if at % size == 0 and table[at + section : at + section + 2] == b"\0\0":
                return True
            at = table.find(start, at + 1)
        return False

    def notes(self, data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
        """Type, owner and content of each note in `data` (gABI, chapter 5); what is cut off is left out."""
        record = Struct((">" if self.big_endian else "<") + "3I")
        at = 0
        while at + record.size <= len(data):
            owner_size, size, kind = record.unpack_from(data, at)
            at += record.size
            content = at + owner_size + -owner_size % 4
            if content + size > len(data):
                return
            yield kind, data[at : at + owner_size].rstrip(b"\0"), data[content : content + size]
            at = content + size + -size % 4

    def offset_of(self, address: int) -> int:
        """Where in the file lies what `segments` loads at `address`."""
        for load in self._loads:
            if load.address <= address < load.address + load.size:
                return address - load.address + load.offset
        raise BrokenElf("an address that nothing is loaded at")

    def at_address(self, address: int, length: int) -> bytes:
        """`length` bytes as loaded at `address`."""
        return self._exactly(self.offset_of(address), length)

    def string(self, offset: int, longest: int = MAX_STRING) -> str:
        """The string at `offset` in the file, which a NUL byte ends after at most `longest` bytes."""
        for length in (128, longest):
            data = self.content.read(offset, min(length, longest))
            end = data.find(b"\0")
            if end >= 0:
                return data[:end].decode("utf-8", "surrogateescape")
        raise BrokenElf("a string without end")

    def _exactly(self, offset: int, length: int) -> bytes:
        if offset + length > self.content.size:
            raise BrokenElf("a part behind the end of the file")
        return self.content.read(offset, length)
