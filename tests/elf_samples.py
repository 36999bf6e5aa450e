"""ELF files of any class and byte order, written record by record."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

BASE = 0x400000
"""The address at which the whole file is loaded."""

ALLOC = 2
PROGBITS, SYMTAB, STRTAB, NOTE, NOBITS = 1, 2, 3, 7, 8
DT_NEEDED, DT_STRTAB, DT_SONAME, DT_RPATH, DT_RUNPATH, DT_FLAGS_1 = 1, 5, 14, 15, 29, 0x6FFFFFFB
DT_SYMTAB, DT_STRSZ = 6, 10


@dataclass(frozen=True)
class Section:
    name: str
    content: bytes = b""
    kind: int = PROGBITS
    flags: int = 0
    link: int = 0


@dataclass(frozen=True)
class ElfSample:
    """What to write; the first section of the file, which is empty, and that with the names are added."""

    bits: int = 64
    order: str = "<"
    kind: int = 3
    machine: int = 62
    interpreter: str = ""
    names: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """Tag of the dynamic section -> strings."""
    flags_1: int = 0
    sections: Sequence[Section] = ()
    imports: Sequence[str] = ()
    """Symbols that it takes from others."""
    exports: Sequence[str] = ()
    """Symbols that it defines."""
    notes: bytes = b""
    """What a segment of notes holds."""

    def content(self) -> bytes:
        """The file."""
        wide = self.bits == 64
        header_size, segment_size, section_size = (64, 56, 64) if wide else (52, 32, 40)
        body = bytearray()
        start = header_size + 4 * segment_size

        def place(data: bytes) -> int:
            body.extend(bytes(-len(body) % 16))
            offset = start + len(body)
            body.extend(data)
            return offset

        interpreter = place(self.interpreter.encode() + b"\0")
        strings = bytearray(b"\0")
        tags: list[tuple[int, int]] = []
        for tag, texts in self.names.items():
            for text in texts:
                tags.append((tag, len(strings)))
                strings += text.encode() + b"\0"
        if self.imports or self.exports:
            table = self._symbols(strings)
            tags.append((DT_SYMTAB, BASE + place(table)))
        tags += [
            (DT_STRTAB, BASE + place(bytes(strings))),
            (DT_STRSZ, len(strings)),
            (DT_FLAGS_1, self.flags_1),
            (0, 0),
        ]
        dynamic = b"".join(struct.pack(self.order + ("qQ" if wide else "iI"), *pair) for pair in tags)
        dynamic_at = place(dynamic)

        names = bytearray(b"\0")
        records = [(0,) * 10]
        for section in (*self.sections, Section(".shstrtab", kind=STRTAB)):
            name = len(names)
            names += section.name.encode() + b"\0"
            entry_size = (24 if wide else 16) if section.kind == SYMTAB else 0
            data = bytes(names) if section.name == ".shstrtab" else section.content
            offset = place(b"" if section.kind == NOBITS else data)
            address = BASE + offset if section.flags & ALLOC else 0
            records.append(
                (
                    name,
                    section.kind,
                    section.flags,
                    address,
                    offset,
                    len(data),
                    section.link,
                    0,
                    1,
                    entry_size,
                )
            )
        section_format = self.order + ("IIQQQQIIQQ" if wide else "10I")
        notes_at = place(self.notes)
        sections_at = place(b"".join(struct.pack(section_format, *record) for record in records))

        size = start + len(body)
        segments = [(1, 0, BASE, size)]
        if self.interpreter:
            segments.append((3, interpreter, BASE + interpreter, len(self.interpreter) + 1))
        if self.names or self.flags_1:
            segments.append((2, dynamic_at, BASE + dynamic_at, len(dynamic)))
        if self.notes:
            segments.append((4, notes_at, BASE + notes_at, len(self.notes)))
        header = struct.pack(
            self.order + ("16sHHIQQQIHHHHHH" if wide else "16sHHIIIIIHHHHHH"),
            b"\x7fELF" + bytes([2 if wide else 1, 1 if self.order == "<" else 2, 1]) + bytes(9),
            self.kind, self.machine, 1, 0, header_size, sections_at, 0,
            header_size, segment_size, len(segments), section_size, len(records), len(records) - 1,
        )  # fmt: skip
        table = b"".join(self._segment(*segment) for segment in segments)
        return header + table.ljust(4 * segment_size, b"\0") + bytes(body)

    def _symbols(self, strings: bytearray) -> bytes:
        """The table of symbols; their names are added to `strings`."""
        table = bytes(24 if self.bits == 64 else 16)
        for number, name in enumerate((*self.imports, *self.exports)):
            section = 0 if number < len(self.imports) else 1
            if self.bits == 64:
                table += struct.pack(self.order + "IBBHQQ", len(strings), 0x12, 0, section, 0, 0)
            else:
                table += struct.pack(self.order + "IIIBBH", len(strings), 0, 0, 0x12, 0, section)
            strings += name.encode() + b"\0"
        return table

    def _segment(self, kind: int, offset: int, address: int, size: int) -> bytes:
        if self.bits == 64:
            return struct.pack(self.order + "IIQQQQQQ", kind, 4, offset, address, address, size, size, 1)
        return struct.pack(self.order + "8I", kind, offset, address, address, size, size, 4, 1)


def go_section(version: str, modules: str) -> bytes:
    """``.go.buildinfo`` as Go has written it since 1.18."""
    text = _sentinels(modules)
    strings = b"".join(_varint(len(part)) + part for part in (version.encode(), text))
    return b"\xff Go buildinf:\x08\x02".ljust(32, b"\0") + strings


def go_section_of_addresses(version: str, modules: str, address: int, order: str, pointer: int) -> bytes:
    """The same as Go wrote it before, with the strings behind it; it will be loaded at `address`."""
    letter = "Q" if pointer == 8 else "I"
    text = _sentinels(modules)
    headers = address + 32
    strings = headers + 4 * pointer
    big = 1 if order == ">" else 0
    start = b"\xff Go buildinf:" + bytes([pointer, big])
    start += struct.pack(order + 2 * letter, headers, headers + 2 * pointer)
    start = start.ljust(32, b"\0")
    lengths = struct.pack(order + 4 * letter, strings, len(version), strings + len(version), len(text))
    return start + lengths + version.encode() + text


def _sentinels(modules: str) -> bytes:
    return (
        b"0w\xaf\x0c\x92t\x08\x02A\xe1\xc1\x07\xe6\xd6\x18\xe6"
        + modules.encode()
        + b"\xf92C1\x86\x18 r\0\x82B\x10A\x16\xd8\xf2"
    )


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def dlopen_note(*names: str, text: str | None = None, order: str = "<") -> bytes:
    """A note by which a file says that it may load `names` (UAPI.14), or `text` in its place."""
    said = json.dumps([{"feature": "test", "soname": [name]} for name in names]) if text is None else text
    content = said.encode() + b"\0"
    note = struct.pack(order + "3I", 4, len(content), 0x407C0C0A) + b"FDO\0" + content
    return note.ljust(-(-len(note) // 4) * 4, b"\0")
