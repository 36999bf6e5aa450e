"""Wire savings measured instead of estimated: the figures of ``--exact``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from deadweight.accounting.model import Action, Analysis, Finding, Item
from deadweight.accounting.recompress import exact_savings
from deadweight.image import Image
from deadweight.indexing import Progress


def with_exact_savings(image: Image, analysis: Analysis, progress: Progress) -> Analysis:
    """`analysis` with the wire savings of findings and actions measured, where whole files would go.

    Parts of files (debug sections) keep their estimate.
    """
    findings = {finding.id: finding for finding in analysis.findings if _whole(finding.items)}
    removals = {f"finding {finding.id}": _entries(finding.items) for finding in findings.values()}
    for action in analysis.actions:
        if all(name in findings for name in action.findings):
            items = (item for name in action.findings for item in findings[name].items)
            removals[f"action {action.id}"] = _entries(items)
    savings = exact_savings(image, analysis.ledger.layers, removals, progress=progress)
    return replace(
        analysis,
        findings=tuple(_measured_finding(finding, savings) for finding in analysis.findings),
        actions=tuple(_measured_action(action, savings) for action in analysis.actions),
    )


def _whole(items: Iterable[Item]) -> bool:
    return all(item.number >= 0 for item in items)


def _entries(items: Iterable[Item]) -> dict[int, set[int]]:
    entries: dict[int, set[int]] = {}
    for item in items:
        entries.setdefault(item.layer, set()).add(item.number)
    return entries


def _measured_finding(finding: Finding, savings: dict[str, int]) -> Finding:
    saved = savings.get(f"finding {finding.id}")
    return finding if saved is None else replace(finding, wire=max(saved, 0), exact=True)


def _measured_action(action: Action, savings: dict[str, int]) -> Action:
    saved = savings.get(f"action {action.id}")
    return action if saved is None else replace(action, wire=max(saved, 0))
