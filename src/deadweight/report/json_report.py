"""An analysis as JSON: the schema is docs/schema/analysis-v1.json, its explanation docs/json-schema.md."""

from __future__ import annotations

import json
from typing import Any

from deadweight._version import __version__
from deadweight.accounting.model import Analysis, Cause, Finding, Item, LayerSummary, OwnerSummary
from deadweight.report.units import printable

SCHEMA_VERSION = 1
MAX_ITEMS = 1000
"""The most items of a finding; `files` and `unpacked` count all of them."""


def render_json(analysis: Analysis) -> str:
    """One JSON document, a line for each innermost array or object; bytes are integers, unknown wire sizes null."""
    return _text(report(analysis), "\n") + "\n"


_flat = json.JSONEncoder(ensure_ascii=False).encode


def _text(value: Any, line: str) -> str:
    """`value` with what it contains on lines of its own, which begin with `line`. The items of a list are alike."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if not any(isinstance(item, dict | list) for item in inside):
        return _flat(value)
    inner = f"{line}  "
    if isinstance(value, list):
        first = value[0]
        if isinstance(first, dict) and not any(isinstance(item, dict | list) for item in first.values()):
            return f"[{inner}{_records(value, inner)}{line}]"
        return f"[{inner}{f',{inner}'.join(_text(item, inner) for item in value)}{line}]"
    pairs = [f"{_flat(name)}: {_text(item, inner)}" for name, item in value.items()]
    return f"{{{inner}{f',{inner}'.join(pairs)}{line}}}"


def _records(records: list[dict[str, Any]], line: str) -> str:
    """Flat objects with the same keys, each on a line: many at once, which is what most of a document consists of."""
    # In no string is a quote that is not escaped, but at its end: where the first key is, an object begins.
    begin = f"{{{_flat(next(iter(records[0])))}: "
    return _flat(records)[1:-1].replace(f"}}, {begin}", f"}},{line}{begin}")


def report(analysis: Analysis) -> dict[str, Any]:
    """The document as plain data, in the order of the schema."""
    return {
        "schema_version": SCHEMA_VERSION,
        "deadweight_version": __version__,
        "image": {
            "reference": printable(analysis.reference),
            "digest": str(analysis.digest),
            "platform": str(analysis.platform),
        },
        "size": {
            "wire": analysis.wire,
            "wire_estimated": analysis.wire_estimated,
            "unpacked": analysis.unpacked,
        },
        "classes": dict(analysis.classes),
        "layers": [_layer(layer) for layer in analysis.layers],
        "owners": [_owner(owner) for owner in analysis.owners],
        "findings": [_finding(finding) for finding in analysis.findings],
        "remarks": [
            {"finding": remark.finding, "text": printable(remark.text)} for remark in analysis.remarks
        ],
        "actions": [
            {
                "id": action.id,
                "title": printable(action.title),
                "detail": printable(action.detail),
                "unpacked": action.unpacked,
                "wire": action.wire,
                "findings": list(action.findings),
            }
            for action in analysis.actions
        ],
        "secrets": [
            {"layer": secret.layer, "path": printable(secret.path), "kind": secret.kind, "live": secret.live}
            for secret in analysis.secrets
        ],
        "surface": {
            "packages": dict(analysis.surface.packages),
            "executables": analysis.surface.executables,
            "setuid": [printable(path) for path in analysis.surface.setuid],
            "shells": [printable(path) for path in analysis.surface.shells],
        },
        "dive": {
            "efficiency": analysis.dive.efficiency,
            "wasted": analysis.dive.wasted,
            "user_bytes": analysis.dive.user_bytes,
        },
        "problems": [printable(problem) for problem in analysis.problems],
    }


def _layer(layer: LayerSummary) -> dict[str, Any]:
    return {
        "position": layer.position,
        "digest": str(layer.digest),
        "diff_id": str(layer.diff_id),
        "media_type": layer.media_type,
        "instruction": printable(layer.instruction),
        "wire": layer.wire,
        "unpacked": layer.unpacked,
        "files": layer.files,
        "classes": dict(layer.classes),
        "missing": layer.missing,
    }


def _owner(owner: OwnerSummary) -> dict[str, Any]:
    package = owner.package
    return {
        "ecosystem": package.ecosystem if package else None,
        "name": printable(package.name) if package else None,
        "version": printable(package.version) if package else None,
        "files": owner.files,
        "unpacked": owner.unpacked,
        "wire": owner.wire,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "kind": finding.kind,
        "title": printable(finding.title),
        "reason": printable(finding.reason),
        "remedy": printable(finding.remedy),
        "unpacked": finding.unpacked,
        "wire": finding.wire,
        "exact": finding.exact,
        "files": len(finding.items),
        "items": [_item(item) for item in finding.items[:MAX_ITEMS]],
        "causes": [_cause(cause) for cause in finding.causes],
    }


def _item(item: Item) -> dict[str, Any]:
    return {"path": printable(item.path), "layer": item.layer, "unpacked": item.unpacked, "wire": item.wire}


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "layer": cause.layer,
        "instruction": printable(cause.instruction),
        "package": printable(cause.package),
        "unpacked": cause.unpacked,
    }
