"""Takes the inventory of an image: its packages, and who owns each path."""

from __future__ import annotations

from collections.abc import Sequence

from deadweight.inventory import elf, system
from deadweight.inventory.model import Inventory, Package
from deadweight.inventory.reader import Facts, Problem, Reader
from deadweight.inventory.readers import READERS
from deadweight.layer.collect import Collector
from deadweight.tree.node import Tree


def collectors(readers: Sequence[Reader] = READERS) -> tuple[Collector, ...]:
    """Everything that an inventory needs to be collected while layers are indexed, each collector once."""
    every: list[Collector] = [system.COLLECTOR, elf.COLLECTOR]
    every += [collector for reader in readers for collector in reader.collectors]
    return tuple({collector.name: collector for collector in every}.values())


def take_inventory(tree: Tree, facts: Facts, readers: Sequence[Reader] = READERS) -> Inventory:
    """The packages that `tree` shows, by the `facts` of layers that were indexed with `collectors(readers)`.

    A path that several packages claim belongs to the one whose reader comes first, then to the first in the order of the
    packages.
    """
    claims: list[Package] = []
    problems: list[str] = []
    for reader in readers:
        found = list(reader.read(tree, facts))
        problems += [str(item) for item in found if isinstance(item, Problem)]
        claims += sorted((item for item in found if isinstance(item, Package)), key=_order)
    owners = {path: package for package in reversed(claims) for path in package.paths}
    packages = sorted((package for package in claims if not package.removed), key=_order)
    return Inventory(tuple(packages), owners, system.distribution(tree, facts), tuple(sorted(problems)))


def _order(package: Package) -> tuple[str, str, str, str, str]:
    return package.ecosystem, package.name, package.version, package.architecture, package.source
