"""What the treemap of the HTML report shows, and how it is packed into the page.

A treemap has one cell for each content of each layer, live or not. The pack is deflated (RFC 1951): the
length of a JSON header in four bytes (little endian), the header, then the columns and lists of names that it
describes. Numbers are split into planes (all lowest bytes, then all second bytes, and so on), names end with a
newline. assets/data.js reads it.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain

from deadweight.accounting.ledger import Ledger
from deadweight.accounting.model import DEAD, SUSPECT, Analysis, Finding
from deadweight.inventory.model import Inventory, Package
from deadweight.layer.entry import FILE, WHITEOUT_PREFIX
from deadweight.report.units import printable
from deadweight.tree.merge import CLASSES, DELETED, LIVE, RESTATED, SUPERSEDED, Merged

MAX_LABEL = 2000
"""Characters of an instruction that are kept."""

CONTENT = 0
"""The kind of a cell with a content."""
NAME = 1
"""One more name (hard link) of a content that is counted at another."""
ENTRIES = 2
"""All that a layer holds besides contents: directories, links, whiteouts. They take bytes on the wire only."""

UNOWNED = "no owner"

Marks = tuple[tuple[int, int], ...]
"""Categories that lie over a cell or a part of it, each with its unpacked bytes."""


@dataclass(frozen=True, slots=True)
class Category:
    """How a cell is coloured, and a line of the legend.

    `hue` picks one of the page's colours, of which 0 is the quiet one; `pattern` is drawn over it, so that colour
    is not the only sign.
    """

    id: str
    label: str
    kind: str
    hue: int
    pattern: str


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells as columns of equal length: an object for each would cost more than all the rest."""

    path: list[str] = field(default_factory=list)
    layer: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    unpacked: list[int] = field(default_factory=list)
    wire: list[int] = field(default_factory=list)
    """0 where it is unknown."""
    category: list[int] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    marks: list[Marks] = field(default_factory=list)

    def add_empty(self, kind: int, path: str, owner: int, marks: Marks) -> None:
        """Adds a cell without bytes; its layer is left to be added."""
        self.path.append(path)
        self.kind.append(kind)
        self.unpacked.append(0)
        self.wire.append(0)
        self.category.append(0)
        self.owner.append(owner)
        self.marks.append(marks)


@dataclass(frozen=True, slots=True)
class Words:
    """What the page calls the two sides of what it shows."""

    live: str
    """The class of a live cell that is not coloured."""
    marked: str
    """The class of a live cell that is."""
    legend: str
    """The line of the legend for the first."""
    flagged: str
    """The column for the bytes of what is coloured."""
    marks: str
    """The name of the list of categories of a cell."""
    note: str
    """The name of its note."""


OF_ANALYSIS = Words("Live", "Live", "Live, not suspect", "Flagged", "Findings", "Note")


@dataclass(frozen=True, slots=True)
class Notes:
    """A sentence about each cell: its number, and the sentences; 0 is none."""

    numbers: Sequence[int] = ()
    texts: Sequence[str] = ()


NO_NOTES = Notes()


@dataclass(frozen=True, slots=True)
class Treemap:
    """All cells, by layer and entry, and the labels of what they refer to by number."""

    categories: tuple[Category, ...]
    layers: tuple[str, ...]
    owners: tuple[str, ...]
    wire_known: tuple[bool, ...]
    """By layer: whether the `wire` of its cells means anything."""
    cells: Cells
    words: Words = OF_ANALYSIS
    notes: Notes = NO_NOTES

    @property
    def suspect(self) -> int:
        """The unpacked bytes of live contents that are coloured: each byte once, though findings overlap."""
        pairs = zip(self.cells.category, self.cells.marks, strict=True)
        return sum(_widest(marks)[1] for category, marks in pairs if marks and category > len(CLASSES))


def treemap(analysis: Analysis) -> Treemap:
    """The treemap of `analysis`: each row of its ledger, each further name, and each layer's other entries."""
    instructions = {layer.position: layer.instruction for layer in analysis.layers}
    return build(
        analysis.ledger,
        analysis.merged,
        analysis.inventory,
        [instructions.get(layer, "") for layer in range(len(analysis.ledger.layers))],
        analysis.findings,
        _categories(analysis.findings),
    )


def build(
    ledger: Ledger,
    merged: Merged,
    inventory: Inventory,
    instructions: Sequence[str],
    findings: Sequence[Finding],
    categories: Mapping[str, Category],
) -> Treemap:
    """A treemap of an image in which `findings` lie over the cells; `categories` by id, those of the classes first."""
    owners = _Owners(inventory)
    return Treemap(
        tuple(categories.values()),
        tuple(instruction[:MAX_LABEL] for instruction in instructions),
        tuple(owners.labels),
        tuple(shares is not None for shares in ledger.shares),
        _cells(ledger, merged, findings, categories, owners),
    )


def _cells(
    ledger: Ledger,
    merged: Merged,
    findings: Sequence[Finding],
    categories: Mapping[str, Category],
    owners: _Owners,
) -> Cells:
    layers = len(ledger.layers)
    names, further = _names(merged, layers)
    live_marks = _marks(findings, categories, SUSPECT, layers)
    dead_marks = _marks(findings, categories, DEAD, layers)
    cells = Cells()
    for layer in range(layers):
        first = len(cells.path)
        _add_contents(cells, ledger, layer, names[layer], live_marks[layer], dead_marks[layer])
        others = further[layer]
        contents = cells.path[first:]
        cells.owner.extend([owners.number(path) or owners.first(others.get(path, ())) for path in contents])
        cells.kind.extend([CONTENT] * len(contents))
        for path in chain.from_iterable(others.values()):
            cells.add_empty(NAME, path, owners.number(path), live_marks[layer].get(path, ()))
        shares = ledger.shares[layer]
        if shares is not None:
            wire = sum(shares) - sum(cells.wire[first:])
            cells.add_empty(ENTRIES, "", 0, ())
            cells.wire[-1] = wire
            cells.category[-1] = len(CLASSES)
        cells.layer.extend([layer] * (len(cells.path) - first))
    return cells


def _add_contents(
    cells: Cells,
    ledger: Ledger,
    layer: int,
    names: Mapping[int, str],
    live_marks: Mapping[str, Marks],
    dead_marks: Mapping[str, Marks],
) -> None:
    shares, fates = ledger.shares[layer], ledger.fates[layer]
    for number, entry in enumerate(ledger.layers[layer].entries):
        size = entry.size
        if entry.kind != FILE or (not size and _is_whiteout(entry.path)):
            continue
        fate = fates.get(number)
        if fate is None:
            path = names.get(number, entry.path)
            marks = live_marks.get(path, ())
            category = _colour(marks, size) if marks else 0
        else:
            path = entry.path
            marks = dead_marks.get(path, ())
            category = CLASSES.index(fate.kind)
        cells.path.append(path)
        cells.unpacked.append(size)
        cells.wire.append(shares[number] if shares is not None else 0)
        cells.category.append(category)
        cells.marks.append(marks)


def _is_whiteout(path: str) -> bool:
    return path.rpartition("/")[2].startswith(WHITEOUT_PREFIX)


def _widest(marks: Marks) -> tuple[int, int]:
    """The mark that gives a live cell its colour; of equals the last, that of the smallest finding."""
    widest = marks[0] if len(marks) == 1 else max(reversed(marks), key=lambda mark: mark[1])
    return widest if widest[1] else (0, 0)


def _colour(marks: Marks, size: int) -> int:
    """The category of a live cell that `marks` lie over; an empty file is all of what any of them says."""
    return _widest(marks)[0] if size else marks[0][0]


def _names(merged: Merged, layers: int) -> tuple[list[dict[int, str]], list[dict[str, list[str]]]]:
    """By layer the path of each live content by its number, and by that path the further ones in order.

    Of several names the first in order has the bytes, as it has in findings.
    """
    names: list[dict[int, str]] = [{} for _ in range(layers)]
    more: list[dict[int, list[str]]] = [{} for _ in range(layers)]
    for path, node in merged.tree.walk():
        if node.entry.kind == FILE and names[node.layer].setdefault(node.number, path) is not path:
            more[node.layer].setdefault(node.number, []).append(path)
    further: list[dict[str, list[str]]] = [{} for _ in range(layers)]
    for layer, by_number in enumerate(more):
        for number, paths in by_number.items():
            first, *others = sorted((names[layer][number], *paths))
            names[layer][number] = first
            further[layer][first] = others
    return names, further


_CLASS_STYLES = {
    LIVE: (0, "plain"),
    SUPERSEDED: (1, "rising"),
    RESTATED: (2, "falling"),
    DELETED: (3, "crossed"),
}
_HUES = range(4, 9)
_PATTERNS = ("plain", "dotted", "level", "upright")


def _categories(findings: Sequence[Finding]) -> dict[str, Category]:
    """The classes, the other entries, then the findings that are not a class by another name."""
    return categories_of(findings, "Live", _PATTERNS)


def categories_of(findings: Sequence[Finding], live: str, patterns: Sequence[str]) -> dict[str, Category]:
    """The same with the label `live` for what is not coloured; the first findings get the first of `patterns`."""
    categories = {
        kind: Category(kind, kind.capitalize(), kind if kind == LIVE else DEAD, *_CLASS_STYLES[kind])
        for kind in CLASSES
    }
    categories[LIVE] = replace(categories[LIVE], label=live)
    categories["entries"] = Category("entries", "Directories, links", "other", 0, "plain")
    for finding in findings:
        if finding.id not in categories:
            place = len(categories) - len(CLASSES) - 1
            hue = _HUES[place % len(_HUES)]
            pattern = patterns[place // len(_HUES) % len(patterns)]
            categories[finding.id] = Category(finding.id, finding.title, finding.kind, hue, pattern)
    return categories


def _marks(
    findings: Sequence[Finding], categories: Mapping[str, Category], kind: str, layers: int
) -> list[dict[str, Marks]]:
    """By layer the marks of each path, from the findings of `kind`; a class needs none."""
    numbers = {name: number for number, name in enumerate(categories)}
    marks: list[dict[str, Marks]] = [{} for _ in range(layers)]
    for finding in findings:
        if finding.kind == kind and finding.id not in CLASSES:
            number = numbers[finding.id]
            for item in finding.items:
                of_layer = marks[item.layer]
                of_layer[item.path] = (*of_layer.get(item.path, ()), (number, item.unpacked))
    return marks


def owner_label(package: Package | None) -> str:
    """What the treemap calls an owner."""
    return f"{package.label} {package.version}".rstrip() if package is not None else UNOWNED


class _Owners:
    """Owners by number; 0 stands for none."""

    def __init__(self, inventory: Inventory) -> None:
        self.labels = [UNOWNED]
        self._owner = inventory.owners.get
        # By identity: hashing a package hashes every path that it owns.
        self._numbers = {id(None): 0}
        for package in (*inventory.packages, *inventory.owners.values()):
            if id(package) not in self._numbers:
                self._numbers[id(package)] = len(self.labels)
                self.labels.append(owner_label(package))

    def number(self, path: str) -> int:
        return self._numbers[id(self._owner(path))]

    def first(self, paths: Iterable[str]) -> int:
        """The owner of the first of `paths` that has one."""
        return next(filter(None, map(self.number, paths)), 0)


def pack(treemap: Treemap) -> bytes:
    """`treemap` as the page embeds it; paths and labels are made printable."""
    # zlib-ng is pinned, the standard library's zlib is whatever the system has: the same bytes everywhere.
    from zlib_ng import zlib_ng

    cells = treemap.cells
    directories = _Directories()
    paths = [path.rpartition("/") for path in cells.path]
    sets: dict[tuple[int, ...], int] = {}
    columns: dict[str, Sequence[int]] = {
        "directory": [directories.number(directory) for directory, _, _ in paths],
        "set": [sets.setdefault(tuple([mark[0] for mark in marks]), len(sets)) for marks in cells.marks],
        **{name: getattr(cells, name) for name in ("layer", "kind", "unpacked", "wire", "category", "owner")},
        "parent": directories.parents,
    }
    if treemap.notes.texts:
        columns["note"] = treemap.notes.numbers
    planes = {name: _planes(column) for name, column in columns.items()}
    texts = {"directoryName": _lines(directories.names), "name": _lines(name for _, _, name in paths)}
    head = {
        **_labels(treemap),
        "sets": list(sets),
        "parts": _parts(cells),
        "columns": [[name, len(columns[name]), len(planes[name])] for name in columns],
        "texts": [[name, len(text)] for name, text in texts.items()],
    }
    header = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    parts = [len(header).to_bytes(4, "little"), header, *map(b"".join, planes.values()), *texts.values()]
    deflate = zlib_ng.compressobj(6, zlib_ng.DEFLATED, -zlib_ng.MAX_WBITS)
    return deflate.compress(b"".join(parts)) + deflate.flush()


def _labels(treemap: Treemap) -> dict[str, object]:
    return {
        "categories": [
            {
                "id": printable(each.id),
                "label": printable(each.label),
                "kind": each.kind,
                "hue": each.hue,
                "pattern": each.pattern,
            }
            for each in treemap.categories
        ],
        "layers": [
            {"label": printable(label), "wire": known}
            for label, known in zip(treemap.layers, treemap.wire_known, strict=True)
        ],
        "owners": [printable(label) for label in treemap.owners],
        "words": asdict(treemap.words),
        "notes": [printable(text) for text in treemap.notes.texts],
    }


def _parts(cells: Cells) -> list[int]:
    """Number of the cell, category and unpacked bytes of each mark that does not lie over all of its cell."""
    parts: list[int] = []
    for number, (marks, unpacked) in enumerate(zip(cells.marks, cells.unpacked, strict=True)):
        for category, size in marks:
            if size != unpacked:
                parts += number, category, size
    return parts


class _Directories:
    """Directories by number, parents first; 0 is the root, its own parent."""

    def __init__(self) -> None:
        self.parents = [0]
        self.names = [""]
        self._numbers = {"": 0}
        self._children: list[dict[str, int]] = [{}]

    def number(self, path: str) -> int:
        known = self._numbers.get(path)
        if known is None:
            # One name at a time: a table of all prefixes would take the square of a hostile path's length.
            known = 0
            for name in path.split("/"):
                child = self._children[known].get(name)
                known = child if child is not None else self._add(known, name)
            self._numbers[path] = known
        return known

    def _add(self, parent: int, name: str) -> int:
        number = self._children[parent][name] = len(self.names)
        self.parents.append(parent)
        self.names.append(name)
        self._children.append({})
        return number


def _lines(texts: Iterable[str]) -> bytes:
    return "".join([(text if text.isprintable() else printable(text)) + "\n" for text in texts]).encode()


def _planes(column: Sequence[int]) -> list[bytes]:
    """The column's lowest bytes, its second bytes, and so on, as many as its largest number needs."""
    numbers = array("Q", column)
    if sys.byteorder == "big":
        numbers.byteswap()
    raw = numbers.tobytes()
    width = (max(column, default=0).bit_length() + 7) // 8
    return [raw[plane::8] for plane in range(width)]
