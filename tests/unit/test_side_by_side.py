"""Two answers next to each other, and below each other where there is no room."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from deadweight.probe.compare import Difference
from deadweight.probe.excerpt import excerpt
from deadweight.report.console import listing
from deadweight.report.side_by_side import SideBySide

HEADER = Difference("header content-type", "text/html; charset=utf-8", "(none)")
LONG = "x" * 100
BODY = Difference("body", "two", LONG, excerpt(f"one\ntwo\n{LONG}", f"one\n{LONG}"))


def shown(difference: Difference, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(SideBySide(difference))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    return [line.rstrip() for line in lines]


@pytest.mark.parametrize("width", [55, 200])
def test_what_fits_stands_side_by_side(width: int) -> None:
    head, line = shown(HEADER, width)
    assert head.split() == ["header", "content-type", "original", "result"]
    assert line.split() == ["text/html;", "charset=utf-8", "(none)"]
    assert line.index("(none)") == head.index("result")


def test_in_a_narrow_terminal_both_are_whole_below_each_other() -> None:
    assert shown(HEADER, 54) == ["header content-type", "- text/html; charset=utf-8", "+ (none)"]
    assert "".join(shown(HEADER, 12)).replace(" ", "") == "headercontent-type-text/html;charset=utf-8+(none)"


def test_long_lines_share_what_room_there_is() -> None:
    head, *lines = shown(BODY, 80)
    assert head.split() == ["body", "original", "result"]
    assert lines[0].split() == ["1", "one", "one"]
    number, left, right = lines[1].split()
    assert (number, left) == ("2", "two")
    assert right == "x" * (len(right) - 1) + "…"
    assert len(right) > 30
    number, left, right = lines[2].split()
    assert (number, right) == ("3", "–")
    assert len(left) > 30


def test_lines_that_are_the_same_are_shown_once_in_a_narrow_terminal() -> None:
    lines = shown(BODY, 40)
    assert lines[:3] == ["body", "  one", "- two"]
    assert "".join(lines[3:]).replace(" ", "") == f"+{LONG}-{LONG}+–"


def test_an_empty_last_column_takes_no_room() -> None:
    table = listing("", "before", "after", "")
    table.add_row("setuid files", "11", "0", "")
    console = Console(file=io.StringIO(), width=30)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines()[1].startswith("setuid files      11      0")
