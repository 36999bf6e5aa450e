"""ELF files: what they load, and what in them only debuggers read.

What does not fit in a file makes the result incomplete, never an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from deadweight.inventory import go_build
from deadweight.inventory.elf_format import MAGIC, BrokenElf, ElfFile, Section, Segment, open_elf, parts
from deadweight.inventory.elf_imports import dlopen_names, imports
from deadweight.inventory.go_build import GoBuild
from deadweight.layer.collect import Content, ContentGap, Fact

RELOCATABLE = 1
EXECUTABLE = 2
SHARED = 3

MAX_STRINGS = 1 << 16
"""The most bytes of names and paths that are taken from one file."""

_PT_DYNAMIC, _PT_INTERP, _PT_NOTE = 2, 3, 4
_DT_NEEDED, _DT_STRTAB, _DT_SONAME, _DT_RPATH, _DT_RUNPATH, _DT_FLAGS_1 = 1, 5, 14, 15, 29, 0x6FFFFFFB
_DT_SYMTAB, _DT_STRSZ = 6, 10
_NAMES = {_DT_NEEDED: "needed", _DT_SONAME: "soname", _DT_RPATH: "rpath", _DT_RUNPATH: "runpath"}
_WANTED = frozenset({_DT_STRTAB, _DT_STRSZ, _DT_SYMTAB, _DT_FLAGS_1, *_NAMES})
_DF_1_PIE = 0x08000000
_SHT_NULL, _SHT_SYMTAB, _SHT_NOTE, _SHT_NOBITS, _SHT_SYMTAB_SHNDX = 0, 2, 7, 8, 18
_SHF_ALLOC = 2
_DEBUG_NAMES = (
    b".debug",
    b".zdebug",
    b".rela.debug",
    b".rel.debug",
    b".rela.zdebug",
    b".rel.zdebug",
    b".stab",
    b".line\0",
    b".gdb_index\0",
    b".gnu.debuglto_.debug",
    b".gnu.linkonce.wi.",
)
"""How the names of sections begin that GNU BFD takes for debugging (elf.c), and those of their relocations."""


@dataclass(frozen=True, slots=True)
class Elf:
    """What was read of one ELF file."""

    bits: int
    """32 or 64."""
    big_endian: bool
    kind: int
    """e_type: `RELOCATABLE`, `EXECUTABLE`, `SHARED` (also a position-independent program) or another."""
    machine: int
    """e_machine, such as 62 for x86-64."""
    program: bool = False
    """To be executed: an executable, or a position-independent one. Not a library, not even one that can be run."""
    interpreter: str = ""
    soname: str = ""
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    """Those of `elf_imports.FUNCTIONS` that it takes from a library."""
    dlopen: tuple[str, ...] = ()
    """The libraries that it says it may load at run time (ELF dlopen metadata)."""
    debug: int = 0
    """Bytes of the sections that only debuggers read."""
    symbols: int = 0
    """Bytes of the symbol table that loading does not need (.symtab) and of its names."""
    debug_link: str = ""
    """The name of the separate file that holds the debug sections (.gnu_debuglink)."""
    debug_only: bool = False
    """It holds the debug sections of another file, and nothing to load."""
    is_go: bool = False
    """Go's linker made it."""
    go: GoBuild | None = None
    """None also for a Go program whose build information could not be read."""
    incomplete: bool = False
    """Some part could not be read: of a large file it was not kept, or a number in it is wrong."""

    @property
    def static(self) -> bool:
        """A program that loads no library."""
        return self.program and not self.interpreter and not self.needed

    @property
    def strippable(self) -> int:
        """Bytes of the sections that ``strip --strip-unneeded`` drops; that of object files needs their symbols."""
        return self.debug if self.kind == RELOCATABLE else self.debug + self.symbols


class ElfCollector:
    """Collects of every ELF file the fields of its `Elf` that are not their defaults."""

    name = "elf"
    version = 3
    names: frozenset[str] = frozenset()
    suffixes: frozenset[str] = frozenset()
    magics = frozenset({MAGIC})

    def wants(self, path: str, size: int) -> bool:
        return True

    def parts(self, size: int, start: bytes) -> Iterable[range]:
        return parts(start, size)

    def collect(self, path: str, content: Content) -> Fact:
        """The fact that `of` takes; None for what is no ELF file."""
        file = open_elf(content)
        if file is None:
            return None
        found: _Fields = {
            "bits": file.bits,
            "big_endian": file.big_endian,
            "kind": file.kind,
            "machine": file.machine,
        }
        for step in (_weigh, _find_loaded):
            try:
                step(file, found)
            except (BrokenElf, ContentGap):
                found["incomplete"] = True
        return found


COLLECTOR = ElfCollector()


def of(fact: Fact) -> Elf | None:
    """The `Elf` in a fact of `COLLECTOR`; None for no fact."""
    if not isinstance(fact, dict):
        return None
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in fact.items()
    }
    if "go" in fields:
        fields["go"] = go_build.parse(*fields["go"])
    return Elf(**fields)


_Fields = dict[str, Fact]


def _weigh(file: ElfFile, found: _Fields) -> None:
    """Adds up the sections that loading does not need, and reads the small ones that say something."""
    sections, names = file.sections()
    room = file.content.size
    debug = symbols = 0
    loads = False
    is_go = b".go.buildinfo\0" in names
    go: tuple[int, int] | None = None
    for name, kind, flags, _, offset, size, link, _, _, _ in sections:
        if flags & _SHF_ALLOC:
            loads = loads or kind not in (_SHT_NOBITS, _SHT_NOTE)
            if is_go and names.startswith(b".go.buildinfo\0", name):
                go = offset, size
        elif kind == _SHT_SYMTAB:
            strings = Section._make(sections[link]).size if link < len(sections) else 0
            symbols += min(size + strings, room)
        elif kind == _SHT_SYMTAB_SHNDX:
            symbols += min(size, room)
        elif kind in (_SHT_NULL, _SHT_NOBITS):
            pass
        elif names.startswith(_DEBUG_NAMES, name):
            debug += min(size, room)
        elif names.startswith(b".gnu_debuglink\0", name):
            found["debug_link"] = file.string(offset)
    if debug:
        found["debug"] = min(debug, room)
        found["debug_only"] = not loads
    if symbols:
        found["symbols"] = min(symbols, room - min(debug, room))
    if go is not None:
        _read_go(file, *go, found)


def _read_go(file: ElfFile, offset: int, size: int, found: _Fields) -> None:
    found["is_go"] = True
    file.segments()
    data = file.content.read(offset, min(size, go_build.HEADER_SIZE + 2 * go_build.MAX_SIZE))
    strings = go_build.read_strings(data, file.at_address)
    if strings is not None:
        found["go"] = list(strings)


def _find_loaded(file: ElfFile, found: _Fields) -> None:
    """Finds who is needed to load the file, as the kernel and the dynamic linker do: by its segments alone."""
    if found.get("debug_only"):
        return
    # One of each is all that there may be (gABI, chapter 5): a file that has more of them does not cost more.
    headers = file.segments()
    segments = {segment.kind: segment for segment in headers}
    if _PT_INTERP in segments:
        found["interpreter"] = file.string(segments[_PT_INTERP].offset)
    flags = _read_dynamic(file, segments[_PT_DYNAMIC], found) if _PT_DYNAMIC in segments else 0
    libraries = dlopen_names(file, [segment for segment in headers if segment.kind == _PT_NOTE])
    if libraries:
        found["dlopen"] = list[Fact](libraries)
    starts = "interpreter" in found or flags & _DF_1_PIE
    found["program"] = file.kind == EXECUTABLE or bool(
        file.kind == SHARED and starts and "soname" not in found
    )


def _read_dynamic(file: ElfFile, segment: Segment, found: _Fields) -> int:
    """Reads the names in the dynamic section; its DT_FLAGS_1."""
    wanted: dict[int, list[int]] = {}
    for tag, value in file.dynamic(segment):
        if tag in _WANTED:
            wanted.setdefault(tag, []).append(value)
    names = {tag: wanted[tag] for tag in _NAMES if tag in wanted}
    if names and _DT_STRTAB not in wanted:
        raise BrokenElf("names without a string table")
    if names:
        _read_names(file, file.offset_of(wanted[_DT_STRTAB][-1]), names, found)
    if _DT_STRTAB in wanted and _DT_SYMTAB in wanted:
        strings, symbols = (file.offset_of(wanted[tag][-1]) for tag in (_DT_STRTAB, _DT_SYMTAB))
        imported = imports(file, strings, wanted.get(_DT_STRSZ, [0])[-1], symbols)
        if imported:
            found["imports"] = list[Fact](imported)
    return wanted.get(_DT_FLAGS_1, [0])[-1]


def _read_names(file: ElfFile, start: int, names: dict[int, list[int]], found: _Fields) -> None:
    room = min(MAX_STRINGS, file.content.size)
    for tag, offsets in names.items():
        texts = []
        for offset in offsets:
            text = file.string(start + offset)
            room -= len(text) + 1
            if room < 0:
                raise BrokenElf("names longer than the file")
            texts.append(text)
        if tag == _DT_NEEDED:
            found["needed"] = list[Fact](texts)
        elif tag == _DT_SONAME:
            found["soname"] = texts[-1]
        else:
            found[_NAMES[tag]] = list[Fact](":".join(texts).split(":"))
