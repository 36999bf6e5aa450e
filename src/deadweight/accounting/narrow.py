"""An analysis narrowed to a layer, a directory or an owner: the same report over fewer bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain

from deadweight.accounting.ledger import Row
from deadweight.accounting.model import Analysis, Cause, Finding, Item, LayerSummary, OwnerSummary
from deadweight.errors import NotFound
from deadweight.inventory.model import Package
from deadweight.tree.merge import CLASSES

Selection = Callable[[int, str], bool]
"""Whether a content, by its layer's position and its path, is wanted."""


def in_layer(analysis: Analysis, position: int) -> Selection:
    """What the layer at `position` (0 is the base) brought. Raises `NotFound`."""
    if not 0 <= position < len(analysis.layers):
        raise NotFound(f"layer {position + 1}", f"is not in {analysis.reference}", _layers_known(analysis))
    return lambda layer, path: layer == position


def below(analysis: Analysis, path: str) -> Selection:
    """The file or directory at `path` and all below it. Raises `NotFound` where no layer has a file there."""
    wanted = path.strip("/")
    prefix = wanted + "/" if wanted else ""

    def chosen(layer: int, found: str) -> bool:
        return found == wanted or found.startswith(prefix)

    if wanted and not any(chosen(row.layer, row.entry.path) for row in _rows(analysis)):
        raise NotFound(path, f"no layer of {analysis.reference} has a file there")
    return chosen


def owned_by(analysis: Analysis, owner: str) -> Selection:
    """What the package ``name`` or ``ecosystem:name`` owns; ``none`` for what no package owns. Raises `NotFound`."""
    owners = analysis.inventory.owners
    if owner == "none":
        return lambda layer, path: path not in owners
    labels = {
        package.label for package in analysis.inventory.packages if owner in (package.name, package.label)
    }
    if not labels:
        raise NotFound(owner, f"is no package of {analysis.reference}", _nearest_package(analysis, owner))
    return lambda layer, path: (package := owners.get(path)) is not None and package.label in labels


def narrow(analysis: Analysis, selections: Iterable[Selection]) -> Analysis:
    """The part of `analysis` that all `selections` want. Its classes still add up to its unpacked bytes.

    Actions are for whole images: there are none.
    """
    wanted = list(selections)

    def chosen(layer: int, path: str) -> bool:
        return all(selection(layer, path) for selection in wanted)

    rows = [row for row in _rows(analysis) if chosen(row.layer, row.entry.path)]
    layers = tuple(
        _layer(layer, [row for row in rows if row.layer == layer.position]) for layer in analysis.layers
    )
    return replace(
        analysis,
        wire=_wire(row.wire for row in rows),
        unpacked=sum(row.entry.size for row in rows),
        classes=_classes(rows),
        layers=tuple(layer for layer in layers if layer.files),
        owners=_owners(analysis, rows),
        findings=_findings(analysis.findings, chosen),
        actions=(),
        secrets=tuple(secret for secret in analysis.secrets if chosen(secret.layer, secret.path)),
    )


def _rows(analysis: Analysis) -> Iterator[Row]:
    return chain(analysis.ledger.live(), analysis.ledger.dead())


def _layer(layer: LayerSummary, rows: list[Row]) -> LayerSummary:
    return replace(
        layer,
        wire=_wire(row.wire for row in rows),
        unpacked=sum(row.entry.size for row in rows),
        files=len(rows),
        classes=_classes(rows),
    )


def _classes(rows: Iterable[Row]) -> dict[str, int]:
    sums = dict.fromkeys(CLASSES, 0)
    for row in rows:
        sums[row.kind] += row.entry.size
    return sums


def _owners(analysis: Analysis, rows: list[Row]) -> tuple[OwnerSummary, ...]:
    owners = analysis.inventory.owners
    sums: dict[Package | None, list[Row]] = {}
    for row in rows:
        if row.fate is None:
            sums.setdefault(owners.get(row.entry.path), []).append(row)
    summaries = [
        OwnerSummary(package, len(own), sum(row.entry.size for row in own), _wire(row.wire for row in own))
        for package, own in sums.items()
    ]
    return tuple(
        sorted(summaries, key=lambda owner: (-owner.unpacked, owner.package.label if owner.package else ""))
    )


def _findings(findings: Iterable[Finding], chosen: Selection) -> tuple[Finding, ...]:
    narrowed = []
    for finding in findings:
        items = tuple(item for item in finding.items if chosen(item.layer, item.path))
        if items:
            narrowed.append(_finding(finding, items))
    return tuple(sorted(narrowed, key=lambda finding: (finding.kind, -finding.unpacked, finding.id)))


def _finding(finding: Finding, items: tuple[Item, ...]) -> Finding:
    if len(items) == len(finding.items):
        return finding
    causes: tuple[Cause, ...] = ()  # they are of the whole finding
    unpacked = sum(item.unpacked for item in items)
    return replace(
        finding,
        items=items,
        causes=causes,
        unpacked=unpacked,
        wire=_wire(item.wire for item in items),
        exact=False,
    )


def _wire(sizes: Iterable[int | None]) -> int | None:
    total = 0
    for size in sizes:
        if size is None:
            return None
        total += size
    return total


def _layers_known(analysis: Analysis) -> str:
    return f"it has the layers 1 to {len(analysis.layers)}" if analysis.layers else "it has no layers"


def _nearest_package(analysis: Analysis, owner: str) -> str:
    from difflib import get_close_matches

    names = {package.name for package in analysis.inventory.packages}
    near = get_close_matches(owner, names, 1)
    return f"did you mean {near[0]!r}?" if near else "--owner none is for what no package owns"
