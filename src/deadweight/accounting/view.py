"""What finders look at: the live contents of an image, each once with all its names, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

from deadweight.accounting.ledger import Ledger
from deadweight.accounting.model import BROUGHT, Cause, Finding, Item
from deadweight.inventory import elf
from deadweight.inventory.model import Inventory, Package
from deadweight.inventory.reader import Facts
from deadweight.layer.collect import Fact
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


@dataclass(frozen=True)
class View:
    """One image, merged, owned and accounted for."""

    config: ImageConfig
    ledger: Ledger
    merged: Merged
    inventory: Inventory
    facts: Facts

    @cached_property
    def files(self) -> list[LiveFile]:
        """Every live content, sorted by path."""
        shares = self.ledger.shares
        found: list[list[LiveFile | None]] = [[None] * len(index.entries) for index in self.ledger.layers]
        more_names: dict[tuple[int, int], list[str]] = {}
        for path, node in self.merged.tree.walk():
            entry = node.entry
            if entry.kind != FILE:
                continue
            layer, number = node.layer, node.number
            if found[layer][number] is not None:
                more_names.setdefault((layer, number), []).append(path)
                continue
            share = shares[layer]
            wire = share[number] if share is not None else None
            fields = (path, entry, layer, number, wire, (path,))
            found[layer][number] = tuple.__new__(LiveFile, fields)
        for (layer, number), names in more_names.items():
            first = found[layer][number]
            if first is not None:
                names = sorted((first.path, *names))
                found[layer][number] = first._replace(path=names[0], names=tuple(names))
        files = [file for layer_files in found for file in layer_files if file is not None]
        files.sort(key=_path)
        return files

    @cached_property
    def links(self) -> list[tuple[str, str]]:
        """Every symbolic link with its target, as it stands."""
        return [
            (path, node.entry.link) for path, node in self.merged.tree.walk() if node.entry.kind == SYMLINK
        ]

    @cached_property
    def elf_facts(self) -> dict[str, Fact]:
        """What is known of ELF files, by live path."""
        return dict(self.facts.live(elf.COLLECTOR))

    @cached_property
    def instructions(self) -> list[str]:
        """For each layer what made it; empty where the history does not say."""
        made = self.config.instructions()
        return made if len(made) == len(self.ledger.layers) else [""] * len(self.ledger.layers)

    def item(self, file: LiveFile) -> Item:
        """`file` as an item that goes whole."""
        return Item(file.path, file.layer, file.entry.size, file.wire)

    def suspect(
        self, name: str, title: str, reason: str, remedy: str, items: Iterable[Item]
    ) -> Finding | None:
        """A finding over live bytes with the id `name`; None where there are none."""
        ordered = tuple(sorted([item for item in items if item.unpacked], key=by_size))
        if not ordered:
            return None
        return Finding(
            id=name,
            kind="suspect",
            title=title,
            reason=reason,
            remedy=remedy,
            unpacked=sum(item.unpacked for item in ordered),
            wire=added_wire(item.wire for item in ordered),
            items=ordered,
            causes=self.causes(ordered),
        )

    def causes(self, items: Iterable[Item]) -> tuple[Cause, ...]:
        """Who brought `items`: by layer and owning package, largest first."""
        owner_of = self.inventory.owners.get
        sums: dict[tuple[int, int], int] = {}
        packages: dict[int, Package | None] = {}
        for path, layer, unpacked, _ in items:
            owner = owner_of(path)
            key = layer, id(owner)
            if key in sums:
                sums[key] += unpacked
            else:
                sums[key] = unpacked
                packages[id(owner)] = owner
        causes = [
            Cause(
                layer,
                self.instructions[layer],
                package.label if package is not None else "",
                unpacked,
                BROUGHT,
            )
            for (layer, number), unpacked in sums.items()
            for package in (packages[number],)
        ]
        causes.sort(key=lambda cause: (-cause.unpacked, cause.layer, cause.package))
        return tuple(causes)


_path = itemgetter(0)


def by_size(item: Item) -> tuple[int, str, int]:
    """Sorts items: largest first, then by path and layer."""
    return -item.unpacked, item.path, item.layer


def added_wire(sizes: Iterable[int | None]) -> int | None:
    """The sum of wire sizes; None where one is unknown."""
    total = 0
    for size in sizes:
        if size is None:
            return None
        total += size
    return total
