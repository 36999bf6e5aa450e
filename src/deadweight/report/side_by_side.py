"""What two answers say, next to each other; where a terminal is too narrow for that, below each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from deadweight.probe.compare import Difference
from deadweight.report.console import PADDING
from deadweight.report.units import printable

NONE = "–"
MIN_TEXT = 24
"""What a column has at least, of a longer text that is cut."""
_HEADS = ("original", "result")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of both texts."""

    number: str
    expected: str
    found: str
    same: bool = False


class SideBySide:
    """The lines of the original and of the result."""

    def __init__(self, difference: Difference) -> None:
        self._what = difference.what
        self._lines = [
            _Line(
                str(row.number),
                NONE if row.expected is None else row.expected,
                NONE if row.found is None else row.found,
                row.same,
            )
            for row in difference.rows
        ] or [_Line("", printable(difference.expected), printable(difference.found))]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        first = max(map(cell_len, (self._what, *(line.number for line in self._lines))))
        room = options.max_width - first - 3 * PADDING
        left, right = (
            max(map(cell_len, texts))
            for texts in (
                (_HEADS[0], *(line.expected for line in self._lines)),
                (_HEADS[1], *(line.found for line in self._lines)),
            )
        )
        if left + right <= room:
            yield self._table(first, left, right)
        elif room >= 2 * MIN_TEXT:
            left = min(left, max(room // 2, room - right))
            yield self._table(first, left, room - left)
        else:
            yield from self._stacked()

    def _table(self, *widths: int) -> Table:
        table = Table(box=None, padding=(0, PADDING, 0, 0), header_style="dim", show_edge=False)
        for title, width in zip((self._what, *_HEADS), widths, strict=True):
            table.add_column(title, overflow="ellipsis", no_wrap=True, width=width)
        for line in self._lines:
            styles = ("dim", "dim") if line.same else ("green", "red")
            table.add_row(line.number, Text(line.expected, styles[0]), Text(line.found, styles[1]))
        return table

    def _stacked(self) -> Iterator[Text]:
        yield Text(self._what, style="dim", overflow="fold")
        for line in self._lines:
            if line.same:
                yield Text(f"  {line.expected}", style="dim", overflow="fold")
            else:
                yield Text(f"- {line.expected}", style="green", overflow="fold")
                yield Text(f"+ {line.found}", style="red", overflow="fold")
