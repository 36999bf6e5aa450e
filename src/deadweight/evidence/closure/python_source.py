"""Where Python is in an image: modules, scripts, extension modules, .pth files, and what shells and the config hand to it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Container, Iterator
from dataclasses import dataclass

from deadweight.accounting.programs import started
from deadweight.evidence.closure.python_imports import (
    Glance,
    Imports,
    glance,
    named_in,
)
from deadweight.evidence.scene import Scene
from deadweight.tree.node import Node

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


class Sources:
    """Recognises the sources in an image."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.problems: dict[str, None] = {}

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
            self.problems[f"{node.path}: is too large, or cannot be read"] = None
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
