"""What an original did when it was run: what it answered, and what it used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deadweight.image import Image
from deadweight.probe.proof import Expectation, expect
from deadweight.probe.workload import Workload
from deadweight.sandbox import Box, TracedBox
from deadweight.trace.observed import NOTHING, Observed


@dataclass(frozen=True, slots=True)
class Recorded:
    """Each workload was run twice."""

    digest: str = ""
    """Of the image that was run."""
    expectations: tuple[Expectation, ...] = ()
    observed: Observed = NOTHING
    """What any of the runs used."""


def record_original(box: Box, image: Image, workloads: Sequence[Workload], folder: Path) -> Recorded:
    """Runs `workloads` of `image`, traced. Scripts are relative to `folder`. Raises as `expect` does."""
    traced = TracedBox(box)
    expectations = tuple(
        expect(traced, image.config.execution, workload, folder=folder) for workload in workloads
    )
    return Recorded(str(image.digest), expectations, traced.observed())
