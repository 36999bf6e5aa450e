"""Plans for layers above base layers that stay as they are: whatever of these must not be seen is hidden."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from deadweight.errors import InvalidLayer
from deadweight.layer.entry import FILE, OPAQUE_WHITEOUT, WHITEOUT_PREFIX, Entry, is_whiteout
from deadweight.layer.index import LayerIndex
from deadweight.passes.same_tree import plain, planned_tree
from deadweight.passes.staying import Staying
from deadweight.passes.steps import FIRST, LAST, LayerPlan, Made, Same, Step
from deadweight.tree.node import IMPLICIT, LinkLoop, Node, Tree

_EMPTY = hashlib.sha256(b"").digest()


def above_base(
    indexes: Sequence[LayerIndex],
    plans: Sequence[LayerPlan],
    base: Tree,
    stays: Staying,
    keep_layers: int,
) -> Iterator[tuple[list[LayerPlan], Staying]]:
    """The plans with what hides everything in `base`, the tree of the first `keep_layers` layers, that must not be seen; and
    what stays, without the directories of `base` that are hidden.

    First with the whiteouts that there are. These may hide too much: a whiteout spares a directory in which its own layer
    has something, and with that gone it would not. Then with new ones in the last layer alone.
    """
    if keep_layers == len(indexes):
        yield list(plans), stays
        return
    again = _made_again(base, stays)
    for hiding in (_hiding, _nothing):
        above = []
        for plan, index in zip(plans[keep_layers:], indexes[keep_layers:], strict=True):
            steps = sorted([*plan.steps, *hiding(index, base)], key=_number)
            above.append(replace(plan, steps=steps))
        above[0] = replace(above[0], steps=[*again, *above[0].steps])
        try:
            tree = planned_tree(indexes, [*plans[:keep_layers], *above])
        except InvalidLayer:
            continue
        left = _without_hidden(stays, tree)
        whiteouts = [Made(LAST, entry) for entry in _shown_again(tree.root, left)]
        above[-1] = replace(above[-1], steps=[*above[-1].steps, *whiteouts])
        yield [*plans[:keep_layers], *above], left


def _nothing(index: LayerIndex, base: Tree) -> list[Step]:
    return []


def _made_again(base: Tree, stays: Staying) -> list[Step]:
    """Entries for directories that none made, where `base` has something else."""
    needed = {
        path: node
        for path, node in stays.directories.items()
        if node.layer < 0 and path not in stays.optional
    }
    return [
        Made(FIRST, needed[path].entry._replace(path=path))
        for path, node in base.walk()
        if path in needed and node.entry is not IMPLICIT
    ]


def _number(step: Step) -> int:
    return step.number


def _hiding(index: LayerIndex, base: Tree) -> list[Step]:
    """The whiteouts of a layer that hide something of `base`."""
    found: list[Step] = []
    for number, entry in enumerate(index.entries):
        if is_whiteout(entry):
            directory, _, name = entry.path.rpartition("/")
            if _hides(base, directory, name):
                found.append(Same(number, entry))
    return found


def _hides(base: Tree, directory: str, name: str) -> bool:
    """Whether the whiteout `name` in `directory` hides something; not one behind a link, which may lead elsewhere now."""
    try:
        parent = base.resolve(directory)
    except LinkLoop:
        return False
    if parent is None or not parent.children or parent.path != directory:
        return False
    return name == OPAQUE_WHITEOUT or name.removeprefix(WHITEOUT_PREFIX) in parent.children


def _without_hidden(stays: Staying, tree: Tree) -> Staying:
    """What stays without those directories that `tree` shows no more, or shows another one for."""
    there = {path: node for path, node in tree.walk() if node.children is not None}
    directories = {}
    for path in sorted(stays.directories, key=_depth):
        node = stays.directories[path]
        if path in stays.optional:
            shown = there.get(path)
            above = path.rpartition("/")[0]
            if shown is None or plain(shown.entry) != plain(node.entry) or above not in directories:
                continue
        directories[path] = node
    return replace(stays, directories=directories)


def _depth(path: str) -> tuple[int, str]:
    return path.count("/"), path


def _shown_again(root: Node, stays: Staying) -> list[Entry]:
    """Whiteouts of what should not be in a planned tree, without those of what is below such, sorted."""
    found = []
    stack = [root]
    while stack:
        node = stack.pop()
        for child in (node.children or {}).values():
            if child.path not in stays.leaves and child.path not in stays.directories:
                found.append(_whiteout(node.path, f"{WHITEOUT_PREFIX}{child.name}"))
            elif child.children is not None:
                stack.append(child)
    return sorted(found)


def _whiteout(directory: str, name: str) -> Entry:
    path = f"{directory}/{name}" if directory else name
    return Entry(path, FILE, 0, 0o644, 0, 0, 0, "", _EMPTY, 0)
