"""The results as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.contest import Result
from benchmarks.goals import Goal
from benchmarks.inputs import Input


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table; the first `left` columns are text, the others are numbers."""
    rule = [":--" if number < left else "--:" for number in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)) + "\n"


def contest(results: Mapping[str, Result], against: str) -> str:
    """Medians of all entrants, and how long each took as a multiple of `against`."""
    base = results[against].typical.seconds if results[against].samples else 0.0
    sizes = any(result.size for result in results.values())
    head = ["", "seconds", "fastest", "slowest", f"× {against}", "CPU seconds", "peak MB"]
    rows = []
    for name, result in results.items():
        if not result.samples:
            rows.append([name, *["–"] * (len(head) - 1 + sizes)])
            continue
        sample = result.typical
        times = [one.seconds for one in result.samples]
        cells = [f"{sample.seconds:.2f}", f"{min(times):.2f}", f"{max(times):.2f}"]
        cells += [
            f"{sample.seconds / base:.2f}" if base else "–",
            f"{sample.cpu:.2f}",
            megabytes(sample.memory),
        ]
        rows.append([name, *cells, *([megabytes(result.size)] if sizes else [])])
    text = table([*head, "written MB"] if sizes else head, rows)
    problems = [f"- {name}: {result.problem}\n" for name, result in results.items() if result.problem]
    return text + "".join(["\n", *problems] if problems else [])


def inputs(images: Mapping[str, Input]) -> str:
    rows = [
        [name, str(image.layers), f"{image.files:,}", megabytes(image.unpacked), megabytes(image.wire)]
        for name, image in images.items()
    ]
    return table(["image", "layers", "files", "unpacked MB", "wire MB"], rows)


def goals(found: Iterable[Goal]) -> str:
    return table(["", "what", "bound", "measured", ""], [goal.row() for goal in found], left=3)


def megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f}"
