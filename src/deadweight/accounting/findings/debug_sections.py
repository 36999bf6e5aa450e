"""Sections of ELF files that only debuggers read."""

from __future__ import annotations

from collections.abc import Iterator

from deadweight.accounting.model import Finding
from deadweight.accounting.view import View
from deadweight.inventory import elf
from deadweight.tree.node import Node

_DETACHED = "usr/lib/debug/"


class DebugSections:
    """What `strip --strip-unneeded` would drop, and files that hold nothing else."""

    def find(self, view: View) -> Iterator[Finding]:
        """At most one finding; an item has the bytes of the sections, not those of the file."""
        portions = []
        elfs = view.elf_files
        for file in view.files:
            found = elfs.get(file.path)
            if found is not None:
                size = file.entry.size
                portions.append((file, size if _detached(file, found) else min(found.strippable, size)))
        finding = view.suspect(
            "debug-sections",
            "Debug sections of programs and libraries",
            "Debugging information and symbol tables of ELF files: loading and running never reads them. "
            "Stack traces of C programs get poorer without; Go's own traces do not need them.",
            "strip --strip-unneeded FILE; for Go: -ldflags '-s -w'.",
            portions,
        )
        if finding is not None:
            yield finding


def _detached(file: Node, found: elf.Elf) -> bool:
    return found.debug_only or file.path.startswith(_DETACHED)
