"""Sources of Python in an image, and what is claimed for what they import."""

from __future__ import annotations

import re
import shlex
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from deadweight.accounting.programs import started
from deadweight.evidence.closure.python_imports import (
    MAIN,
    Glance,
    Import,
    Imports,
    Prefix,
    Unreadable,
    glance,
    named_in,
    read,
)
from deadweight.evidence.closure.python_place import Place
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.tree.node import Node

IMPORT = "python-import"
NAME = "python-name"
LIBRARY = "python-ctypes"

MAX_EXTENSION = 32 << 20
"""The most bytes of an extension module that are looked through."""
MAX_SETTINGS = 256 << 10
"""The most bytes of a file of settings that names are looked for in."""
NOTHING = Glance(frozenset(), frozenset(), calls=False)

_INTERPRETER = re.compile(r"(?:python|pypy)[\d.]*t?")
_LONG_SHEBANG = re.compile(r"#!/bin/sh\n\s*'''exec' ")
_EXTENSION = re.compile(r"(?!lib)[^\W\d]\w*(?:\.(?:cpython|pypy)[\w-]+|\.abi3)?\.so")
_C_STRING = re.compile(rb"(?<=\0)[A-Za-z_][A-Za-z0-9_.]{1,60}(?=\0)")
_RUN_TEXT = re.compile(r"\s-c[ \t]*(?:'([^']*)'|\"([^\"]*)\")")
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_.]{1,60}")
_SETTINGS = (".ini", ".cfg", ".conf", ".toml", ".yaml", ".yml", ".json", ".env", ".properties")
_EGG = re.compile(r"\begg:([\w.-]+)")
_RUN_MODULE = re.compile(r"\s-m[ \t]*([^\W\d][\w.]*)")
_SITE = re.compile(r"(?:^|/)(?:site|dist)-packages/")
_NOT_MEANT = frozenset({"test", "this", "antigravity", MAIN})
"""Words in strings that are hardly ever the module of that name."""


@dataclass(slots=True)
class Source:
    """One source, as far as it has been looked into."""

    label: str
    """What to call it in a reason."""
    text: str
    seen: Glance
    node: Node | None = None
    """None for the config."""
    parsed: Imports | None = None
    extra: tuple[str, ...] = ()
    """Further names that it may import."""

    @property
    def own(self) -> bool:
        """Whether it is the application's own: no installed distribution, no standard library."""
        return self.node is None or _SITE.search(self.node.path) is None

    def groups(self, known: Container[str]) -> list[str]:
        """Those of the groups `known` that it names."""
        return sorted(name for name in self.seen.strings if name in known)


class Follow:
    """Turns what sources import into claims."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._problems: dict[str, None] = {}

    @property
    def problems(self) -> Sequence[str]:
        return list(self._problems)

    def source(self, node: Node) -> Source | None:
        """The source in `node`; None where it is none."""
        if _EXTENSION.fullmatch(node.name) and node.path in self._scene.elf_files:
            return self._extension(node)
        if node.name.endswith(".pyc"):
            return self._bytecode(node)
        if node.name.endswith(".pth"):
            return self._path_file(node)
        if node.name.endswith(_SETTINGS):
            return self._settings(node)
        if not node.name.endswith((".py", ".pyw")) and not self._is_script(node):
            return self._shell_script(node)
        text = self._scene.text(node)
        if text is None:
            self._problems[f"{node.path}: is too large, or cannot be read"] = None
            return None
        return Source(node.path, text, glance(text), node)

    def _extension(self, node: Node) -> Source | None:
        """An extension module: the strings in it that have the form of names of modules."""
        if not _SITE.search(node.path):
            return None  # those of the standard library are known: see python.toml
        content = self._scene.contents.read(node, MAX_EXTENSION) or b""
        names = {match.decode() for match in _C_STRING.findall(content)}
        return Source(node.path, "", NOTHING, node, extra=tuple(sorted(names)))

    def _bytecode(self, node: Node) -> Source | None:
        """A module without its source: all words in it may be names."""
        siblings = node.parent.children if node.parent is not None else None
        if (
            node.parent is None
            or node.parent.name == "__pycache__"
            or f"{node.name[:-1]}" in (siblings or {})
        ):
            return None
        content = self._scene.contents.read(node, MAX_EXTENSION) or b""
        names = {match.decode() for match in _WORD.findall(content)}
        return Source(node.path, "", NOTHING, node, extra=tuple(sorted(names)))

    def _path_file(self, node: Node) -> Source | None:
        """A .pth file, of which ``site`` executes the lines that begin with ``import``."""
        lines = (self._scene.text(node) or "").splitlines()
        text = "\n".join(line for line in lines if line.startswith(("import ", "import\t")))
        return Source(node.path, text, glance(text), node) if text else None

    def _settings(self, node: Node) -> Source | None:
        """Settings of the application, which may name modules, and classes in them."""
        if (
            self._scene.owner(node.path) is not None
            or node.entry.size > MAX_SETTINGS
            or _SITE.search(node.path)
        ):
            return None
        text = self._scene.text(node) or ""
        names = tuple(dict.fromkeys(named_in(text)))
        eggs = tuple(dict.fromkeys(name.replace("-", "_") for name in _EGG.findall(text)))
        return Source(
            node.path,
            "",
            Glance(frozenset(), frozenset(names), calls=True),
            node,
            Imports(strings=names),
            eggs,
        )

    def _shell_script(self, node: Node) -> Source | None:
        script = self._scene.scripts.get(node.path)
        if script is None or script.text is None or "python" not in script.text:
            return None
        names = tuple(dict.fromkeys(_RUN_MODULE.findall(script.text)))
        texts = [single or double for single, double in _RUN_TEXT.findall(script.text)]
        seen = glance(
            "\n".join((script.text, *texts))
        )  # the lines of a here-document are lines of the script
        return Source(node.path, "", seen, node, Imports(tuple(sorted(seen.imports))), names)

    def config(self) -> Iterator[Source]:
        """What the commands of the config give to Python: the texts of ``-c``, and names of modules."""
        words: list[str] = []
        for command in started(self._scene.execution):
            for word in command:
                words += _split(word)
                for text in (word, *_split(word)):
                    if "import" in text:
                        yield Source(
                            "the config",
                            text,
                            glance(text),
                            parsed=Imports(tuple(sorted(glance(text).imports))),
                        )
        words += self._scene.environment.values()
        names = tuple(dict.fromkeys(name for word in words for name in _names(word)))
        yield Source("the config", "", NOTHING, extra=names)

    def claims(self, place: Place, source: Source) -> Iterator[Claim]:
        """What `source` imports in `place`."""
        package = place.package_of(source.node) if source.node is not None else None
        for name in source.extra:
            if name.partition(".")[0].partition(":")[0] not in place.known:
                continue
            module = name.partition(":")[0]
            for named in (module, f"{module}.{MAIN}"):
                if place.find(named) is not None:
                    yield from place.reach(named, NAME, f"{source.label} names it")
        if not source.seen.calls and not self._is_worth_it(place, source, package):
            return
        imports = self._read(source, place)
        because = f"{source.label} imports it"
        for one in imports.imports:
            yield from self._import(place, source, package, one, because)
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

    def _is_script(self, node: Node) -> bool:
        script = self._scene.scripts.get(node.path)
        if script is None:
            return False
        if _INTERPRETER.fullmatch(script.interpreter.rpartition("/")[2]):
            return True
        return (
            script.text is not None
            and _LONG_SHEBANG.match(script.text) is not None
            and "python" in script.text[:512]
        )

    def _read(self, source: Source, place: Place) -> Imports:
        if source.parsed is None:
            try:
                in_library = source.node is not None and place.is_standard(source.node)
                source.parsed = read(source.text, main=not in_library)
            except Unreadable as error:
                self._problems[f"{source.label}: {error}; its imports were taken from its lines"] = None
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
        module = place.find(name)
        if module is None or not module.directories:
            return
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
        for path in self._scene.elf_files:
            file = path.rpartition("/")[2]
            if file == base or file.startswith((f"{base}.so", f"lib{base}.so", f"{base}.")):
                yield Claim(path, LIBRARY, because)


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


def _names(word: str) -> Iterator[str]:
    yield from named_in(word)
    bare = word.partition(":")[0].partition("=")[2] or word.partition(":")[0]
    if bare.isidentifier():
        yield bare


def _split(word: str) -> list[str]:
    try:
        return shlex.split(word)
    except ValueError:
        return word.split()
