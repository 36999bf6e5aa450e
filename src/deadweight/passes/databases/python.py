"""Python's metadata ("Recording installed projects" of the PyPA; installed-files.txt as setuptools wrote it)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator

from deadweight.inventory.model import PYTHON, Inventory, Package
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
from deadweight.tree.node import Node, Tree

_ENDS = (".dist-info", ".egg-info")


class PythonRewriter:
    """Rewrites RECORD and installed-files.txt; the metadata of a distribution that is gone goes."""

    def files(self, tree: Tree, inventory: Inventory) -> Iterable[Node]:
        for package in packages(inventory, PYTHON):
            yield from small(child(tree, path) for path in (*_lists(package), package.source))

    def rewrite(self, remaining: Remaining, inventory: Inventory, read: Contents) -> Changes:
        changes: dict[str, bytes | None] = {}
        for package in packages(inventory, PYTHON):
            if remaining.has_package(package):
                for node in small(child(remaining.tree, path) for path in _lists(package)):
                    text = decoded(read(node.path))
                    changes[node.path] = encoded(_left(text, _base(node), remaining.has))
            else:
                changes |= dict.fromkeys(_metadata(remaining.tree, package))
        return changes


def _folder(package: Package) -> str:
    """The directory with the metadata of a distribution; empty where all of it is in one file."""
    folder = package.source.rpartition("/")[0]
    return folder if folder.endswith(_ENDS) else ""


def _lists(package: Package) -> list[str]:
    folder = _folder(package)
    return [f"{folder}/RECORD", f"{folder}/installed-files.txt"] if folder else []


def _base(node: Node) -> str:
    """What the paths in a list are relative to."""
    folder = node.path.rpartition("/")[0]
    return folder.rpartition("/")[0] if node.name == "RECORD" else folder


def _metadata(tree: Tree, package: Package) -> Iterator[str]:
    folder = child(tree, _folder(package)) if _folder(package) else None
    if folder is None:
        yield package.source
    else:
        yield from (path for path, node in folder.walk() if node.children is None)


def _left(text: str, base: str, has: Callable[[str], bool]) -> str:
    """The lines of a list whose files are left. Each begins with a path, in the form of CSV."""
    lines = text.split("\n")
    return "\n".join(line for line in lines if not line.strip() or _is_left(line, base, has))


def _is_left(line: str, base: str, has: Callable[[str], bool]) -> bool:
    try:
        path = next(csv.reader([line.rstrip("\r")]), [""])[0]
    except csv.Error:
        return True  # a line that nobody can read names no file
    # `pip install --target` moves scripts into the target, but leaves their entries as they are.
    moved = path.startswith("../../bin/") and has(f"{base}/{path[6:]}")
    return moved or has(path if path.startswith("/") else f"{base}/{path}")
