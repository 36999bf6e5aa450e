"""What a system says of itself (os-release(5))."""

from __future__ import annotations

import re

from deadweight.inventory.fields import one_line
from deadweight.inventory.reader import Facts, first_fact
from deadweight.layer.collect import Content, Fact, WholeOrNothing
from deadweight.tree.node import Tree

PATHS = ("etc/os-release", "usr/lib/os-release")


class OsRelease(WholeOrNothing):
    """Collects the assignments of os-release files."""

    name = "os-release"
    version = 1
    names = frozenset({"os-release"})
    suffixes: frozenset[str] = frozenset()
    magics: frozenset[bytes] = frozenset()
    limit = 64 << 10

    def wants(self, path: str, size: int) -> bool:
        return size <= self.limit

    def collect(self, path: str, content: Content) -> Fact:
        """Name -> value."""
        text = content.read(0, content.size).decode("utf-8", "replace")
        return {name: value for name, value in map(_assignment, text.splitlines()) if name}


COLLECTOR = OsRelease()


def distribution(tree: Tree, facts: Facts) -> str:
    """PRETTY_NAME of the first os-release that is there, links followed; else empty."""
    found = first_fact(tree, facts, COLLECTOR, PATHS)
    return one_line(found[1].get("PRETTY_NAME")) if found is not None else ""


def _assignment(line: str) -> tuple[str, str]:
    name, separator, value = line.strip().partition("=")
    if not separator or name.startswith("#"):
        return "", ""
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return name, value
