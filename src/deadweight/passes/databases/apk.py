"""apk's database (apk-tools, apk-v2(5), "installed database"; scripts.tar and triggers as apk-tools 2 writes them)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from deadweight.errors import InvalidLayer, LimitExceeded
from deadweight.inventory.apk import DATABASES, WORLD
from deadweight.inventory.model import APK, Inventory, Package
from deadweight.layer.cursor import Cursor
from deadweight.layer.scanner import Scanner
from deadweight.layer.tar_header import BLOCK_SIZE
from deadweight.passes.databases.model import (
    Changes,
    Contents,
    Remaining,
    child,
    decoded,
    encoded,
    packages,
    small,
)
from deadweight.transport.tar_writer import END
from deadweight.tree.node import Node, Tree

_CONSTRAINT = re.compile(r"[@=<>~]")
_BESIDE = ("triggers", "scripts.tar")


class ApkRewriter:
    """Rewrites the installed database, the triggers and scripts beside it, and the world."""

    def files(self, tree: Tree, inventory: Inventory) -> Iterable[Node]:
        database = _database(tree)
        if database is None or not packages(inventory, APK):
            return
        yield database
        folder = database.path.rpartition("/")[0]
        yield from small(child(tree, f"{folder}/{name}") for name in _BESIDE)
        yield from small(child(tree, path) for path in WORLD)

    def rewrite(self, remaining: Remaining, inventory: Inventory, read: Contents) -> Changes:
        database = _database(remaining.tree)
        known = packages(inventory, APK)
        if database is None or not known:
            return {}
        gone = {_key(package) for package in known if not remaining.has_package(package)}
        stanzas = decoded(read(database.path)).split("\n\n")
        left = [stanza for stanza in stanzas if _named(stanza) not in gone]
        content = "\n\n".join(_with_files(stanza, remaining) for stanza in left)
        changes: dict[str, bytes | None] = {database.path: encoded(content)}
        checksums = {_field(stanza, "C:") for stanza in stanzas if _named(stanza) in gone} - {""}
        folder = database.path.rpartition("/")[0]
        for node in small(child(remaining.tree, f"{folder}/{name}") for name in _BESIDE):
            data = read(node.path)
            changes[node.path] = (
                _without_scripts(data, checksums) if node.name == "scripts.tar" else _without(data, checksums)
            )
        for node in small(child(remaining.tree, path) for path in WORLD):
            changes[node.path] = _world(read(node.path), known, gone)
        return changes


def _database(tree: Tree) -> Node | None:
    """The database that apk itself would use."""
    return next(small(child(tree, path) for path in DATABASES), None)


def _key(package: Package) -> tuple[str, str]:
    return package.name, package.version


def _named(stanza: str) -> tuple[str, str]:
    return _field(stanza, "P:"), _field(stanza, "V:")


def _field(stanza: str, letter: str) -> str:
    return next((line[2:].strip() for line in stanza.split("\n") if line.startswith(letter)), "")


def _with_files(stanza: str, remaining: Remaining) -> str:
    """The stanza without the folders (F, with M) and files (R, with a and Z) that are gone."""
    lines = []
    folder, there = "", True
    for line in stanza.split("\n"):
        kind, value = line[:2], line[2:]
        if kind == "F:":
            folder, place = value, remaining.folder(value)
            there = place is not None
            line = f"F:{place}"
        elif kind == "R:":
            there = remaining.has(f"{folder}/{value}")
        elif kind not in ("M:", "a:", "Z:"):
            there = True
        if there:
            lines.append(line)
    return "\n".join(lines)


def _without(data: bytes, checksums: set[str]) -> bytes:
    """The triggers, each on a line that begins with the checksum of its package, without those of `checksums`."""
    lines = decoded(data).split("\n")
    return encoded("\n".join(line for line in lines if line.partition(" ")[0] not in checksums))


def _without_scripts(data: bytes, checksums: set[str]) -> bytes:
    """The archive of scripts, called ``name-version.checksum.event``, without those of the packages with `checksums`."""
    scanner = Scanner(iter([memoryview(data)]), (), "scripts.tar")
    try:
        scanner.scan()
    except (InvalidLayer, LimitExceeded):
        return data  # which apk could not read either
    cursor = Cursor(iter([data]), "scripts.tar")
    kept = []
    for entry in scanner.entries:
        cursor.skip(entry.start - cursor.offset)
        if not any(f".{checksum}." in entry.path for checksum in checksums):
            kept += [cursor.header(), cursor.take(entry.size + -entry.size % BLOCK_SIZE)]
    return data if len(kept) == 2 * len(scanner.entries) else b"".join((*kept, END))


def _world(data: bytes, known: Iterable[Package], gone: set[tuple[str, str]]) -> bytes:
    """What was asked for by name, without what only packages that are gone are or provide."""
    names = {_key(package): {package.name, *package.provides} for package in known}
    lost = set().union(*(names[key] for key in gone)) - set().union(
        *(names[key] for key in names.keys() - gone)
    )
    lines = decoded(data).split("\n")
    return encoded("\n".join(line for line in lines if _CONSTRAINT.split(line.strip())[0] not in lost))
