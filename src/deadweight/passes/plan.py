"""What becomes of each entry of an image's layers when only some names of the merged tree are to stay.

An entry stays where it is if the merged tree shows its name, its bytes as they are unless its path or the target of a
hard link led through what goes. A content whose name goes while a hard link to it stays is carried by the first of
the names that stay. Entries of directories stay also where a later layer states the directory again: they cost nothing
on the wire, and a layer that loses nothing else keeps its digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from deadweight.layer.entry import DIRECTORY, FILE, Entry
from deadweight.layer.index import LayerIndex
from deadweight.passes.paths import Paths
from deadweight.passes.staying import Place, Staying, origin, placed
from deadweight.passes.steps import LAST, Carried, LayerPlan, Made, Refilled, Renamed, Same, Step
from deadweight.tree.node import Node, Tree


def plan_layers(
    indexes: Sequence[LayerIndex],
    tree: Tree,
    staying: Staying,
    replaced: Mapping[str, bytes],
    base: Tree | None = None,
    keep_layers: int = 0,
) -> list[LayerPlan]:
    """A plan for each layer, of which the first `keep_layers`, whose tree is `base`, stay as they are.

    `replaced` has the new contents of regular files by path. Whiteouts are left out.
    """
    planner = _Planner(indexes, tree, staying, replaced, base, keep_layers)
    planner.leaves()
    planner.directories()
    return planner.plans()


class _Planner:
    def __init__(
        self,
        indexes: Sequence[LayerIndex],
        tree: Tree,
        staying: Staying,
        replaced: Mapping[str, bytes],
        base: Tree | None,
        keep_layers: int,
    ) -> None:
        self._indexes = indexes
        self._staying = staying
        self._replaced = replaced
        self._keep_layers = keep_layers
        self._paths = Paths(tree.root, staying)
        self._base_names = _first_names(base, staying) if base is not None else {}
        self._steps: list[list[Step]] = [[] for _ in indexes]
        self._carried: list[set[int]] = [set() for _ in indexes]

    def plans(self) -> list[LayerPlan]:
        plans = []
        for position, (index, steps) in enumerate(zip(self._indexes, self._steps, strict=True)):
            if position < self._keep_layers:
                steps = [Same(number, entry) for number, entry in enumerate(index.entries)]
            else:
                steps.sort(key=_order)
            plans.append(LayerPlan(steps, frozenset(self._carried[position])))
        return plans

    def directories(self) -> None:
        """The entries of directories that stay, but those of a directory that no entry made in the end."""
        known = self._staying.directories
        for position, index in enumerate(self._indexes[self._keep_layers :], self._keep_layers):
            steps = self._steps[position]
            for number, entry in enumerate(index.entries):
                if entry.kind == DIRECTORY:
                    node = known.get(entry.path)
                    if node is not None and origin(node) > (position, number):
                        steps.append(Same(number, entry))
        for node in known.values():
            if node.layer >= self._keep_layers:
                self._entry(node, node.layer, node.number)
        self._empty_directories()

    def _empty_directories(self) -> None:
        """Entries for directories that none made, and that nothing is left in."""
        stays = self._staying
        certain = (node for node in stays.nodes() if node.path not in stays.optional)
        needed = {node.parent.path for node in certain if node.parent is not None} | stays.optional
        used = (number for number, steps in enumerate(self._steps) if steps)
        last = len(self._steps) - 1
        # Above base layers there are whiteouts too, which must not come after it.
        top = last if self._keep_layers else max(used, default=last)
        for path in sorted(stays.directories.keys() - needed):
            node = stays.directories[path]
            if node.layer < 0 and path and top >= self._keep_layers:
                self._add(top, Made(LAST, node.entry._replace(path=path)))

    def leaves(self) -> None:
        """The entries of everything else."""
        for node in self._staying.leaves.values():
            if node.touched < self._keep_layers:
                continue
            if node.path in self._replaced and node.entry.kind == FILE:
                self._refill(node, self._replaced[node.path])
            elif origin(node) not in self._staying.names:
                self._entry(node, node.layer, node.number)
        for place, names in self._staying.names.items():
            names = [node for node in names if node.path not in self._replaced or node.entry.kind != FILE]
            if names:
                self._group(place, names)

    def _entry(self, node: Node, position: int, number: int) -> None:
        entry = self._indexes[position].entries[number]
        leads = self._leads(entry.path, node, (position, number))
        self._add(position, Same(number, entry) if leads else Renamed(number, entry._replace(path=node.path)))

    def _leads(self, path: str, node: Node, place: Place) -> bool:
        """Whether `path` names `node` in the rewritten layers, when the entry at `place` comes."""
        if path == node.path:
            return True
        directory, _, name = path.rpartition("/")
        parent, after = self._paths.directory(directory)
        return parent is node.parent and name == node.name and after < place

    def _refill(self, node: Node, content: bytes) -> None:
        entry = node.entry._replace(
            path=node.path, size=len(content), digest=hashlib.sha256(content).digest()
        )
        same = placed(node) == origin(node)
        step = Refilled(node.named, entry, content) if same else Made(node.named, entry, content)
        self._add(node.touched, step)

    def _group(self, place: Place, names: Sequence[Node]) -> None:
        """The names of the content at `place`: one carries it, the others are hard links."""
        if place[0] < self._keep_layers:
            carrier = self._base_names[place]
            there = {node.path: placed(node) for node in names if node.touched < self._keep_layers}
            links = [node for node in names if node.touched >= self._keep_layers]
        else:
            carrier = names[0].path
            there = {carrier: self._carry(names[0], place)}
            links = list(names[1:])
        for node in links:
            self._link(node, carrier, there)
            there[node.path] = placed(node)

    def _carry(self, node: Node, place: Place) -> Place:
        """Gives `node` the content at `place`, and says where."""
        entry = node.entry._replace(path=node.path)
        if placed(node) == place:
            self._entry(node, *place)
        elif node.touched == place[0]:
            self._add(place[0], Renamed(place[1], entry))
        else:
            self._carried[place[0]].add(place[1])
            self._add(node.touched, Carried(node.named, entry, place))
            return placed(node)
        return place

    def _link(self, node: Node, carrier: str, there: Mapping[str, Place]) -> None:
        """The hard link that `node` is: as it stands if it leads to one of the names that are `there`."""
        position, number = placed(node)
        entry: Entry = self._indexes[position].entries[number]
        leads = self._leads(entry.path, node, (position, number))
        path = entry.path if leads else node.path
        directory, _, name = entry.link.rpartition("/")
        parent, after = self._paths.directory(directory)
        target = f"{parent.path}/{name}" if parent.path else name
        found = after < (position, number) and there.get(target, (position, number)) < (position, number)
        if leads and found:
            self._add(position, Same(number, entry))
        else:
            changed = entry._replace(path=path, link=entry.link if found else carrier)
            self._add(position, Renamed(number, changed))

    def _add(self, position: int, step: Step) -> None:
        self._steps[position].append(step)


def _first_names(base: Tree, staying: Staying) -> dict[Place, str]:
    """A name in `base` of each content there that has hard links."""
    found: dict[Place, str] = {}
    for node in base.leaves:
        if origin(node) in staying.names:
            found.setdefault(origin(node), node.path)
    return found


def _order(step: Step) -> tuple[int, bool]:
    # What takes the content of an entry comes after what takes its header only.
    return step.number, isinstance(step, Renamed | Same)
