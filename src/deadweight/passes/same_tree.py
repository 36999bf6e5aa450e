"""Whether rewritten layers merge into what was to stay: looked at before a byte is written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from deadweight.layer.entry import DIRECTORY, FILE, Entry
from deadweight.layer.index import LayerIndex
from deadweight.passes.staying import Place, Staying, origin
from deadweight.passes.steps import LayerPlan
from deadweight.tree.merge import merge
from deadweight.tree.node import Node, Tree


def planned_tree(indexes: Sequence[LayerIndex], plans: Sequence[LayerPlan]) -> Tree:
    """The tree that the layers will merge into. Raises `InvalidLayer` where they would not."""
    layers = [
        replace(index, entries=[step.entry for step in plan.steps])
        for index, plan in zip(indexes, plans, strict=True)
    ]
    return merge(layers).tree


def difference(tree: Tree, staying: Staying, replaced: Mapping[str, bytes]) -> str:
    """The first path at which `tree` is not what stays with the contents `replaced`; empty where there is none."""
    left, right = _shown(tree.walk()), dict(_expected(staying, replaced))
    for path in sorted(left.keys() | right.keys()):
        if left.get(path) != right.get(path):
            return path or "/"
    return _links_differ(tree, staying, replaced)


def _shown(nodes: Iterator[tuple[str, Node]]) -> dict[str, Entry]:
    return {path: plain(node.entry) for path, node in nodes}


def _expected(staying: Staying, replaced: Mapping[str, bytes]) -> Iterator[tuple[str, Entry]]:
    for path, node in staying.directories.items():
        yield path, plain(node.entry)
    for path, node in staying.leaves.items():
        entry = node.entry
        if path in replaced and entry.kind == FILE:
            content = replaced[path]
            entry = entry._replace(size=len(content), digest=hashlib.sha256(content).digest())
        yield path, plain(entry)


def plain(entry: Entry) -> Entry:
    """`entry` without what says where it is."""
    link = "" if entry.kind in (FILE, DIRECTORY) else entry.link
    return entry._replace(path="", start=0, link=link)


def _links_differ(tree: Tree, staying: Staying, replaced: Mapping[str, bytes]) -> str:
    """The first path that shares its content with others in one of the two only; both have the same paths."""
    here: dict[Place, Place] = {}
    there: dict[Place, Place] = {}
    for node in tree.leaves:
        old = staying.leaves[node.path]
        if node.path in replaced and node.entry.kind == FILE:
            continue
        if here.setdefault(origin(node), origin(old)) != origin(old):
            return node.path
        if there.setdefault(origin(old), origin(node)) != origin(node):
            return node.path
    return ""
