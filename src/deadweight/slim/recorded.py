"""What an original did when it was run: what it answered, and what it used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deadweight.oci.config import Execution
from deadweight.probe.proof import Expectation, expect
from deadweight.probe.workload import Workload
from deadweight.sandbox import Box, TracedBox
from deadweight.trace.observed import NOTHING, Observed


@dataclass(frozen=True, slots=True)
class Recorded:
    """Each workload was run twice."""

    expectations: tuple[Expectation, ...] = ()
    observed: Observed = NOTHING
    """What any of the runs used."""


def record_original(box: Box, execution: Execution, workloads: Sequence[Workload], folder: Path) -> Recorded:
    """Runs `workloads`, traced. Scripts are relative to `folder`. Raises as `expect` does."""
    traced = TracedBox(box)
    expectations = tuple(expect(traced, execution, workload, folder=folder) for workload in workloads)
    return Recorded(expectations, traced.observed())
