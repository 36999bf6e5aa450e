"""What somebody who got into a container would find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from deadweight.accounting.model import Surface
from deadweight.accounting.programs import SHELLS
from deadweight.accounting.view import View
from deadweight.tree.node import LinkLoop, Tree

_ANYBODY = 0o111
_SET_IDS = 0o6000
_PROGRAM_FOLDERS = frozenset({"bin", "sbin"})


def surface_of(view: View) -> Surface:
    """Counts of packages and executables, and the paths of privileged files and shells."""
    elfs = view.elf_files
    executables = 0
    setuid: list[str] = []
    shells: list[str] = []
    for file in view.files:
        mode = file.entry.mode
        if mode & _ANYBODY:
            executables += 1
            if mode & _SET_IDS:
                setuid += [name.path for name in (file, *view.other_names(file))]
            shells += [name.path for name in (file, *view.other_names(file)) if _is_shell(name.path)]
        elif (found := elfs.get(file.path)) is not None and found.program:
            executables += 1
    shells += _linked_shells(view)
    packages = Counter(package.ecosystem for package in view.inventory.packages)
    return Surface(dict(sorted(packages.items())), executables, tuple(sorted(setuid)), tuple(sorted(shells)))


def _linked_shells(view: View) -> Iterator[str]:
    for path, _ in view.links:
        if _is_shell(path) and _is_executable(view.merged.tree, path):
            yield path


def _is_shell(path: str) -> bool:
    directory, _, name = path.rpartition("/")
    return name in SHELLS and directory.rpartition("/")[2] in _PROGRAM_FOLDERS


def _is_executable(tree: Tree, path: str) -> bool:
    try:
        node = tree.resolve(path)
    except LinkLoop:
        return False
    return node is not None and node.is_file and bool(node.entry.mode & _ANYBODY)
