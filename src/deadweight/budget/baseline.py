"""What an image is compared with: the sizes of an earlier one, from an analysis or from a saved report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from deadweight.accounting.model import Analysis
from deadweight.errors import UsageError
from deadweight.oci import fields, strict_json

MAX_OWNERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Baseline:
    """Sizes in unpacked bytes. `owners` maps ``ecosystem:name``, and an empty name for the unowned, to live bytes."""

    reference: str
    unpacked: int
    dead: int
    owners: Mapping[str, int]


def baseline_of(analysis: Analysis) -> Baseline:
    """The baseline that `analysis` sets."""
    owners: dict[str, int] = defaultdict(int)
    for owner in analysis.owners:
        owners[owner.package.label if owner.package else ""] += owner.unpacked
    dead = analysis.unpacked - analysis.classes["live"]
    return Baseline(analysis.reference, analysis.unpacked, dead, owners)


def baseline_from_report(raw: bytes, subject: str) -> Baseline:
    """The baseline in a report of ``analyze --json``. Raises `DeadweightError` for what is none."""
    value = strict_json.loads(raw, subject)
    if value.get("schema_version") != 1:
        raise UsageError(subject, "is no report of 'deadweight analyze --json', version 1")
    unpacked = fields.natural(fields.mapping(value, "size", subject), "unpacked", subject)
    live = fields.natural(fields.mapping(value, "classes", subject), "live", subject)
    owners: dict[str, int] = defaultdict(int)
    for owner in fields.objects(value, "owners", subject, MAX_OWNERS):
        name = fields.text(owner, "name", subject)
        label = f"{fields.text(owner, 'ecosystem', subject)}:{name}" if name else ""
        owners[label] += fields.natural(owner, "unpacked", subject)
    reference = fields.text(fields.mapping(value, "image", subject), "reference", subject)
    return Baseline(reference, unpacked, unpacked - live, owners)
