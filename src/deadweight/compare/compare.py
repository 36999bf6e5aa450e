"""Compares two analyses, path by path, and adds up the changes by package, directory and layer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from deadweight.accounting.model import Analysis
from deadweight.compare.model import (
    ADDED,
    CHANGED,
    REMOVED,
    Comparison,
    DirectoryChange,
    FileChange,
    LayerChange,
    PackageChange,
    SetSizes,
    Sizes,
)
from deadweight.inventory.model import Inventory
from deadweight.oci.digest import Digest
from deadweight.tree.node import Tree


class _File(NamedTuple):
    size: int
    digest: bytes


def compare(old: Analysis, new: Analysis) -> Comparison:
    """The changes from `old` to `new`. The deltas of all files add up to the change of live bytes."""
    before, after = _files(old.merged.tree), _files(new.merged.tree)
    files = _file_changes(before, after, old.inventory, new.inventory)
    by_owner: dict[str, int] = defaultdict(int)
    for change in files:
        by_owner[change.owner] += change.delta
    shared = _layers_of(old) & _layers_of(new)
    return Comparison(
        old=_sizes(old, len(before)),
        new=_sizes(new, len(after)),
        packages=_package_changes(old.inventory, new.inventory, by_owner),
        directories=_directory_changes(files),
        layers=(*_layer_changes(old, shared, REMOVED), *_layer_changes(new, shared, ADDED)),
        shared_layers=len(shared),
        files=tuple(files),
        unowned=by_owner[""],
    )


def registry_size(analyses: Iterable[Analysis]) -> SetSizes:
    """What the layers of all `analyses` take together, identical ones once."""
    layers = {layer.diff_id: layer for analysis in analyses for layer in analysis.layers}
    wires = [layer.wire for layer in layers.values()]
    known = [wire for wire in wires if wire is not None]
    return SetSizes(
        wire=sum(known) if len(known) == len(wires) else None,
        unpacked=sum(layer.unpacked for layer in layers.values()),
    )


def _files(tree: Tree) -> dict[str, _File]:
    """Each regular file's path with its size; of several names of one content the first by name has it, the others 0."""
    names: dict[tuple[int, int], str] = {}
    files: dict[str, _File] = {}
    for path, node in tree.walk():
        if not node.is_file:
            continue
        key = node.layer, node.number
        first = names.setdefault(key, path)
        if path < first:
            files[first] = files[first]._replace(size=0)
            names[key] = first = path
        files[path] = _File(node.entry.size if path == first else 0, node.entry.digest)
    return files


def _sizes(analysis: Analysis, files: int) -> Sizes:
    return Sizes(
        reference=analysis.reference,
        digest=analysis.digest,
        wire=analysis.wire,
        unpacked=analysis.unpacked,
        live=analysis.classes["live"],
        files=files,
        packages=len(analysis.inventory.packages),
    )


def _file_changes(
    before: Mapping[str, _File], after: Mapping[str, _File], old: Inventory, new: Inventory
) -> list[FileChange]:
    changes = []
    for path in before.keys() | after.keys():
        was, now = before.get(path), after.get(path)
        if was == now:
            continue
        owner = (new if now is not None else old).owners.get(path)
        kind = ADDED if was is None else REMOVED if now is None else CHANGED
        delta = (now.size if now else 0) - (was.size if was else 0)
        changes.append(FileChange(path, kind, delta, owner.label if owner else ""))
    changes.sort(key=lambda change: (-abs(change.delta), change.path))
    return changes


def _package_changes(
    old: Inventory, new: Inventory, by_owner: Mapping[str, int]
) -> tuple[PackageChange, ...]:
    before, after = _versions(old), _versions(new)
    changes = []
    for label in before.keys() | after.keys():
        was, now = before.get(label, ""), after.get(label, "")
        delta = by_owner.get(label, 0)
        if was != now or delta:
            kind = ADDED if label not in before else REMOVED if label not in after else CHANGED
            changes.append(PackageChange(label, kind, was, now, delta))
    changes.sort(key=lambda change: (-abs(change.delta), change.label))
    return tuple(changes)


def _versions(inventory: Inventory) -> dict[str, str]:
    """Label -> version; of several packages of one name all versions."""
    versions: dict[str, list[str]] = defaultdict(list)
    for package in inventory.packages:
        if package.version not in versions[package.label]:
            versions[package.label].append(package.version)
    return {label: ", ".join(found) for label, found in versions.items()}


def _directory_changes(files: Sequence[FileChange]) -> tuple[DirectoryChange, ...]:
    deltas: dict[str, int] = defaultdict(int)
    counts: dict[str, int] = defaultdict(int)
    for change in files:
        directory = change.path.rpartition("/")[0]
        while directory:
            deltas[directory] += change.delta
            counts[directory] += 1
            directory = directory.rpartition("/")[0]
    # A directory whose every change lies in one directory below it would only repeat that one.
    repeated = {
        path.rpartition("/")[0] for path in counts if counts[path] == counts.get(path.rpartition("/")[0])
    }
    changes = [
        DirectoryChange(path, delta, counts[path])
        for path, delta in deltas.items()
        if delta and path not in repeated
    ]
    changes.sort(key=lambda change: (-abs(change.delta), change.path))
    return tuple(changes)


def _layers_of(analysis: Analysis) -> set[Digest]:
    return {layer.diff_id for layer in analysis.layers}


def _layer_changes(analysis: Analysis, shared: set[Digest], kind: str) -> list[LayerChange]:
    changes = [
        LayerChange(kind, layer.position, layer.diff_id, layer.instruction, layer.wire, layer.unpacked)
        for layer in analysis.layers
        if layer.diff_id not in shared
    ]
    return sorted(changes, key=lambda change: -change.unpacked)
