"""What probes were answered, and where a result answers otherwise: on the console and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from deadweight.probe.compare import in_words
from deadweight.probe.excerpt import shown
from deadweight.probe.observation import ExitAnswer, Failure, HttpAnswer, Observation, TcpAnswer
from deadweight.probe.proof import ProbeResult
from deadweight.probe.recording import Recording
from deadweight.report.console import listing
from deadweight.report.side_by_side import NONE, SideBySide
from deadweight.report.units import count, printable, size

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Proved:
    """The results of one workload."""

    workload: str
    results: Sequence[ProbeResult]

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.results)


def is_answer(observation: Observation) -> bool:
    """Whether anything came back."""
    match observation:
        case Failure():
            return False
        case TcpAnswer():
            return observation.accepted
        case _:
            return True


def print_recordings(reference: str, recordings: Iterable[Recording], console: Console) -> None:
    """For each probe a line: what came back, its size, and how it begins."""
    console.print(Text(printable(reference), style="bold", overflow="fold"))
    for recording in recordings:
        console.print(
            Text(f"workload {recording.workload}{' (a job)' if recording.ends else ''}", style="dim")
        )
        table = listing("probe", "answer", "size", "begins with", left=2)
        for answer in recording.answers:
            observation = answer.observation
            style = "" if is_answer(observation) else "red" if answer.asked else "dim"
            table.add_row(
                shown(answer.probe), Text(in_words(observation), style=style), _size(observation),
                _begin(observation),
            )  # fmt: skip
        console.print(table)


def recordings_report(reference: str, recordings: Iterable[Recording]) -> str:
    """The same as JSON; sizes in bytes."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "image": printable(reference),
        "workloads": [
            {
                "name": recording.workload,
                "ends": recording.ends,
                "probes": [
                    {
                        "probe": shown(answer.probe),
                        "asked": answer.asked,
                        "answered": is_answer(answer.observation),
                        "answer": in_words(answer.observation),
                        "size": len(_content(answer.observation)),
                        "begins_with": _begin(answer.observation),
                    }
                    for answer in recording.answers
                ],
            }
            for recording in recordings
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def print_results(original: str, result: str, proved: Sequence[Proved], console: Console) -> None:
    """For each probe a line; below one that failed the differences, side by side."""
    console.print(
        Text(f"{printable(original)} -> {printable(result)}", style="bold", overflow="fold"), soft_wrap=True
    )
    for one in proved:
        console.print(Text(f"workload {one.workload}", style="dim"))
        for answer in one.results:
            word = Text("passed", style="green") if answer.passed else Text("FAILED", style="bold red")
            console.print(Text.assemble("  ", word, f"  {shown(answer.probe)}"), soft_wrap=True)
            for difference in answer.differences:
                console.print(Padding(SideBySide(difference), (0, 0, 0, 10)))
    failed = sum(not answer.passed for one in proved for answer in one.results)
    total = sum(len(one.results) for one in proved)
    verdict = f"{failed} of {count(total, 'probe')} failed" if failed else f"{count(total, 'probe')} passed"
    console.print(Text(verdict, style="bold red" if failed else "bold green"))


def results_report(original: str, result: str, proved: Iterable[Proved]) -> str:
    """The same as JSON."""
    workloads = [
        {"name": one.workload, "passed": one.passed, "probes": [_plain(answer) for answer in one.results]}
        for one in proved
    ]
    document = {
        "schema_version": SCHEMA_VERSION,
        "original": printable(original),
        "result": printable(result),
        "passed": all(one["passed"] for one in workloads),
        "workloads": workloads,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _plain(answer: ProbeResult) -> dict[str, Any]:
    return {
        "probe": shown(answer.probe),
        "passed": answer.passed,
        "differences": [
            {
                "what": one.what,
                "expected": one.expected,
                "found": one.found,
                "rows": [asdict(row) for row in one.rows],
            }
            for one in answer.differences
        ],
    }


def _content(observation: Observation) -> bytes:
    match observation:
        case HttpAnswer():
            return observation.body
        case ExitAnswer():
            return observation.stdout or observation.stderr
        case TcpAnswer():
            return observation.first
        case Failure():
            return b""


def _size(observation: Observation) -> str:
    content = _content(observation)
    more = isinstance(observation, HttpAnswer | ExitAnswer) and observation.truncated
    return f"{size(len(content))}{'+' if more else ''}" if content else NONE


def _begin(observation: Observation) -> str:
    """The first line that is not empty."""
    text = _content(observation)[:4096].decode("utf-8", "surrogateescape")
    return shown(next((line.strip() for line in text.splitlines() if line.strip()), ""))
