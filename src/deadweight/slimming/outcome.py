"""What a result no longer has of its original: as it was written, whatever was meant to go.

Package databases are written anew, some packages can only stay whole, and base layers stay with all that is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator

from deadweight.inventory.model import Package
from deadweight.slimming.result import Outcome
from deadweight.slimming.selection import BOOKS, REWRITTEN, Removal
from deadweight.slimming.subject import Subject
from deadweight.tree.node import Node, Tree

Reason = tuple[str, str]
"""The kind and the owner of a `Removal`."""


def outcome_of(original: Subject, result: Subject, selected: Iterable[Removal]) -> Outcome:
    """What `result` lacks of `original`, each for the reason for which it was `selected`."""
    reasons = {removal.path: (removal.kind, removal.owner) for removal in selected}
    owners = original.view.inventory.owners

    def reason(node: Node) -> Reason:
        owner = owners.get(node.path)
        return reasons.get(node.path) or (BOOKS, owner.label if owner is not None else "")

    here = {layer.diff_id for layer in result.image.layers}
    unchanged = frozenset(layer.position for layer in original.image.layers if layer.diff_id in here)
    left, smaller = _left(original, result)
    tree = original.view.merged.tree
    removals = (*removals_of(tree, left, reason), *smaller)
    there = {_identity(package) for package in result.view.inventory.packages}
    packages = original.view.inventory.packages
    ledger = original.view.ledger
    return Outcome(
        removals=tuple(sorted(removals)),
        packages=tuple(package for package in packages if _identity(package) not in there),
        unchanged=unchanged,
        dead=sum(row.entry.size for row in ledger.dead() if row.layer not in unchanged),
    )


def removals_of(tree: Tree, left: Container[str], reason: Callable[[Node], Reason]) -> Iterator[Removal]:
    """What of `tree` but directories is not `left`, sorted by path: a content of which no name is left at the first of them."""
    leaves = tree.leaves
    counted = {_place(node) for node in leaves if node.path in left}
    for node in leaves:
        if node.path not in left:
            unpacked = node.entry.size if _place(node) not in counted else 0
            counted.add(_place(node))
            yield Removal(node.path, unpacked, *reason(node))


def _left(original: Subject, result: Subject) -> tuple[set[str], list[Removal]]:
    """The names that are left, and what those lost of which there is less. One that only a base layer shows again is not left."""
    before = original.view.merged.tree.files
    old = {layer.diff_id for layer in original.image.layers}
    left: set[str] = set()
    smaller: list[Removal] = []
    for node in result.view.merged.tree.leaves:
        former = before.get(node.path)
        if former is None or not node.is_file or former.entry.digest == node.entry.digest:
            left.add(node.path)
        elif result.image.layers[node.layer].diff_id not in old:
            left.add(node.path)
            if former.entry.size > node.entry.size:
                smaller.append(Removal(node.path, former.entry.size - node.entry.size, REWRITTEN, ""))
    return left, smaller


def _place(node: Node) -> tuple[int, int]:
    return node.layer, node.number


def _identity(package: Package) -> tuple[str, ...]:
    return package.ecosystem, package.name, package.version, package.architecture, package.source
