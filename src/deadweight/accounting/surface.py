"""What somebody who got into a container would find."""

from __future__ import annotations

from collections import Counter

from deadweight.accounting.model import Surface
from deadweight.accounting.programs import SHELLS
from deadweight.accounting.view import View
from deadweight.inventory import elf

_ANYBODY = 0o111
_SET_IDS = 0o6000


def surface_of(view: View) -> Surface:
    """Counts of packages and executables, and the paths of privileged files and shells."""
    facts = view.elf_facts
    executables = 0
    setuid: list[str] = []
    shells: list[str] = []
    for file in view.files:
        mode = file.entry.mode
        found = elf.of(facts.get(file.path))
        if mode & _ANYBODY or (found is not None and found.program):
            executables += 1
        if mode & _SET_IDS and mode & _ANYBODY:
            setuid += file.names
        if mode & _ANYBODY:
            shells += [name for name in file.names if name.rpartition("/")[2] in SHELLS]
    packages = Counter(package.ecosystem for package in view.inventory.packages)
    return Surface(dict(sorted(packages.items())), executables, tuple(sorted(setuid)), tuple(sorted(shells)))
