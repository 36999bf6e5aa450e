from __future__ import annotations

import json
import struct

import pytest

from deadweight.inventory import elf
from deadweight.inventory.elf import EXECUTABLE, RELOCATABLE, SHARED, Elf
from deadweight.inventory.go_build import GoBuild, GoModule
from deadweight.layer.collect import ends
from deadweight.layer.content import Kept, Space, Whole
from elf_samples import (
    ALLOC,
    BASE,
    DT_NEEDED,
    DT_RPATH,
    DT_RUNPATH,
    DT_SONAME,
    NOBITS,
    NOTE,
    SYMTAB,
    ElfSample,
    Section,
    dlopen_note,
    go_section,
    go_section_of_addresses,
)

LAYOUTS = [(bits, order) for bits in (32, 64) for order in "<>"]
PIE = 0x08000000
MODULES = """path\tgithub.com/example/tool
mod\tgithub.com/example/tool\t(devel)\t
dep\tgolang.org/x/sys\tv0.20.0\th1:abc=
dep\texample.com/old\tv1.0.0
=>\texample.com/new\tv1.1.0\th1:def=
build\t-compiler=gc
build\t-ldflags="-s -w -X 'a=b\\tc'"
build\tCGO_ENABLED=0
"""
BUILD = GoBuild(
    "go1.22.1",
    "github.com/example/tool",
    GoModule("github.com/example/tool", "(devel)"),
    (
        GoModule("golang.org/x/sys", "v0.20.0"),
        GoModule("example.com/old", "v1.0.0", GoModule("example.com/new", "v1.1.0")),
    ),
    (("-compiler", "gc"), ("-ldflags", "-s -w -X 'a=b\tc'"), ("CGO_ENABLED", "0")),
)


def read(content: bytes) -> Elf:
    fact = elf.COLLECTOR.collect("file", Whole(content))
    assert json.loads(json.dumps(fact)) == fact
    found = elf.of(fact)
    assert found is not None
    return found


@pytest.mark.parametrize(("bits", "order"), LAYOUTS)
def test_names_that_are_loaded(bits: int, order: str) -> None:
    sample = ElfSample(
        bits,
        order,
        machine=21,
        names={
            DT_NEEDED: ["libssl.so.3", "libc.so.6"],
            DT_SONAME: ["libx.so.1"],
            DT_RPATH: ["/opt/lib:$ORIGIN"],
            DT_RUNPATH: ["$ORIGIN/../lib"],
        },
    )
    assert read(sample.content()) == Elf(
        bits=bits,
        big_endian=order == ">",
        kind=SHARED,
        machine=21,
        soname="libx.so.1",
        needed=("libssl.so.3", "libc.so.6"),
        rpath=("/opt/lib", "$ORIGIN"),
        runpath=("$ORIGIN/../lib",),
    )


@pytest.mark.parametrize(
    ("sample", "program", "static"),
    [
        (ElfSample(kind=EXECUTABLE), True, True),
        (ElfSample(kind=EXECUTABLE, interpreter="/lib/ld.so"), True, False),
        (ElfSample(interpreter="/lib/ld.so", names={DT_NEEDED: ["libc.so.6"]}), True, False),
        (ElfSample(flags_1=PIE), True, True),
        (ElfSample(names={DT_NEEDED: ["libc.so.6"]}), False, False),
        (ElfSample(interpreter="/lib/ld.so", names={DT_SONAME: ["libc.so.6"]}), False, False),
        (ElfSample(kind=RELOCATABLE), False, False),
    ],
    ids=["static", "interpreter", "dynamic", "static-pie", "library", "library that runs", "object"],
)
def test_programs(sample: ElfSample, program: bool, static: bool) -> None:
    found = read(sample.content())
    assert (found.program, found.static, found.interpreter) == (program, static, sample.interpreter)


@pytest.mark.parametrize(("bits", "order"), LAYOUTS)
def test_sections_for_debuggers_are_weighed(bits: int, order: str) -> None:
    sections = (
        Section(".text", bytes(100), flags=ALLOC),
        Section(".gopclntab", bytes(1000), flags=ALLOC),
        Section(".debug_gdb_scripts", bytes(10), flags=ALLOC),
        Section(".debug_info", bytes(300)),
        Section(".zdebug_line", bytes(20)),
        Section(".rela.debug_info", bytes(24)),
        Section(".gdb_index", bytes(7)),
        Section(".comment", bytes(50)),
        Section(".debug_str", bytes(4000), kind=NOBITS),
        Section(".symtab", bytes(240), kind=SYMTAB, link=11),
        Section(".strtab", bytes(60), kind=3),
        Section(".gnu_debuglink", b"x.debug\0\1\2\3\4"),
    )
    found = read(ElfSample(bits, order, sections=sections).content())
    assert (found.debug, found.symbols, found.strippable) == (351, 300, 651)
    assert found.debug_link == "x.debug"
    assert not found.debug_only
    assert read(ElfSample(bits, order, RELOCATABLE, sections=sections).content()).strippable == 351


def test_a_file_of_debug_sections_only() -> None:
    sections = (
        Section(".note.gnu.build-id", bytes(36), NOTE, ALLOC),
        Section(".text", bytes(100), NOBITS, ALLOC),
        Section(".debug_info", bytes(300)),
    )
    sample = ElfSample(names={DT_NEEDED: ["libc.so.6"]}, interpreter="/lib/ld.so", sections=sections)
    found = read(sample.content())
    assert found.debug_only
    assert (found.debug, found.needed, found.interpreter, found.program) == (300, (), "", False)


def test_build_information_of_go() -> None:
    section = Section(".go.buildinfo", go_section("go1.22.1", MODULES), flags=ALLOC)
    found = read(ElfSample(kind=EXECUTABLE, sections=(section,)).content())
    assert found.is_go
    assert found.go == BUILD


@pytest.mark.parametrize(("bits", "order"), LAYOUTS)
def test_build_information_of_go_before_1_18(bits: int, order: str) -> None:
    def file(address: int) -> bytes:
        data = go_section_of_addresses("go1.22.1", MODULES, address, order, bits // 8)
        return ElfSample(bits, order, sections=(Section(".go.buildinfo", data, flags=ALLOC),)).content()

    address = BASE + file(0).index(b"\xff Go buildinf:")
    found = read(file(address))
    assert found.go == BUILD
    assert not found.incomplete
    beyond = read(file(address + (1 << 20)))
    assert (beyond.is_go, beyond.go, beyond.incomplete) == (True, None, True)


@pytest.mark.parametrize(
    "section", [b"", b"\xff Go buildinf:", go_section("", ""), b"\xff Go buildinf:\x03\0" + bytes(16)]
)
def test_build_information_that_says_nothing(section: bytes) -> None:
    sample = ElfSample(kind=EXECUTABLE, sections=(Section(".go.buildinfo", section, flags=ALLOC),))
    found = read(sample.content())
    assert found.is_go
    assert found.go is None


@pytest.mark.parametrize("length", [0, 3, 4, 16, 51, 63])
def test_the_start_of_a_header_is_no_elf_file(length: int) -> None:
    content = ElfSample().content()[:length]
    assert elf.COLLECTOR.collect("file", Whole(content)) is None


def test_an_unknown_class_is_no_elf_file() -> None:
    assert elf.COLLECTOR.collect("file", Whole(b"\x7fELF\3\1" + bytes(100))) is None


def test_a_cut_file_keeps_what_its_start_says() -> None:
    sample = ElfSample(names={DT_NEEDED: ["libc.so.6"]}, sections=(Section(".debug_info", bytes(10_000)),))
    found = read(sample.content()[:1000])
    assert (found.needed, found.debug, found.incomplete) == (("libc.so.6",), 0, True)


def test_sizes_are_no_larger_than_the_file() -> None:
    content = ElfSample(sections=(Section(".debug_info", bytes(100)),)).content()
    name = content.rindex(struct.pack("<Q", 100))
    huge = content[:name] + struct.pack("<Q", 1 << 60) + content[name + 8 :]
    assert read(huge).debug == len(content)


def test_a_large_file_is_read_by_its_ends() -> None:
    sections = (Section(".text", bytes(200_000), flags=ALLOC), Section(".debug_info", bytes(70_000)))
    sample = ElfSample(names={DT_NEEDED: ["libc.so.6"]}, sections=sections)
    content = sample.content()
    kept = Kept(len(content), ends(len(content), 5000), Space())
    kept.append(memoryview(content))
    found = elf.of(elf.COLLECTOR.collect("file", kept))
    assert found == read(content)
    assert found.debug == 70_000
    assert not found.incomplete


def test_what_lies_between_the_ends_makes_it_incomplete() -> None:
    sections = (
        Section(".text", bytes(50_000), flags=ALLOC),
        Section(".go.buildinfo", go_section("go1.22.1", MODULES), flags=ALLOC),
        Section(".debug_info", bytes(50_000)),
    )
    content = ElfSample(kind=EXECUTABLE, sections=sections).content()
    kept = Kept(len(content), ends(len(content), 5000), Space())
    kept.append(memoryview(content))
    found = elf.of(elf.COLLECTOR.collect("file", kept))
    assert found is not None
    assert (found.is_go, found.go, found.debug, found.incomplete) == (True, None, 50_000, True)
    assert found.program


def test_names_cannot_outgrow_the_file() -> None:
    content = ElfSample(names={DT_NEEDED: ["a" * 200] * 3}).content()
    repeated = ElfSample(names={DT_NEEDED: ["a" * 200, *["b"] * 100]}).content()
    # Every entry points at the long name: 101 times 200 bytes from a file that has far fewer.
    first = struct.pack("<qQ", DT_NEEDED, 1)
    start = repeated.index(first)
    hostile = repeated[:start] + first * 101 + repeated[start + len(first) * 101 :]
    assert len(read(content).needed) == 3
    assert read(hostile).incomplete
    assert read(hostile).needed == ()


def test_what_is_kept_of_a_large_file_is_bounded_whatever_its_header_says() -> None:
    start = bytearray(ElfSample(names={DT_NEEDED: ["libc.so.6"]}).content()[:4096])
    start[40:48] = bytes(8)  # e_shoff
    start[58:62] = b"\xff" * 4  # e_shentsize, e_shnum
    parts = elf.COLLECTOR.parts(1 << 40, bytes(start))
    assert sum(len(part) for part in parts) < 64 << 20


@pytest.mark.parametrize(("bits", "order"), LAYOUTS)
def test_functions_of_libraries(bits: int, order: str) -> None:
    """What it defines itself does not count, nor what ends like a function; that what the linker let end another does."""
    sample = ElfSample(
        bits,
        order,
        names={DT_NEEDED: ["libc.so.6"]},
        imports=["libiconv_open", "my_dlopen", "iconv_open", "strlen"],
        exports=["dlopen", "execv", "popen_all"],
    )
    assert read(sample.content()).imports == ("iconv_open",)
    merged = ElfSample(bits, order, names={DT_NEEDED: ["libc.so.6"]}, imports=["my_dlopen"]).content()
    name = merged.index(b"my_dlopen")
    start = merged.index(b"\0libc.so.6\0")
    entry = struct.pack(order + "I", name - start)
    tail = merged.replace(entry, struct.pack(order + "I", name + 3 - start))
    assert read(tail).imports == ("dlopen",)


@pytest.mark.parametrize(("bits", "order"), LAYOUTS)
def test_libraries_that_it_says_it_may_load(bits: int, order: str) -> None:
    notes = dlopen_note("liblzma.so.5", "libzstd.so.1", order=order) + dlopen_note(
        "liblzma.so.5", order=order
    )
    other = struct.pack(order + "3I", 4, 4, 1) + b"GNU\0" + bytes(4)
    sample = ElfSample(bits, order, names={DT_NEEDED: []}, flags_1=1, notes=other + notes)
    assert read(sample.content()).dlopen == ("liblzma.so.5", "libzstd.so.1")
    cut = ElfSample(bits, order, names={DT_NEEDED: []}, flags_1=1, notes=notes[:-8]).content()
    assert read(cut).dlopen == ("liblzma.so.5", "libzstd.so.1")
