"""Perl: the modules that needed Perl names; whole packages come with them (perlfunc, "use" and "require"; perlrun, "@INC")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from deadweight.evidence.closures import Quiet
from deadweight.evidence.globs import matching
from deadweight.evidence.model import Claim
from deadweight.evidence.scene import Scene
from deadweight.tree.node import Node

MODULE = "perl-module"

INCLUDED = (
    *("etc/perl", "usr/local/lib/*/perl/5*", "usr/local/share/perl/5*", "usr/lib/*/perl5/5*", "usr/share/perl5"),
    *("usr/lib/*/perl-base", "usr/lib/*/perl/5*", "usr/share/perl/5*", "usr/local/lib/site_perl"),
    *("usr/local/lib64/perl5", "usr/local/share/perl5", "usr/lib64/perl5", "usr/lib64/perl5/vendor_perl"),
    *("usr/share/perl5/vendor_perl", "usr/lib/perl5/core_perl", "usr/share/perl5/core_perl", "usr/lib/perl5/vendor_perl"),
    *("usr/local/lib/perl5/5*", "usr/local/lib/perl5/site_perl/5*", "usr/local/lib/perl5/*/*-linux*"),
)  # fmt: skip
"""@INC of Debian, Fedora, Alpine, and of builds of Perl's own."""
_USED = re.compile(
    r"^[ \t]*+(?:use|no|require|eval[ \t]*+\{?[ \t\"']*+(?:use|require))[ \t]++(\w++(?:(?:::|')\w++)*+)",
    re.MULTILINE,
)
_PARENTS = re.compile(r"^[ \t]*+use[ \t]++(?:parent|base|autouse|if|aliased)\b([^;\n]{0,1000})", re.MULTILINE)
_QUALIFIED = re.compile(r"\w++(?:::\w++)++")
_WORD = re.compile(r"\w++(?:::\w++)*+")
_RUNTIME = re.compile(r"perl[\d.]*|libperl\.so[\d.]*")
"""Where neither is needed, modules of Perl are data that nobody reads."""
_LIB = re.compile(r"^[ \t]*+use[ \t]++lib\b[^'\"/\n]{0,80}['\"]?(/[\w./+-]++)", re.MULTILINE)
_STANDS_ALONE = "perl-base/"
"""Debian's perl-base is made so that it needs nothing else (its description): what it tries to load beyond is of no use."""


class PerlClosure:
    """Follows Perl."""

    name = "perl"

    def open(self, scene: Scene) -> PerlFollower:
        return PerlFollower(scene)


class PerlFollower(Quiet):
    """Follows the Perl of one image."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._found: set[str] = set()
        self._running = False
        self._waiting: list[Node] = []

    def follow(self, node: Node) -> Iterator[Claim]:
        if not node.is_file:
            return
        if not self._running and _RUNTIME.fullmatch(node.name) and node.path in self._scene.elf_files:
            self._running = True
            for waiting in self._waiting:
                yield from self._text(waiting)
            self._waiting.clear()
        if not self._is_perl(node) or _STANDS_ALONE in node.path:
            return
        if self._running:
            yield from self._text(node)
        else:
            self._waiting.append(node)

    def _text(self, node: Node) -> Iterator[Claim]:
        text = self._scene.text(node) or ""
        names = {*_USED.findall(text), *_QUALIFIED.findall(text)}
        for rest in _PARENTS.findall(text):
            names.update(_WORD.findall(rest))
        folders = [*self._folders, *_LIB.findall(text)]
        for name in sorted(names - self._found):
            self._found.add(name)
            yield from self._module(name, folders, node)

    def _is_perl(self, node: Node) -> bool:
        if node.name.endswith((".pm", ".pl", ".al", ".psgi", ".cgi", ".ph")):
            return True
        script = self._scene.scripts.get(node.path)
        return script is not None and script.interpreter.rpartition("/")[2].startswith("perl")

    def _module(self, name: str, folders: Sequence[str], node: Node) -> Iterator[Claim]:
        path = name.replace("::", "/").replace("'", "/")
        for folder in folders:
            found = self._scene.resolve(f"{folder}/{path}.pm")
            if found is not None and found.is_file:
                yield Claim(f"{folder}/{path}.pm", MODULE, f"{node.name} names {name}")
                yield from self._loaded(f"{folder}/auto/{path}", name)
                return

    def _loaded(self, folder: str, name: str) -> Iterator[Claim]:
        """The compiled part of a module, and what it loads function by function (XSLoader, AutoLoader)."""
        node = self._scene.resolve(folder)
        for child in (node.children or {}).values() if node is not None else ():
            if not child.is_directory:
                yield Claim(child.path, MODULE, f"{name} loads it")

    @cached_property
    def _folders(self) -> Sequence[str]:
        library = self._scene.environment.get("PERL5LIB", "").split(":")
        included = [path for pattern in INCLUDED for path in matching(self._scene, pattern)]
        return [folder for folder in (*library, *included) if folder]
