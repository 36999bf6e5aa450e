"""Which files a module is loaded from, by its name and the directories that are looked in.

Source: importlib's ``FileFinder`` (PEP 420 for packages without ``__init__``, PEP 3147 for compiled files, PEP 3149 for the
names of extension modules).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from deadweight.evidence.scene import Scene
from deadweight.tree.node import Node

MAX_PARTS = 64
"""The most parts of the name of a module."""

_SUFFIXES = (".py", ".so", ".pyc")
_TAG = re.compile(r"\.(?:cpython-|pypy)(\d+)")


class Module(NamedTuple):
    """A module that can be imported."""

    files: tuple[Node, ...]
    """What it is loaded from, as it lies in the directory (it may be a link): more than one where extension and source lie
    side by side; none for a package without ``__init__``."""
    directories: tuple[Node, ...] = ()
    """Where the modules below it are looked for; empty for what is no package."""


class Finder:
    """Finds modules for one version of Python. It remembers what it has listed."""

    def __init__(self, scene: Scene, tag: str) -> None:
        self._scene = scene
        self._tag = tag
        self._digits = tag.removeprefix("cpython-").removeprefix("pypy")
        self._listings: dict[int, dict[str, list[Node]]] = {}

    def find(self, name: str, directories: Sequence[Node]) -> Module | None:
        """The module with the dotted `name`, whose first part lies in one of `directories`."""
        module: Module | None = Module((), tuple(directories))
        parts = name.split(".")
        if len(parts) > MAX_PARTS:
            return None
        for part in parts:
            if module is None or not part:
                return None
            module = self._look(module.directories, part)
        return module

    def names(self, module: Module) -> list[str]:
        """The names of the modules that lie in a package, sorted."""
        found: set[str] = set()
        for directory in module.directories:
            found.update(self._listing(directory))
            for name, child in (directory.children or {}).items():
                if child.is_directory and "__init__" in self._listing(child):
                    found.add(name)
        return sorted(found - {"__init__"})

    def bytecode(self, node: Node) -> Iterator[Node]:
        """What was compiled from the source `node` for this version and lies in ``__pycache__``."""
        siblings = node.parent.children if node.parent is not None else None
        cache = siblings.get("__pycache__") if siblings else None
        if cache is None or not cache.children or not node.name.endswith(".py"):
            return
        for level in ("", ".opt-1", ".opt-2"):
            compiled = cache.children.get(f"{node.name[:-3]}.{self._tag}{level}.pyc")
            if compiled is not None:
                yield compiled

    def _look(self, directories: Sequence[Node], name: str) -> Module | None:
        portions: list[Node] = []
        for directory in directories:
            package = self._directory(directory, name)
            inside = self._listing(package).get("__init__") if package is not None else None
            if package is not None and inside:
                return Module(tuple(inside), (package,))
            files = self._listing(directory).get(name)
            if files:
                return Module(tuple(files))
            if package is not None and name != "__pycache__":
                portions.append(package)
        return Module((), tuple(portions)) if portions else None

    def _directory(self, directory: Node, name: str) -> Node | None:
        child = (directory.children or {}).get(name)
        if child is not None and not child.is_directory:
            child = self._scene.resolve(child.path)
        return child if child is not None and child.is_directory else None

    def _listing(self, directory: Node) -> dict[str, list[Node]]:
        """The files of modules in a directory, by the name of the module."""
        known = self._listings.get(id(directory))
        if known is None:
            known = {}
            for name, child in sorted((directory.children or {}).items()):
                if name.endswith(_SUFFIXES) and not child.is_directory and self._loads(name):
                    known.setdefault(name.partition(".")[0], []).append(child)
            self._listings[id(directory)] = known
        return known

    def _loads(self, name: str) -> bool:
        """Whether this version would load a file of that name: not an extension module for another one."""
        tag = _TAG.search(name)
        return tag is None or not name.endswith(".so") or tag[1] == self._digits
