"""What finders look at: the live contents of an image, each once with all its names, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

from deadweight.accounting.ledger import Ledger
from deadweight.accounting.model import BROUGHT, SUSPECT, Cause, Finding, Item
from deadweight.inventory import elf
from deadweight.inventory.elf import Elf
from deadweight.inventory.model import Inventory, Package
from deadweight.inventory.reader import Facts
from deadweight.layer.entry import FILE, SYMLINK, Entry
from deadweight.oci.config import ImageConfig
from deadweight.tree.merge import Merged


class LiveFile(NamedTuple):
    """A live content. `names` are its paths in the merged tree, sorted; `path` is the first of them."""

    path: str
    entry: Entry
    layer: int
    number: int
    wire: int | None
    names: tuple[str, ...]
    owner: Package | None
    """Who owns the first name that is owned."""


Portion = tuple[LiveFile, int]
"""So many bytes of a live content."""


@dataclass(frozen=True)
class View:
    """One image, merged, owned and accounted for."""

    config: ImageConfig
    ledger: Ledger
    merged: Merged
    inventory: Inventory
    facts: Facts

    @property
    def files(self) -> list[LiveFile]:
        """Every live content, sorted by path."""
        return self._walked[0]

    @property
    def links(self) -> list[tuple[str, str]]:
        """Every symbolic link with its target, as it stands."""
        return self._walked[1]

    @cached_property
    def _walked(self) -> tuple[list[LiveFile], list[tuple[str, str]]]:
        shares = self.ledger.shares
        owner_of = self.inventory.owners.get
        found: list[list[LiveFile | None]] = [[None] * len(index.entries) for index in self.ledger.layers]
        more_names: dict[tuple[int, int], list[str]] = {}
        links: list[tuple[str, str]] = []
        for node in self.merged.tree.leaves:
            path, entry = node.path, node.entry
            kind = entry.kind
            if kind == FILE:
                layer, number = node.layer, node.number
                if found[layer][number] is not None:
                    more_names.setdefault((layer, number), []).append(path)
                    continue
                share = shares[layer]
                wire = share[number] if share is not None else None
                fields = (path, entry, layer, number, wire, (path,), owner_of(path))
                found[layer][number] = tuple.__new__(LiveFile, fields)
            elif kind == SYMLINK:
                links.append((path, entry.link))
        for (layer, number), names in more_names.items():
            first = found[layer][number]
            if first is not None:
                names = sorted((first.path, *names))
                owner = next((owner for name in names if (owner := owner_of(name)) is not None), None)
                found[layer][number] = first._replace(path=names[0], names=tuple(names), owner=owner)
        files = [file for layer_files in found for file in layer_files if file is not None]
        files.sort(key=itemgetter(0))
        return files, links

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
        items = _items(parts)
        items.sort(key=itemgetter(2), reverse=True)
        wire = added_wire([item.wire for item in items])
        items += [
            Item(other, file.layer, 0, None if file.wire is None else 0, file.number)
            for file, _ in parts
            if len(file.names) > 1
            for other in file.names[1:]
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
            causes=self.causes((file.layer, file.owner, size) for file, size in parts),
        )

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


def _items(portions: Iterable[Portion]) -> list[Item]:
    """An item for each of `portions`; of a part of a content the same part of its wire bytes."""
    items = []
    for (path, entry, layer, number, wire, _, _), size in portions:
        if size != entry.size:
            number = -1
            wire = None if wire is None else wire * size // entry.size
        items.append(tuple.__new__(Item, (path, layer, size, wire, number)))
    return items


def by_size(item: Item) -> tuple[int, str, int]:
    """Sorts items: largest first, then by path and layer."""
    return -item.unpacked, item.path, item.layer


def added_wire(sizes: Iterable[int | None]) -> int | None:
    """The sum of wire sizes; None where one is unknown."""
    known = list(sizes)
    return None if None in known else sum(size for size in known if size)
