"""Asks the original and the result, and tells what only the result lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deadweight.probe.compare import Difference
from deadweight.probe.excerpt import Row, shown
from deadweight.probe.observation import Failure
from deadweight.probe.proof import ProbeResult
from deadweight.slimming.recorded import Recorded
from deadweight.slimming.selection import Known
from deadweight.slimming.self_made.commands import commands_probes
from deadweight.slimming.self_made.libraries import libraries_probes
from deadweight.slimming.self_made.modules import modules_probes
from deadweight.slimming.self_made.probe import Lack, Maker, Questioned, SelfMadeProbe

MAKERS: Sequence[Maker] = (libraries_probes, commands_probes, modules_probes)
"""In the order in which their probes are asked."""
MAX_ROWS = 20
"""The most that is shown of what a result lacks."""
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A self-made probe, and what the original lacks by it."""

    probe: SelfMadeProbe
    lacks: frozenset[Lack]


@dataclass(frozen=True, slots=True)
class SelfMade:
    """The self-made probes of an image."""

    asked: tuple[Asked, ...] = ()
    notes: tuple[str, ...] = ()
    """Which ones are left out because the original does not answer, and why."""


def ask_original(
    original: Questioned, known: Known, recorded: Recorded, makers: Sequence[Maker] = MAKERS
) -> SelfMade:
    """The probes that `makers` make for an image, and what `original` answers."""
    asked: list[Asked] = []
    notes: list[str] = []
    for make in makers:
        for probe in make(known, recorded):
            answer = probe.ask(original)
            if isinstance(answer, Failure):
                notes.append(f"the probe {probe.name} is left out: of the original, {answer.reason}")
            else:
                asked.append(Asked(probe, answer))
    return SelfMade(tuple(asked), tuple(notes))


def prove_self_made(self_made: SelfMade, result: Questioned) -> Iterator[ProbeResult]:
    """For each of the probes, what `result` lacks and its original does not."""
    for asked in self_made.asked:
        yield ProbeResult(asked.probe.name, _differences(asked.lacks, asked.probe.ask(result)))


def _differences(before: frozenset[Lack], after: frozenset[Lack] | Failure) -> tuple[Difference, ...]:
    if isinstance(after, Failure):
        return (Difference("answer", "an answer", shown(after.reason)),)
    lacks = sorted(after - before, key=lambda lack: (lack.what, lack.subject))
    if not lacks:
        return ()
    lines = [shown(f"{lack.what} of {lack.subject}") for lack in lacks]
    rows = tuple(
        Row(number, line, shown(lack.because) or None, same=False)
        for number, (line, lack) in enumerate(zip(lines[:MAX_ROWS], lacks, strict=False), 1)
    )
    more = f" and {len(lines) - _NAMED} more" if len(lines) > _NAMED else ""
    found = shown(lacks[0].because) or "not found"
    return (Difference("not found", ", ".join(lines[:_NAMED]) + more, found, rows),)
