"""A comparison on the console, as JSON and as Markdown; the table of several components."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from deadweight.compare.model import ADDED, REMOVED, Comparison, PackageChange, SetSizes, Sizes
from deadweight.report import markdown
from deadweight.report.console import listing, section
from deadweight.report.units import change, count, printable, share, size

SCHEMA_VERSION = 1


class Component(NamedTuple):
    """One row of the table: an image of a set, before and after."""

    name: str
    comparison: Comparison


def print_comparison(comparison: Comparison, console: Console, top: int) -> None:
    """Prints what grew and why; `top` bounds the rows of each list."""
    old, new = comparison.old, comparison.new
    console.print(
        Text(f"{printable(old.reference)} -> {printable(new.reference)}", style="bold", overflow="fold")
    )
    table = listing("", "before", "after", "change", "")
    for row in _size_rows(old, new):
        table.add_row(*row)
    console.print(table)
    for title, body in (
        ("Packages", _packages(comparison, top)),
        ("Directories", _directories(comparison, top)),
        ("Layers", _layers(comparison, top)),
        ("Files", _files(comparison, top)),
    ):
        if body.row_count:
            console.print(section(title, body))


def print_components(
    components: Sequence[Component], before: SetSizes, after: SetSizes, console: Console
) -> None:
    """Prints the table of several components and what each set takes in a registry."""
    table = listing("component", "before", "after", "reduction", "wire before", "wire after", "reduction")
    for row in _component_rows(components, before, after):
        table.add_row(*(printable(cell) for cell in row))
    console.print(table)


def components_markdown(components: Sequence[Component], before: SetSizes, after: SetSizes) -> str:
    """The same table in Markdown."""
    head = ["component", "before", "after", "reduction", "wire before", "wire after", "reduction"]
    rows = [[markdown.plain(row[0]), *row[1:]] for row in _component_rows(components, before, after)]
    return markdown.table(head, rows) + "\n"


def comparison_markdown(comparison: Comparison, top: int) -> str:
    """Sizes, packages and files as Markdown."""
    old, new = comparison.old, comparison.new
    parts = [f"### {markdown.code(old.reference)} → {markdown.code(new.reference)}"]
    parts.append(markdown.table(["", "before", "after", "change"], [row[:4] for row in _size_rows(old, new)]))
    packages = [
        [markdown.plain(one.label), markdown.plain(_versions(one)), change(one.delta)]
        for one in comparison.packages[:top]
    ]
    if packages:
        parts.append(markdown.table(["package", "version", "change"], packages))
    files = [[markdown.code(one.path), one.kind, change(one.delta)] for one in comparison.files[:top]]
    if files:
        parts.append(markdown.table(["file", "", "change"], files))
    return "\n\n".join(parts) + "\n"


def comparison_json(
    components: Sequence[Component], before: SetSizes, after: SetSizes, most: int = 1000
) -> str:
    """All comparisons as JSON; lists are cut to `most` rows, largest first."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "comparisons": [{"name": printable(one.name), **_plain(one.comparison, most)} for one in components],
        "registry": {"before": asdict(before), "after": asdict(after)},
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _plain(comparison: Comparison, most: int) -> dict[str, Any]:
    value = asdict(comparison)
    for name in ("packages", "directories", "layers", "files"):
        value[name] = value[name][:most]
    return value


def _size_rows(old: Sizes, new: Sizes) -> list[tuple[str, str, str, str, str]]:
    wire = new.wire - old.wire if new.wire is not None and old.wire is not None else None
    return [
        ("wire", size(old.wire), size(new.wire), change(wire), _percent(wire, old.wire)),
        ("unpacked", size(old.unpacked), size(new.unpacked), change(new.unpacked - old.unpacked),
         _percent(new.unpacked - old.unpacked, old.unpacked)),
        ("live", size(old.live), size(new.live), change(new.live - old.live), _percent(new.live - old.live, old.live)),
        ("files", f"{old.files:,}", f"{new.files:,}", f"{new.files - old.files:+,}", ""),
        ("packages", f"{old.packages:,}", f"{new.packages:,}", f"{new.packages - old.packages:+,}", ""),
    ]  # fmt: skip


def _percent(part: int | None, whole: int | None) -> str:
    text = share(part, whole)
    return f"+{text}" if part is not None and part > 0 and whole else text


def _packages(comparison: Comparison, top: int) -> Any:
    table = listing("", "change", "version")
    for one in comparison.packages[:top]:
        table.add_row(printable(one.label), change(one.delta), printable(_versions(one)))
    if comparison.unowned:
        table.add_row(Text("no package", style="yellow"), change(comparison.unowned), "")
    return table


def _versions(package: PackageChange) -> str:
    if package.kind == ADDED:
        return f"new: {package.new_version}"
    if package.kind == REMOVED:
        return f"gone: {package.old_version}"
    if package.old_version == package.new_version:
        return package.new_version
    return f"{package.old_version} -> {package.new_version}"


def _directories(comparison: Comparison, top: int) -> Any:
    table = listing("change", "files", "", left=0)
    for one in comparison.directories[:top]:
        table.add_row(change(one.delta), f"{one.files:,}", f"/{printable(one.path)}")
    return table


def _layers(comparison: Comparison, top: int) -> Any:
    table = listing("", "wire", "unpacked", "made by")
    for one in comparison.layers[:top]:
        table.add_row(one.kind, size(one.wire), size(one.unpacked), printable(one.instruction) or "–")
    if comparison.layers:
        table.add_row("shared", "", "", count(comparison.shared_layers, "layer"))
    return table


def _files(comparison: Comparison, top: int) -> Any:
    table = listing("", "change", "")
    for one in comparison.files[:top]:
        table.add_row(one.kind, change(one.delta), f"/{printable(one.path)}")
    return table


def _component_rows(components: Sequence[Component], before: SetSizes, after: SetSizes) -> list[list[str]]:
    rows = [
        _row(one.name, one.comparison.old.unpacked, one.comparison.new.unpacked, one.comparison.old.wire,
             one.comparison.new.wire)
        for one in components
    ]  # fmt: skip
    rows.append(_row("the set, shared layers once", before.unpacked, after.unpacked, before.wire, after.wire))
    return rows


def _row(name: str, before: int, after: int, wire_before: int | None, wire_after: int | None) -> list[str]:
    return [
        name,
        size(before),
        size(after),
        _reduction(before, after),
        size(wire_before),
        size(wire_after),
        _reduction(wire_before, wire_after),
    ]


def _reduction(before: int | None, after: int | None) -> str:
    if before is None or after is None:
        return share(None, None)
    return share(before - after, before)
