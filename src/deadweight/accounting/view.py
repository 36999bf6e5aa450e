"""What finders look at: the live contents of an image, each once with all its names, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from deadweight.accounting.ledger import Ledger
from deadweight.accounting.model import BROUGHT, SUSPECT, Cause, Finding, Item
from deadweight.inventory import elf
from deadweight.inventory.elf import Elf
from deadweight.inventory.model import Inventory, Package
from deadweight.inventory.reader import Facts
from deadweight.layer.entry import SYMLINK
from deadweight.oci.config import ImageConfig
from deadweight.tree.merge import Merged
from deadweight.tree.node import Node

Portion = tuple[Node, int]
"""So many bytes of a live content, which is given by the first of its names."""


@dataclass(frozen=True)
class View:
    """One image, merged, owned and accounted for."""

    config: ImageConfig
    ledger: Ledger
    merged: Merged
    inventory: Inventory
    facts: Facts

    @cached_property
    def files(self) -> list[Node]:
        """Every live content by the first of its names, sorted by path."""
        others = {node.path for names in self._other_names.values() for node in names}
        return [node for path, node in self.merged.tree.files.items() if path not in others]

    @cached_property
    def links(self) -> list[tuple[str, str]]:
        """Every symbolic link with its target, as it stands."""
        return [
            (node.path, node.entry.link) for node in self.merged.tree.leaves if node.entry.kind == SYMLINK
        ]

    @cached_property
    def owners(self) -> Mapping[str, Package]:
        """Who owns each of `files`, by its path: the owner of the first of its names that has one."""
        owners = self.inventory.owners
        found = {names[0].path: self._first_owner(names) for names in self._names.values()}
        more = {path: owner for path, owner in found.items() if owner is not None}
        return {**owners, **more} if more else owners

    def other_names(self, file: Node) -> Sequence[Node]:
        """Further names of the content of `file`, which is one of `files`, sorted by path; nearly always none."""
        return self._other_names.get((file.layer, file.number), ())

    @cached_property
    def _names(self) -> dict[tuple[int, int], list[Node]]:
        """The names of contents that have several, sorted."""
        shared = self.merged.shared
        numbers = {number for _, number in shared}
        names: dict[tuple[int, int], list[Node]] = {}
        for node in self.merged.tree.files.values() if shared else ():
            if node.number in numbers and (key := (node.layer, node.number)) in shared:
                names.setdefault(key, []).append(node)
        return names

    @cached_property
    def _other_names(self) -> dict[tuple[int, int], list[Node]]:
        return {key: names[1:] for key, names in self._names.items()}

    def _first_owner(self, names: Iterable[Node]) -> Package | None:
        owners = self.inventory.owners
        return next((owner for node in names if (owner := owners.get(node.path)) is not None), None)

    @cached_property
    def elf_files(self) -> dict[str, Elf]:
        """What is known of ELF files, by live path."""
        live = self.facts.live(elf.COLLECTOR)
        return {path: found for path, fact in live if (found := elf.of(fact)) is not None}

    @cached_property
    def instructions(self) -> list[str]:
        """For each layer what made it; empty where the history does not say."""
        made = self.config.instructions()
        return made if len(made) == len(self.ledger.layers) else [""] * len(self.ledger.layers)

    def suspect(
        self, name: str, title: str, reason: str, remedy: str, portions: Iterable[Portion]
    ) -> Finding | None:
        """A finding over live bytes with the id `name`; None where there are none. `portions` are sorted by path."""
        parts = [portion for portion in portions if portion[1]]
        if not parts:
            return None
        owner_of = self.owners.get
        items = self._items(parts)
        items.sort(key=itemgetter(2), reverse=True)
        wire = added_wire([item.wire for item in items])
        items += [
            Item(
                other.path, file.layer, 0, None if self.ledger.shares[file.layer] is None else 0, file.number
            )
            for file, _ in parts
            for other in self.other_names(file)
        ]
        return Finding(
            id=name,
            kind=SUSPECT,
            title=title,
            reason=reason,
            remedy=remedy,
            unpacked=sum([size for _, size in parts]),
            wire=wire,
            items=tuple(items),
            causes=self.causes([(file.layer, owner_of(file.path), size) for file, size in parts]),
        )

    def _items(self, portions: Iterable[Portion]) -> list[Item]:
        """An item for each of `portions`; of a part of a content the same part of its wire bytes."""
        shares = self.ledger.shares
        items = []
        for file, size in portions:
            layer, number, whole = file.layer, file.number, file.entry.size
            share = shares[layer]
            wire = share[number] if share is not None else None
            if size != whole:
                number, wire = -1, None if wire is None else wire * size // whole
            items.append(tuple.__new__(Item, (file.path, layer, size, wire, number)))
        return items

    def causes(self, parts: Iterable[tuple[int, Package | None, int]]) -> tuple[Cause, ...]:
        """Who brought bytes that are given as layer, owner and size: by layer and owner, largest first."""
        sums: dict[tuple[int, int], int] = {}
        owners: dict[int, Package | None] = {}
        for layer, owner, size in parts:
            key = layer, id(owner)
            if key in sums:
                sums[key] += size
            else:
                sums[key] = size
                owners[id(owner)] = owner
        labels = {number: owner.label if owner is not None else "" for number, owner in owners.items()}
        causes = [
            Cause(layer, self.instructions[layer], labels[number], size, BROUGHT)
            for (layer, number), size in sums.items()
        ]
        causes.sort(key=lambda cause: (-cause.unpacked, cause.layer, cause.package))
        return tuple(causes)


def by_size(item: Item) -> tuple[int, str, int]:
    """Sorts items: largest first, then by path and layer."""
    return -item.unpacked, item.path, item.layer


def added_wire(sizes: Iterable[int | None]) -> int | None:
    """The sum of wire sizes; None where one is unknown."""
    known = list(sizes)
    return None if None in known else sum(filter(None, known))
