"""An analysis on one screen of a terminal."""

from __future__ import annotations

import io
import re
from typing import TextIO, cast

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deadweight.accounting.model import DEAD, SUSPECT, Analysis, Finding
from deadweight.report.units import count, printable, share, size

MAX_COLUMN = 48
MIN_FIRST = 8
MIN_LAST = 4
PADDING = 2
PIPE_WIDTH = 160
"""Columns where no terminal says how many there are."""

_TRAILING = re.compile(r" +(?=\n)")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Lets the command line end as it does for any reader that has seen enough; rich's own way is exit code 1."""
        raise BrokenPipeError


def open_console(stream: TextIO) -> Console:
    """A console on `stream`; colours only on a terminal, and none where NO_COLOR is set."""
    if stream.isatty():
        return _Console(file=stream, highlight=False, emoji=False, markup=False)
    return _Console(
        file=cast("TextIO", _Trimmed(stream)), width=PIPE_WIDTH, highlight=False, emoji=False, markup=False
    )


class _Trimmed(io.TextIOBase):
    """A stream without the spaces that fill a line to the width of a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str, /) -> int:
        self._stream.write(_TRAILING.sub("", text))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()


def print_analysis(analysis: Analysis, console: Console, top: int) -> None:
    """Prints the report: sizes, layers, what is dead or suspect, owners, surface, secrets and actions.

    `top` bounds the rows of each list.
    """
    for part in (
        _head(analysis),
        _layers(analysis, top),
        _findings(analysis, top),
        _owners(analysis, top),
        _surface(analysis),
        _secrets(analysis, top),
        _actions(analysis, top),
        _problems(analysis),
    ):
        if part is not None:
            console.print(part)


def section(title: str, body: RenderableType) -> Group:
    """`body` under a heading, with an empty line before it."""
    return Group(Text(""), Text(title, style="bold"), Padding(body, (0, 0, 0, 2)))


class Listing(Table):
    """A table without lines whose last column takes what the others leave: a long text must not squeeze the numbers.

    Where they leave too little, the first column gets narrower; where that is not enough, or there is nothing in it, the last
    goes.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        first, *middle, last = self.columns
        for column in (first, *middle):
            column.width = min(
                max((_cell_length(cell) for cell in (column.header, *column.cells)), default=0), MAX_COLUMN
            )
        left = options.max_width - PADDING - sum((column.width or 0) + PADDING for column in middle)
        least = MIN_LAST + PADDING if any(map(_cell_length, (last.header, *last.cells))) else 0
        first.width = min(first.width or 0, max(left - least, MIN_FIRST))
        last.width = left - first.width - PADDING
        if last.width < MIN_LAST or not least:
            self.columns.pop()
        yield from super().__rich_console__(console, options)


def _cell_length(cell: RenderableType) -> int:
    return cell.cell_len if isinstance(cell, Text) else cell_len(str(cell))


def listing(*columns: str, left: int = 1) -> Listing:
    """A table without lines: the first `left` columns and the last are text, those between are numbers."""
    table = Listing(box=None, padding=(0, PADDING, 0, 0), header_style="dim", show_edge=False)
    last = len(columns) - 1
    for number, title in enumerate(columns):
        if number < left or number == last:
            table.add_column(title, overflow="ellipsis", no_wrap=True)
        else:
            table.add_column(title, justify="right", no_wrap=True)
    return table


def _head(analysis: Analysis) -> Group:
    unpacked, classes = analysis.unpacked, analysis.classes
    dead = unpacked - classes["live"]
    wire = size(analysis.wire) + (" estimated" if analysis.wire_estimated else "")
    sizes = Text.assemble(
        ("wire ", "dim"), (wire, "bold"), ("   unpacked ", "dim"), (size(unpacked), "bold"),
        ("   layers ", "dim"), (str(len(analysis.layers)), "bold"),
        ("   dead ", "dim"), (f"{size(dead)} ({share(dead, unpacked)})", "bold red" if dead else "bold green"),
    )  # fmt: skip
    parts = "   ".join(
        f"{kind} {size(classes[kind])}" for kind in ("live", "superseded", "restated", "deleted")
    )
    return Group(
        Text(printable(analysis.reference), style="bold", overflow="fold"),
        Text(f"{analysis.digest}  {printable(str(analysis.platform))}", style="dim", overflow="fold"),
        sizes,
        Text(parts, style="dim"),
    )


def _layers(analysis: Analysis, top: int) -> Group:
    table = listing("#", "wire", "unpacked", "dead", "files", "made by")
    shown = sorted(analysis.layers, key=lambda layer: layer.unpacked, reverse=True)[: max(top, 1)]
    for layer in sorted(shown, key=lambda layer: layer.position):
        dead = layer.unpacked - layer.classes["live"]
        made_by = "not held by the source (foreign layer)" if layer.missing else printable(layer.instruction)
        table.add_row(
            str(layer.position + 1),
            size(layer.wire),
            size(layer.unpacked),
            Text(size(dead), style="red") if dead else "",
            f"{layer.files:,}",
            made_by or "–",
        )
    hidden = len(analysis.layers) - len(shown)
    title = "Layers" + (f" (the {len(shown)} largest; {hidden} more)" if hidden else "")
    return section(title, table)


def _findings(analysis: Analysis, top: int) -> Group | None:
    if not analysis.findings and not analysis.remarks:
        return None
    table = listing("", "unpacked", "wire", "files", "largest")
    for kind, style in ((DEAD, "red"), (SUSPECT, "yellow")):
        for finding in [one for one in analysis.findings if one.kind == kind][:top]:
            table.add_row(
                Text(printable(finding.title), style=style),
                size(finding.unpacked),
                _wire(finding),
                f"{len(finding.items):,}",
                _largest(finding),
            )
    parts: list[RenderableType] = [table] if analysis.findings else []
    parts += [Text(printable(remark.text), style="dim", overflow="fold") for remark in analysis.remarks]
    return section("Dead and suspect weight", Group(*parts))


def _wire(finding: Finding) -> str:
    return size(finding.wire) if finding.exact or finding.wire is None else f"~{size(finding.wire)}"


def _largest(finding: Finding) -> Text:
    if not finding.items:
        return Text("")
    item = finding.items[0]
    return Text(f"{printable(item.path)} {size(item.unpacked)}", style="dim")


def _owners(analysis: Analysis, top: int) -> Group | None:
    if not analysis.owners:
        return None
    table = listing("", "unpacked", "wire", "files", "version")
    for owner in analysis.owners[:top]:
        package = owner.package
        table.add_row(
            printable(package.label) if package else Text("no package", style="yellow"),
            size(owner.unpacked),
            size(owner.wire) if owner.wire is None else f"~{size(owner.wire)}",
            f"{owner.files:,}",
            printable(package.version) if package else "",
        )
    rest = len(analysis.owners) - top
    return section("Who owns it" + (f" ({rest} more)" if rest > 0 else ""), table)


def _surface(analysis: Analysis) -> Group:
    surface = analysis.surface
    packages = (
        ", ".join(f"{number} {ecosystem}" for ecosystem, number in surface.packages.items()) or "no package"
    )
    words = [
        f"packages: {packages}",
        count(surface.executables, "executable"),
        f"{len(surface.setuid)} set-user-ID or set-group-ID",
        f"shells: {', '.join(printable(path) for path in surface.shells[:4]) or 'none'}",
    ]
    if analysis.inventory.distribution:
        words.insert(0, printable(analysis.inventory.distribution))
    return section("Surface", Text("; ".join(words), overflow="fold"))


def _secrets(analysis: Analysis, top: int) -> Group | None:
    if not analysis.secrets:
        return None
    table = listing("", "layer", "", "path", left=1)
    for secret in analysis.secrets[:top]:
        place = str(secret.layer + 1) if secret.layer >= 0 else "config"
        seen = "visible" if secret.live else "deleted, but still shipped"
        table.add_row(Text(secret.kind, style="bold red"), place, seen, printable(secret.path))
    rest = len(analysis.secrets) - top
    title = count(len(analysis.secrets), "secret") + (f" ({rest} more with --top)" if rest > 0 else "")
    return section(title, table)


def _actions(analysis: Analysis, top: int) -> Group | None:
    if not analysis.actions:
        return None
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, show_edge=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for action in analysis.actions[:top]:
        wire = "" if action.wire is None else f" (~{size(action.wire)} wire)"
        text = Text.assemble((printable(action.title), "bold"), (wire, "dim"), "\n", printable(action.detail))
        table.add_row(Text(f"−{size(action.unpacked)}", style="bold green"), text)
    return section("Worth doing", table)


def _problems(analysis: Analysis) -> Group | None:
    if not analysis.problems:
        return None
    return section(
        "Could not be looked at", Text("\n".join(map(printable, analysis.problems)), overflow="fold")
    )
