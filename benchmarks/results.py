"""The results as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.contest import Result
from benchmarks.goals import Goal
from benchmarks.inputs import Input
from benchmarks.measure import least_memory


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
        ratio = f"{sample.seconds / base:.2f}" if base else "–"
        cells = [*map(seconds, (sample.seconds, min(times), max(times))), ratio]
        cells += [seconds(sample.cpu), memory(sample.memory)]
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


def seconds(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def memory(peak: int) -> str:
    """A peak; that of a small process disappears below that of the measuring one."""
    least = least_memory()
    return megabytes(peak) if peak > least else f"< {megabytes(least)}"


def megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f}"
