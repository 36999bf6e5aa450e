"""Scripts: the interpreter that the first line names, and the text of shell scripts with what that starts.

Sources: Linux, Documentation/admin-guide/binfmt-misc and execve(2) for ``#!``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from deadweight.accounting.shell import unnamed
from deadweight.layer.collect import Content, Fact, WholeOrNothing

_MAX_LINE = 256
_MAX_SCRIPT = 64 << 10
_WORD = re.compile(r"[A-Za-z0-9_./+][A-Za-z0-9_./+-]+|\b[A-Z]\b", re.ASCII)
"""A word that may name a program: of one letter are R and X. In ``${PAGER:-less}``, ``less`` is one."""
_BEGINS_PATH = re.compile(r"\$\{?(\w+)\}?[\"']?(?=/)", re.ASCII)
"""The variable in ``$JAVA_HOME/bin/java``, however it is quoted."""
_SHELLS = (b"sh", b"bash", b"dash", b"ash", b"ksh", b"zsh", b"execlineb", b"busybox")
_NOT_RUN = ("usr/share/doc/", "var/lib/dpkg/info/", "usr/share/bug/")
"""Examples, and what only the package manager starts."""


@dataclass(frozen=True)
class Script:
    """What was read of one script."""

    interpreter: str
    """The program that the first line names: a path, or a name to be found through PATH; empty where there is no such line."""
    text: str | None
    """That of a shell script; None where it was not kept: it is too long, or in another language."""

    @cached_property
    def words(self) -> frozenset[str] | None:
        """All words of a shell script; None without its text."""
        return None if self.text is None else frozenset(_WORD.findall(_BEGINS_PATH.sub(r" \1", self.text)))

    @cached_property
    def unnamed(self) -> frozenset[str]:
        """What a shell script starts without naming it (see `shell.unnamed`)."""
        return frozenset() if self.text is None else frozenset(unnamed(self.text))


class ScriptCollector(WholeOrNothing):
    """Collects a `Script` of every file that begins with ``#!`` or ends in ``.sh``; `of` gives it back."""

    name = "scripts"
    version = 4
    names: frozenset[str] = frozenset()
    suffixes = frozenset({"sh"})
    magics = frozenset(b"#!/" + bytes([letter]) for letter in b"abcdefghijklmnopqrstuvwxyz") | {b"#! /"}
    limit = _MAX_SCRIPT

    def wants(self, path: str, size: int) -> bool:
        return not path.startswith(_NOT_RUN)

    def collect(self, path: str, content: Content) -> Fact:
        """The first line without ``#!`` and, of a shell script that is not too long, its text. Few are ever looked into."""
        first = content.read(0, _MAX_LINE).partition(b"\n")[0]
        line = first[2:].strip() if first.startswith(b"#!") else b""
        fact: list[Fact] = [line.decode("utf-8", "replace")]
        if content.size <= _MAX_SCRIPT and _is_shell(line):
            fact.append(content.read(0, content.size).decode("utf-8", "replace"))
        return fact


SCRIPTS = ScriptCollector()


def of(fact: Fact) -> Script | None:
    """The `Script` behind a fact of `SCRIPTS`; None for no fact."""
    if not isinstance(fact, list) or not fact:
        return None
    return Script(_interpreter(str(fact[0])), str(fact[1]) if len(fact) > 1 else None)


def _interpreter(line: str) -> str:
    words = line.split()
    if words and words[0].rpartition("/")[2] == "env":
        names = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        return names[0] if names else ""
    return words[0] if words else ""


def _is_shell(line: bytes) -> bool:
    # A file that is called .sh and names no interpreter is one that shells read.
    return not line or any(word.rpartition(b"/")[2] in _SHELLS for word in line.split()[:3])
