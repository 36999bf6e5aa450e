"""What an original did when it was run: what it answered, and what it used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deadweight.image import Image
from deadweight.probe.proof import Expectation, expect
from deadweight.probe.workload import Workload
from deadweight.sandbox import Box, Starter, TracedBox
from deadweight.trace.observed import NOTHING, Observed, differences, merge


@dataclass(frozen=True, slots=True)
class Recorded:
    """Each workload was run twice."""

    digest: str = ""
    """Of the image that was run."""
    expectations: tuple[Expectation, ...] = ()
    observed: Observed = NOTHING
    """What any of the runs used."""
    varied: tuple[str, ...] = ()
    """The paths of the image that only one of two runs used, sorted. They are kept as well."""
    is_traced: bool = True
    """False where what runs programs does not tell what they use: then nothing is known but what they answered."""


def record_untraced(box: Starter, image: Image, workloads: Sequence[Workload], folder: Path) -> Recorded:
    """Runs `workloads` of `image`. Scripts are relative to `folder`. Raises as `expect` does."""
    execution = image.config.execution
    expectations = tuple(expect(box, execution, workload, folder=folder) for workload in workloads)
    return Recorded(str(image.digest), expectations, is_traced=False)


def record_traced(box: Box, image: Image, workloads: Sequence[Workload], folder: Path) -> Recorded:
    """The same, and what they use of the image."""
    first, second = TracedBox(box), TracedBox(box)
    expectations = tuple(
        expect(first, image.config.execution, workload, again=second, folder=folder) for workload in workloads
    )
    one, other = first.observed(), second.observed()
    only = differences(one, other)
    varied = tuple(sorted({*only.first, *only.second}))
    return Recorded(str(image.digest), expectations, merge([one, other]), varied)
