from __future__ import annotations

import struct

from layers_by_hand import Member, analysis_of, file, finding_of, paths_of

_EXECUTABLE, _RELOCATABLE = 2, 1


def elf_with(sections: dict[str, tuple[int, int]], kind: int = _EXECUTABLE) -> bytes:
    """A 64-bit little-endian ELF file with `sections`: name -> type and size (System V ABI, chapter 4)."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (*sections, ".shstrtab"))
    body, headers = b"", [bytes(64)]
    for name, (type_, size) in sections.items():
        offset = 64 + len(body)
        body += b"\1" * size
        headers.append(
            struct.pack(
                "<IIQQQQIIQQ",
                names.index(name.encode()),
                type_,
                6 if name == ".text" else 0,
                0,
                offset,
                size,
                0,
                0,
                1,
                0,
            )
        )
    headers.append(
        struct.pack("<IIQQQQIIQQ", names.index(b".shstrtab"), 3, 0, 0, 64 + len(body), len(names), 0, 0, 1, 0)
    )
    body += names
    count = len(headers)
    start = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\2\1\1",
        kind,
        62,
        1,
        0,
        0,
        64 + len(body),
        0,
        64,
        0,
        0,
        64,
        count,
        count - 1,
    )
    return start + body + b"".join(headers)


SECTIONS = {
    ".text": (1, 3000),
    ".debug_info": (1, 5000),
    ".symtab": (2, 480),
    ".strtab": (3, 200),
    ".comment": (1, 40),
}


def test_an_item_has_the_bytes_of_the_sections() -> None:
    program = Member("usr/bin/x", elf_with(SECTIONS), mode=0o755)
    finding = finding_of(analysis_of([program, file("other", 100)]), "debug-sections")
    (item,) = finding.items
    assert (item.path, item.number) == ("usr/bin/x", -1)
    assert finding.unpacked == item.unpacked
    assert 5000 <= item.unpacked < len(program.content) - 3000
    assert finding.wire is not None
    assert finding.wire == item.wire


def test_an_object_file_needs_its_symbols() -> None:
    object_ = Member("srv/x.o", elf_with(SECTIONS, _RELOCATABLE))
    assert finding_of(analysis_of([object_]), "debug-sections").unpacked == 5000


def test_a_stripped_file_has_none() -> None:
    stripped = elf_with({".text": (1, 3000)})
    assert paths_of(analysis_of([file("usr/bin/x", stripped)]), "debug-sections") == set()


def test_a_detached_file_goes_whole() -> None:
    content = elf_with({".debug_info": (1, 5000)})
    finding = finding_of(
        analysis_of([file("usr/lib/debug/.build-id/ab/cd.debug", content)]), "debug-sections"
    )
    assert finding.unpacked == len(content)
    assert finding.items[0].number >= 0
