"""Scripts: files that name their interpreter in the first line (Linux, Documentation/admin-guide/binfmt-misc, "#!")."""

from __future__ import annotations

from deadweight.layer.collect import Content, Fact

_MAX_LINE = 256


class ScriptCollector:
    """Collects what follows ``#!`` in the first line."""

    name = "scripts"
    version = 1
    names: frozenset[str] = frozenset()
    suffixes: frozenset[str] = frozenset()
    magics = frozenset(b"#!/" + bytes([letter]) for letter in b"abcdefghijklmnopqrstuvwxyz") | {b"#! /"}
    limit = _MAX_LINE

    def wants(self, path: str, size: int) -> bool:
        return True

    def collect(self, path: str, content: Content) -> Fact:
        """The interpreter and its arguments."""
        line = content.read(0, _MAX_LINE).partition(b"\n")[0][2:]
        return line.decode("utf-8", "replace").strip()


SCRIPTS = ScriptCollector()


def interpreter(line: str) -> tuple[str, bool]:
    """The program that the line of a script names, and whether it is to be looked up in PATH (``env NAME``)."""
    words = line.split()
    if not words:
        return "", False
    if words[0].rpartition("/")[2] == "env":
        names = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        return (names[0], True) if names else ("", False)
    return words[0], False
