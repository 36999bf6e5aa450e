"""Holds an analysis against a budget and says what passes it, with the three biggest reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deadweight.accounting.model import DEAD, HID, Analysis
from deadweight.budget.baseline import Baseline
from deadweight.budget.settings import Budget

REASONS = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that takes bytes; `size` is unpacked, None for what has none (a secret, a layer count)."""

    text: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of a budget. `value` and `limit` are bytes for sizes, else counts; `value` is None where unknown."""

    key: str
    value: int | None
    limit: int
    is_size: bool
    reasons: tuple[Reason, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the limit is kept; what is unknown keeps no limit."""
        return self.value is not None and self.value <= self.limit


def check(analysis: Analysis, budget: Budget, baseline: Baseline | None) -> tuple[Verdict, ...]:
    """A verdict for each limit of `budget`; `baseline` is needed for growth only."""
    dead = analysis.unpacked - analysis.classes["live"]
    largest = _largest_files(analysis)
    verdicts = [
        _size("wire", analysis.wire, budget.wire, _weights(analysis)),
        _size("unpacked", analysis.unpacked, budget.unpacked, _weights(analysis)),
        _size("dead", dead, budget.dead, _dead(analysis)),
        _size("largest-file", largest[0].size or 0 if largest else 0, budget.largest_file, largest),
        _count("layers", len(analysis.layers), budget.layers, _smallest_layers(analysis)),
        _count("secrets", len(analysis.secrets), budget.secrets, _secrets(analysis)),
    ]
    if baseline is not None:
        verdicts.append(_growth(analysis, budget, baseline))
    return tuple(verdict for verdict in verdicts if verdict is not None)


def _size(key: str, value: int | None, limit: int | None, reasons: list[Reason]) -> Verdict | None:
    if limit is None:
        return None
    if value is None:
        unknown = Reason("the wire size is unknown: the layers are stored uncompressed; use --estimate-wire")
        return Verdict(key, None, limit, True, (unknown,))
    return Verdict(key, value, limit, True, tuple(reasons[:REASONS]) if value > limit else ())


def _count(key: str, value: int, limit: int | None, reasons: list[Reason]) -> Verdict | None:
    if limit is None:
        return None
    return Verdict(key, value, limit, False, tuple(reasons[:REASONS]) if value > limit else ())


def _growth(analysis: Analysis, budget: Budget, baseline: Baseline) -> Verdict | None:
    if budget.growth_percent is not None:
        limit = int(baseline.unpacked * budget.growth_percent / 100)
    elif budget.growth_bytes is not None:
        limit = budget.growth_bytes
    else:
        return None
    return _size("growth", analysis.unpacked - baseline.unpacked, limit, _grown(analysis, baseline))


def _weights(analysis: Analysis) -> list[Reason]:
    """What weighs most: findings that could go and packages, by size."""
    reasons = [Reason(finding.title, finding.unpacked) for finding in analysis.findings]
    for owner in analysis.owners:
        label = f"package {owner.package.label}" if owner.package else "files that no package owns"
        reasons.append(Reason(label, owner.unpacked))
    return _sorted(reasons)


def _dead(analysis: Analysis) -> list[Reason]:
    return _sorted(
        Reason(f"{finding.id}: {cause.instruction or 'layer ' + str(cause.layer + 1)}", cause.unpacked)
        for finding in analysis.findings
        if finding.kind == DEAD
        for cause in finding.causes
        if cause.role == HID
    )


def _largest_files(analysis: Analysis) -> list[Reason]:
    rows = ((row.entry.size, row.entry.path) for row in analysis.ledger.live())
    largest = sorted(rows, key=lambda row: (-row[0], row[1]))[:REASONS]
    return [Reason(path, size) for size, path in largest]


def _smallest_layers(analysis: Analysis) -> list[Reason]:
    layers = sorted(analysis.layers, key=lambda layer: (layer.unpacked, layer.position))
    return [
        Reason(
            f"layer {layer.position + 1} ({layer.instruction or layer.diff_id[:19]}) could be merged",
            layer.unpacked,
        )
        for layer in layers
    ]


def _secrets(analysis: Analysis) -> list[Reason]:
    return [Reason(f"{secret.kind} in {secret.path}, {_place(secret.layer)}") for secret in analysis.secrets]


def _place(layer: int) -> str:
    return f"layer {layer + 1}" if layer >= 0 else "in the config"


def _grown(analysis: Analysis, baseline: Baseline) -> list[Reason]:
    reasons = []
    for owner in analysis.owners:
        label = owner.package.label if owner.package else ""
        grown = owner.unpacked - baseline.owners.get(label, 0)
        if grown > 0:
            reasons.append(Reason(f"package {label}" if label else "files that no package owns", grown))
    dead = analysis.unpacked - analysis.classes["live"] - baseline.dead
    if dead > 0:
        reasons.append(Reason("dead bytes", dead))
    return _sorted(reasons)


def _sorted(reasons: Iterable[Reason]) -> list[Reason]:
    return sorted(reasons, key=lambda reason: (-(reason.size or 0), reason.text))
