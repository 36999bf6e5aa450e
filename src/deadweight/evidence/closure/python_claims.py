"""What is claimed for what a source of Python imports, names, loads and starts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from deadweight.evidence.closure.python_imports import MAIN, Import, Imports, Prefix, Unreadable, glance, read
from deadweight.evidence.closure.python_paths import Environment
from deadweight.evidence.closure.python_place import Place, program
from deadweight.evidence.closure.python_source import Source
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.tree.node import Node

IMPORT = "python-import"
NAME = "python-name"
LIBRARY = "python-ctypes"
PROGRAM = "python-program"

MAX_ALL_PARSED = 256 << 20
"""The most bytes of source that are parsed in one image; of what is beyond only the lines with imports count."""

_NOT_MEANT = frozenset({"test", "this", "antigravity", MAIN})
"""Words in strings that are hardly ever the module of that name."""


class Follow:
    """Turns what sources import into claims."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.problems: dict[str, None] = {}
        self._stars: set[tuple[Environment, str]] = set()
        self._room = MAX_ALL_PARSED

    def claims(self, place: Place, source: Source) -> Iterator[Claim]:
        """What `source` imports in `place`."""
        yield from self._extra(place, source)
        package = place.package_of(source.node) if source.node is not None else None
        own = source.node is not None and source.own and not place.is_standard(source.node)
        if not own and not source.seen.calls and not self._is_worth_it(place, source, package):
            return
        imports = self._read(source, place)
        for one in imports.imports:
            yield from self._import(place, source, package, one, f"{source.label} imports it")
        for prefix in imports.prefixes:
            start = _beginning(package, prefix)
            if start:
                because = f"{source.label} imports modules whose names begin with {start}"
                yield from place.reach_all(start, IMPORT, because)
        for name in imports.strings:
            if self._may_name(place, source, name, imports.computed):
                yield from self._name(place, name, f"{source.label} names it in a string")
        for name in imports.libraries:
            yield from self._libraries(name, f"{source.label} loads it through ctypes")
        if source.node is None or not place.is_standard(source.node):
            for name in imports.candidates:
                yield from self._libraries(
                    name, f"{source.label} names it, and loads libraries through ctypes"
                )
        if own:
            for name in imports.programs:
                yield from program(self._scene, name, PROGRAM, f"{source.label} starts it")

    def _extra(self, place: Place, source: Source) -> Iterator[Claim]:
        """The modules that are named where they would be run, too: with their ``__main__``."""
        for name in source.extra:
            module = name.partition(":")[0]
            if module.partition(".")[0] in place.known:
                for named in (module, f"{module}.{MAIN}"):
                    if place.find(named) is not None:
                        yield from place.reach(named, NAME, f"{source.label} names it")

    def _read(self, source: Source, place: Place) -> Imports:
        if source.parsed is None:
            try:
                in_library = source.node is not None and place.is_standard(source.node)
                self._room -= len(source.text)
                if self._room < 0:
                    raise Unreadable(f"behind the first {MAX_ALL_PARSED} bytes of source")
                source.parsed = read(source.text, main=not in_library)
            except Unreadable as error:
                self.problems[f"{source.label}: {error}; its imports were taken from its lines"] = None
                source.parsed = Imports(
                    tuple(sorted(source.seen.imports)), strings=tuple(sorted(source.seen.strings))
                )
        return source.parsed

    def _is_worth_it(self, place: Place, source: Source, package: str | None) -> bool:
        """Whether there may be something new in it."""
        for one in source.seen.imports:
            name = _absolute(package, one.level, one.module)
            if name is None or (name and place.is_new(name)):
                return True
            if any(part.endswith("*") or place.is_new(part) for part in place.parts(name, one.names)):
                return True
        return any(
            self._may_name(place, source, name, computed=False) and place.is_new(name.partition(":")[0])
            for name in source.seen.strings
        )

    def _import(
        self, place: Place, source: Source, package: str | None, one: Import, because: str
    ) -> Iterator[Claim]:
        if package is None:
            yield from self._nearby(place, source, one, because)
            if one.level:
                return
        name = _absolute(package, one.level, one.module)
        if name is None or place.ignores(source.node, name):
            return
        if name:
            yield from place.reach(name, IMPORT, because)
        for part in place.parts(name, one.names):
            if part.endswith("*"):
                yield from self._star(place, name, because)
            else:
                yield from place.reach(part, IMPORT, because)

    def _nearby(self, place: Place, source: Source, one: Import, because: str) -> Iterator[Claim]:
        """What lies where no environment looks: beside a program, in the working directory, above a package."""
        for directory in self._directories(source.node, one.level):
            for name in (one.module, *(f"{one.module}.{part}".strip(".") for part in one.names)):
                parts = name.split(".") if name else []
                for count in range(1, len(parts) + 1):
                    module = place.finder.find(".".join(parts[:count]), [directory])
                    if module is not None:
                        yield from (Claim(file.path, IMPORT, because) for file in module.files)

    def _directories(self, node: Node | None, level: int) -> list[Node]:
        working_dir = self._scene.resolve(self._scene.execution.working_dir)
        found = [] if level or working_dir is None else [working_dir]
        directory = node.parent if node is not None else None
        if directory is not None and level:
            for _ in range(level - 1):
                directory = directory.parent or directory
            return [directory]
        if directory is not None:
            found.append(directory)
            while directory.parent is not None and "__init__.py" in (directory.children or {}):
                directory = directory.parent
            found.append(directory)
        return list({id(one): one for one in found if one.is_directory}.values())

    def _star(self, place: Place, name: str, because: str) -> Iterator[Claim]:
        """``from name import *`` imports the submodules that ``__all__`` has."""
        name = name.removesuffix(".*")
        module = place.find(name)
        if module is None or not module.directories or (place.environment, name) in self._stars:
            return
        self._stars.add((place.environment, name))
        texts = [self._scene.text(file) or "" for file in module.files if file.name.endswith(".py")]
        named = {string for text in texts for string in glance(text).strings}
        for part in place.finder.names(module):
            if part in named:
                yield from place.reach(f"{name}.{part}", IMPORT, because)

    def _name(self, place: Place, text: str, because: str) -> Iterator[Claim]:
        """The module that `text` names, alone or with something in it: ``a.b``, ``a.b.C``, ``a.b:c``."""
        name, colon, _ = text.partition(":")
        if place.find(name) is None and not colon:
            name = name.rpartition(".")[0]
        if name and place.find(name) is not None:
            yield from place.reach(name, NAME, because)

    def _may_name(self, place: Place, source: Source, text: str, computed: bool) -> bool:
        """Whether `text` in a string may be the name of a module: a single word only where that is likely."""
        if source.node is not None and place.is_standard(source.node):
            return (
                False  # of the standard library it is known which does so: see what it needs in python.toml
            )
        if re.split("[.:]", text, maxsplit=1)[0] in _NOT_MEANT:
            return False
        return computed or "." in text or ":" in text or (source.own and text in place.tops)

    def _libraries(self, name: str, because: str) -> Iterator[Claim]:
        base = name.rpartition("/")[2]
        if "/" in name:
            yield Claim(name, LIBRARY, because)
        for key in (base, f"lib{base}"):
            for path in self._shared.get(key, ()):
                yield Claim(path, LIBRARY, because)

    @cached_property
    def _shared(self) -> Mapping[str, Sequence[str]]:
        """Shared libraries by their names, their sonames, and what is before ``.so`` in them."""
        found: dict[str, list[str]] = {}
        for path, elf in self._scene.elf_files.items():
            name = path.rpartition("/")[2]
            stem, suffix, _ = name.partition(".so")
            if suffix:
                for key in {name, elf.soname or name, stem, f"{stem}.so"}:
                    found.setdefault(key, []).append(path)
        return found


def _absolute(package: str | None, level: int, module: str) -> str | None:
    """The absolute name of what code in `package` imports; None where it lies outside of all that is looked in."""
    if level == 0:
        return module
    if package is None:
        return None
    parts = package.split(".") if package else []
    if level - 1 > len(parts):
        return None
    return ".".join(filter(None, (*parts[: len(parts) - (level - 1)], module)))


def _beginning(package: str | None, prefix: Prefix) -> str:
    """The absolute name that `prefix` is the beginning of; empty for what lies outside."""
    if prefix.level == 0:
        return prefix.text
    above = _absolute(package, prefix.level, "")
    return f"{above}.{prefix.text}" if above else ""
