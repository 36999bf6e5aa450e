"""Sections of ELF files that only debuggers read."""

from __future__ import annotations

from collections.abc import Iterator

from deadweight.accounting.model import Finding, Item
from deadweight.accounting.view import LiveFile, View
from deadweight.inventory import elf

_DETACHED = "usr/lib/debug/"


class DebugSections:
    """What `strip --strip-unneeded` would drop, and files that hold nothing else."""

    def find(self, view: View) -> Iterator[Finding]:
        """At most one finding; an item has the bytes of the sections, not those of the file."""
        facts = view.elf_facts
        items = []
        for file in view.files:
            found = elf.of(facts[file.path]) if file.path in facts else None
            if found is None:
                continue
            bytes_ = file.entry.size if _detached(file, found) else found.strippable
            if bytes_:
                items.append(_part(file, min(bytes_, file.entry.size)))
        finding = view.suspect(
            "debug-sections",
            "Debug sections of programs and libraries",
            "Debugging information and symbol tables of ELF files: loading and running never reads them. "
            "Stack traces of C programs get poorer without; Go's own traces do not need them.",
            "strip --strip-unneeded FILE; for Go: -ldflags '-s -w'.",
            items,
        )
        if finding is not None:
            yield finding


def _detached(file: LiveFile, found: elf.Elf) -> bool:
    return found.debug_only or file.path.startswith(_DETACHED)


def _part(file: LiveFile, size: int) -> Item:
    wire = None if file.wire is None else file.wire * size // file.entry.size
    return Item(file.path, file.layer, size, wire)
