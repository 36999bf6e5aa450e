"""What was recorded of an original as a file: to be committed, and used again where nothing may run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deadweight.errors import InvalidDocument, NotFound, UsageError
from deadweight.oci import fields, strict_json
from deadweight.oci.config import Execution
from deadweight.probe import recording
from deadweight.probe.proof import Expectation
from deadweight.probe.workload import MAX_WORKLOADS, Workload, complete
from deadweight.slimming.recorded import Recorded
from deadweight.trace import observed

SCHEMA_VERSION = 1


def evidence_text(recorded: Recorded) -> str:
    """`recorded` as JSON; the same recordings give the same text."""
    value = {
        "schema_version": SCHEMA_VERSION,
        "image": recorded.digest,
        "workloads": [_workload_json(one) for one in recorded.expectations],
        "observed": recorded.observed.to_json() if recorded.is_traced else None,
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def read_evidence(path: Path, execution: Execution, workloads: Sequence[Workload]) -> Recorded:
    """What `evidence_text` wrote to `path`, for `workloads` of an image with the config `execution`.

    Raises `NotFound` and `InvalidDocument` for the file, and `UsageError` where other questions were recorded.
    """
    subject = str(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(strict_json.MAX_DOCUMENT + 1)
    except OSError as error:
        raise NotFound(subject, error.strerror or str(error), "write it with --save-evidence") from None
    value = strict_json.loads(raw, subject)
    if value.get("schema_version") != SCHEMA_VERSION:
        raise InvalidDocument(
            subject, "is no evidence that this version reads", "write it with --save-evidence"
        )
    tables = fields.objects(value, "workloads", subject, MAX_WORKLOADS)
    by_name = {workload.name: complete(workload, execution) for workload in workloads}
    return Recorded(
        fields.text(value, "image", subject),
        tuple(_expectation(table, by_name, subject) for table in tables),
        observed.from_json(fields.mapping(value, "observed", subject), subject),
        is_traced=value.get("observed") is not None,
    )


def _workload_json(expectation: Expectation) -> dict[str, Any]:
    return {
        "name": expectation.workload.name,
        "first": recording.to_json(expectation.first),
        "second": recording.to_json(expectation.second),
    }


def _expectation(table: dict[str, Any], workloads: dict[str, Workload], subject: str) -> Expectation:
    name = fields.text(table, "name", subject)
    first, second = (
        recording.from_json(fields.mapping(table, key, subject), subject) for key in ("first", "second")
    )
    workload = workloads.get(name)
    if workload is None:
        raise UsageError(subject, f"holds the workload {name!r}, which is not asked for", "record it again")
    for asked in map(str, workload.probes):
        if asked not in {answer.probe for answer in first.answers}:
            raise UsageError(subject, f"holds no answer to {asked!r}", "record it again")
    return Expectation(workload, first, second)
