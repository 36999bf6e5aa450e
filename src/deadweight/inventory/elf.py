"""ELF files: what they load, and what in them is only for debuggers (System V gABI, chapters 4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass

from deadweight.inventory.go_build import GoBuild
from deadweight.layer.collect import Content, Fact


@dataclass(frozen=True, slots=True)
class Elf:
    """What was read of one ELF file."""

    bits: int
    """32 or 64."""
    big_endian: bool
    kind: int
    """e_type: 1 relocatable, 2 executable, 3 shared object or position-independent executable, 4 core."""
    machine: int
    """e_machine, such as 62 for x86-64."""
    interpreter: str = ""
    soname: str = ""
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    static: bool = False
    """A program without interpreter and without needed libraries."""
    debug: int = 0
    """Bytes of sections that only debuggers read."""
    strippable: int = 0
    """Bytes that ``strip --strip-unneeded`` would take off, `debug` included: an estimate."""
    debug_link: str = ""
    """The name of the separate file with the debug sections (.gnu_debuglink)."""
    debug_only: bool = False
    """The file holds the debug sections of another one."""
    go: GoBuild | None = None
    incomplete: bool = False
    """Some part could not be read: a large file of which only the ends were kept, or a broken one."""


def of(fact: Fact) -> Elf | None:
    """The `Elf` that `COLLECTOR` made into `fact`; None for no fact."""
    raise NotImplementedError


class ElfCollector:
    """Collects an `Elf` of every ELF file."""

    name = "elf"
    version = 1
    names: frozenset[str] = frozenset()
    suffixes: frozenset[str] = frozenset()
    magics = frozenset({b"\x7fELF"})
    limit = 4 << 20

    def wants(self, path: str, size: int) -> bool:
        return True

    def collect(self, path: str, content: Content) -> Fact:
        raise NotImplementedError


COLLECTOR = ElfCollector()
