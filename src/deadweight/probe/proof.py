"""What is expected of a result, and whether it does that: two recordings of the original, one of the result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deadweight.errors import NotReady, UnfitProbe
from deadweight.oci.config import Execution
from deadweight.probe.compare import Difference, compare
from deadweight.probe.observation import Failure, Observation
from deadweight.probe.record import record
from deadweight.probe.recording import Answer, Recording
from deadweight.probe.workload import Workload, complete
from deadweight.sandbox import Limits, Starter

READY = "ready:"
"""The probe that a result fails which cannot be asked anything."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the original did, twice and in different seconds, when it was asked `workload`."""

    workload: Workload
    first: Recording
    second: Recording


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Whether the result answered `probe` as the original did; `found` is None where it could not be asked."""

    probe: str
    differences: tuple[Difference, ...]
    expected: Observation | None = None
    found: Observation | None = None

    @property
    def passed(self) -> bool:
        return not self.differences


def expect(
    box: Starter,
    execution: Execution,
    workload: Workload,
    *,
    again: Starter | None = None,
    folder: Path = Path(),
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
) -> Expectation:
    """What the original answers, as `record` has it, in `box` and a second time in `again`, or in `box` too.

    Raises what that does, and `UnfitProbe` for a probe that was asked for and is not answered, or not twice the same.
    """
    whole = complete(workload, execution)
    first = record(box, execution, whole, folder=folder, limits=limits)
    whole = complete(replace(whole, ends=first.ends), execution)
    _wait_for_another_second(first)
    second = record(again or box, execution, whole, folder=folder, limits=limits)
    if second.ends != first.ends:
        raise NotReady(
            "the program", "ends by itself one time, and not the other", "set ready, or ends = true"
        )
    for one, other in _pairs(first, second):
        if one.asked and (problem := _unfit(one, other)):
            raise UnfitProbe(f"probe {one.probe}", problem, "ask it something else, or leave this out")
    return Expectation(whole, first, second)


def prove(
    box: Starter,
    execution: Execution,
    expectation: Expectation,
    *,
    folder: Path = Path(),
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
) -> tuple[ProbeResult, ...]:
    """Whether the result in `box` does what is expected. One that cannot be asked fails. Raises as `record` does else."""
    try:
        found = record(box, execution, expectation.workload, folder=folder, limits=limits)
    except NotReady as error:
        return (ProbeResult(READY, (Difference("ready", "yes", f"{error.subject} {error.problem}"),)),)
    return judge(expectation.first, expectation.second, found)


def judge(first: Recording, second: Recording, found: Recording) -> tuple[ProbeResult, ...]:
    """For each probe that counts, what differs between what was `found` and two recordings of the original."""
    if found.ends != first.ends:
        difference = Difference("ends by itself", _yes(first.ends), _yes(found.ends))
        return (ProbeResult(READY, (difference,)),)
    results = []
    for place, (one, other) in enumerate(_pairs(first, second)):
        if _unfit(one, other):
            continue
        answer = found.answers[place].observation if place < len(found.answers) else Failure("was not asked")
        differences = compare(one.observation, answer, [other.observation])
        results.append(ProbeResult(one.probe, differences, one.observation, answer))
    return tuple(results)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _pairs(first: Recording, second: Recording) -> Sequence[tuple[Answer, Answer]]:
    return list(zip(first.answers, second.answers, strict=False))


def _unfit(one: Answer, other: Answer) -> str:
    """Why a probe proves nothing; empty where it proves something."""
    for answer in (one.observation, other.observation):
        if isinstance(answer, Failure):
            return f"is not answered by the original: {answer.reason}"
    differences = compare(one.observation, other.observation, [other.observation])
    if differences:
        what, expected, found = differences[0].what, differences[0].expected, differences[0].found
        return f"is not answered twice the same by the original: {what} was {expected}, then {found}"
    return ""


def _wait_for_another_second(recording: Recording) -> None:
    """Two recordings of one second would not show that a time is one."""
    last = max((answer.observation.at for answer in recording.answers), default=0)
    while int(time.time()) <= last:
        time.sleep(0.05)
