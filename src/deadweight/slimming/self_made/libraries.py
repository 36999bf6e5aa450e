"""Whether the libraries of every ELF file are found: by the image's own dynamic linkers, which look for them and start nothing.

Sources: ld.so(8), LD_TRACE_LOADED_OBJECTS; musl's ldso/dynlink.c, ``--list``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from deadweight.inventory.elf import EXECUTABLE, SHARED, Elf
from deadweight.probe.observation import Failure
from deadweight.sandbox import Command
from deadweight.slimming.recorded import Recorded
from deadweight.slimming.selection import Known
from deadweight.slimming.self_made.probe import Lack, Questioned, script

MACHINES = {"x86_64": (62, 64), "aarch64": (183, 64)}
"""e_machine and bits of the ELF files whose linkers run here, by uname(2)."""
MAX_FILES = 20_000
"""The most files that are asked about: the first by path."""
MAX_ALONE = 100
"""The same where there is no shell: each takes a sandbox of its own."""
_SHELL = "bin/sh"
_LINKER = re.compile(r"/(?:[^/]+/)*(?:ld-linux[\w.-]*|ld64\.so\.\d|ld-musl-\w+\.so\.1)")
"""glibc's and musl's: another one could take what is meant as a question for an order to start the program."""
_NOT_FOUND = re.compile(r"^\s*(\S+) => not found|^Error loading shared library ([^:]+):", re.MULTILINE)


class Search(NamedTuple):
    """What decides where libraries are looked for, and which: files that have all of it in common find the same."""

    linker: str
    """The path of the dynamic linker."""
    folder: str
    """Where the file is."""
    needed: tuple[str, ...]
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()


def libraries_probes(known: Known, recorded: Recorded) -> Iterator[LibrariesProbe]:
    """One where there are ELF files that load libraries, and a linker for them."""
    searches = searches_of(known.scene.elf_files, os.uname().machine)
    if searches:
        yield LibrariesProbe(searches)


class LibrariesProbe:
    """Asks about ELF files by their real paths; of those that search alike, about one."""

    name = "libraries:"

    def __init__(self, searches: Mapping[Search, Sequence[str]]) -> None:
        self._searches = searches

    def ask(self, image: Questioned) -> frozenset[Lack] | Failure:
        """The libraries that are not found, by file."""
        lacks: set[Lack] = set()
        asked: dict[str, str] = {}
        alike: dict[str, list[str]] = {}
        for search, paths in self._searches.items():
            there = [path for path in paths if image.tree.find(path) is not None]
            if there and image.node(search.linker) is not None:
                asked[there[0]] = search.linker
                alike[there[0]] = there
            else:
                lacks |= {Lack(path, search.linker) for path in there}
        found = self._in_shell(image, asked) if image.node(_SHELL) else self._alone(image, asked)
        if isinstance(found, Failure):
            return found
        return frozenset(lacks | {Lack(path, lack.what) for lack in found for path in alike[lack.subject]})

    def _in_shell(self, image: Questioned, linkers: Mapping[str, str]) -> frozenset[Lack] | Failure:
        lines = (f"{linker}\n/{path}\n" for path, linker in linkers.items())
        said = image.run(image.command("/bin/sh", "-c", script("list_libraries.sh")), "".join(lines))
        return said if isinstance(said, Failure) else lacks_in(said)

    def _alone(self, image: Questioned, linkers: Mapping[str, str]) -> frozenset[Lack] | Failure:
        lacks: set[Lack] = set()
        for path, linker in islice(linkers.items(), MAX_ALONE):
            # A linker that does not find a library says so, and may end with an error: that is an answer.
            answer = image.answer(_question(image, linker, f"/{path}"))
            if isinstance(answer, Failure):
                return answer
            said = (answer.stdout + b"\n" + answer.stderr).decode("utf-8", "surrogateescape")
            lacks |= lacks_of(path, said)
        return frozenset(lacks)


def _question(image: Questioned, linker: str, path: str) -> Command:
    if "/ld-musl-" in linker:
        return image.command(linker, "--list", path)
    command = image.command(linker, path)  # --list would end at the first library that is missing
    return replace(command, environment={**command.environment, "LD_TRACE_LOADED_OBJECTS": "1"})


def searches_of(elf_files: Mapping[str, Elf], machine: str) -> Mapping[Search, Sequence[str]]:
    """The paths of the files that load libraries and run on `machine`, sorted, by how they search."""
    ours = {
        path: elf
        for path, elf in sorted(elf_files.items())
        if (elf.machine, elf.bits) == MACHINES.get(machine) and not elf.debug_only
    }
    linkers = sorted({elf.interpreter for elf in ours.values() if elf.interpreter})
    found: dict[Search, list[str]] = {}
    for path, elf in islice(ours.items(), MAX_FILES):
        linker = elf.interpreter or _linker_of_library(elf, linkers)
        if _LINKER.fullmatch(linker) and elf.needed and elf.kind in (EXECUTABLE, SHARED) and "\n" not in path:
            search = Search(linker, path.rpartition("/")[0], elf.needed, elf.rpath, elf.runpath)
            found.setdefault(search, []).append(path)
    return found


def _linker_of_library(elf: Elf, linkers: list[str]) -> str:
    """Of several the one whose C library it needs; empty where that cannot be told."""
    if len(linkers) == 1:
        return linkers[0]
    musl = [linker for linker in linkers if "/ld-musl-" in linker]
    glibc = [linker for linker in linkers if "/ld-linux-" in linker]
    fitting = glibc if "libc.so.6" in elf.needed else musl if _needs_musl(elf) else []
    return fitting[0] if fitting else ""


def _needs_musl(elf: Elf) -> bool:
    return any(name.startswith("libc.musl-") or name == "libc.so" for name in elf.needed)


def lacks_in(said: str) -> frozenset[Lack] | Failure:
    """What ``list_libraries.sh`` wrote, read."""
    parts = re.split(r"^:", said, flags=re.MULTILINE)
    if parts[-1] != "\n":
        return Failure("the shell did not come to the end")
    lacks: set[Lack] = set()
    for part in parts[1:-1]:
        path, _, told = part.partition("\n")
        lacks |= lacks_of(path.lstrip("/"), told)
    return frozenset(lacks)


def lacks_of(path: str, said: str) -> frozenset[Lack]:
    """What a linker, glibc's or musl's, told of one file."""
    return frozenset(Lack(path, match[1] or match[2]) for match in _NOT_FOUND.finditer(said))
