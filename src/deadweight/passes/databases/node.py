"""The list of packages that npm keeps in node_modules ("hidden lockfiles" in npm's package-lock-json(5))."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from deadweight.inventory.model import NPM, Inventory
from deadweight.passes.databases.model import Changes, Contents, Remaining, child, packages, small
from deadweight.tree.node import Node, Tree

_LIST = ".package-lock.json"


class NodeRewriter:
    """Rewrites ``node_modules/.package-lock.json``. A package is there as long as its package.json is, without which Node.js
    would read its files otherwise: whoever keeps one of them keeps that.
    """

    def files(self, tree: Tree, inventory: Inventory) -> Iterable[Node]:
        sources = [f"/{package.source}" for package in packages(inventory, NPM)]
        folders = {source[: source.index(_IN)] + _IN for source in sources if _IN in source}
        return small(child(tree, f"{folder}{_LIST}") for folder in sorted(folders))

    def rewrite(self, remaining: Remaining, inventory: Inventory, read: Contents) -> Changes:
        changes: dict[str, bytes | None] = {}
        for node in self.files(remaining.tree, inventory):
            root = f"/{node.path}".removesuffix(f"{_IN}{_LIST}")
            changed = _without_gone(read(node.path), root, remaining)
            if changed is not None:
                changes[node.path] = changed
        return changes


_IN = "/node_modules/"


def _without_gone(content: bytes, root: str, remaining: Remaining) -> bytes | None:
    """The list without the packages that are gone, as npm writes it; None where none is, or it is no such list."""
    try:
        value: Any = json.loads(content)
    except (ValueError, RecursionError):
        return None
    listed = value.get("packages") if isinstance(value, dict) else None
    if not isinstance(listed, dict):
        return None
    left = {path: about for path, about in listed.items() if remaining.has(f"{root}/{path}/package.json")}
    if len(left) == len(listed):
        return None
    return (json.dumps(value | {"packages": left}, indent=2, ensure_ascii=False) + "\n").encode()
