"""What slimming did as JSON: the schema is docs/schema/slim-v1.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from deadweight._version import __version__
from deadweight.probe.proof import ProbeResult
from deadweight.report.slimming import removed_by_kind
from deadweight.report.units import printable
from deadweight.slimming.result import Attempt, Measure, Proof, SlimResult

SCHEMA_VERSION = 1


def render_slim_json(results: Sequence[SlimResult]) -> str:
    """One JSON document, of several images an array of them; bytes are integers, unknown wire sizes and the digest of what
    was not written are null.
    """
    documents = [report(result) for result in results]
    return json.dumps(documents if len(documents) > 1 else documents[0], indent=2, ensure_ascii=False) + "\n"


def report(result: SlimResult) -> dict[str, Any]:
    """The document as plain data, in the order of the schema."""
    last = result.attempt
    return {
        "schema_version": SCHEMA_VERSION,
        "deadweight_version": __version__,
        "reference": printable(result.reference),
        "platform": result.platform,
        "destination": printable(result.destination),
        "level": last.level if result.digest is not None else None,
        "digest": str(result.digest) if result.digest is not None else None,
        "before": _measure(result.before),
        "after": _measure(last.after),
        "proof": _proof(last.proof),
        "would_pass": result.would_pass or None,
        "attempts": [_attempt(attempt) for attempt in result.attempts],
        "removed": [
            {"kind": one.kind, "title": one.title, "files": one.files, "unpacked": one.unpacked}
            for one in removed_by_kind(last.outcome.removals)
        ],
        "packages_removed": [
            {
                "ecosystem": package.ecosystem,
                "name": printable(package.name),
                "version": printable(package.version),
            }
            for package in last.outcome.packages
        ],
        "notes": [printable(note) for note in result.notes],
        "seconds": round(result.seconds, 3),
    }


def _measure(measure: Measure) -> dict[str, Any]:
    return asdict(measure)


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "level": attempt.level,
        "after": _measure(attempt.after),
        "proof": _proof(attempt.proof),
        "missing": [
            {"path": printable(one.path), "kind": one.kind, "owner": printable(one.owner) or None}
            for one in attempt.missing
        ],
    }


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        "passed": proof.passed,
        "failed": proof.failed,
        "why_none": proof.why_none or None,
        "sandbox": proof.sandbox or None,
        "probes": [_probe(one) for one in proof.results],
    }


def _probe(result: ProbeResult) -> dict[str, Any]:
    return {
        "probe": printable(result.probe),
        "passed": result.passed,
        "differences": [
            {"what": one.what, "expected": printable(one.expected), "found": printable(one.found)}
            for one in result.differences
        ],
    }
