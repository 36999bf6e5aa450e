"""What slimming removed, for the console and as JSON: the schema of that is docs/schema/removed-v1.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from deadweight._version import __version__
from deadweight.report.console import listing, section
from deadweight.report.slimming import title_of
from deadweight.report.units import UNKNOWN, count, printable, share, size
from deadweight.slimming.removed import RemovedResult, Sum
from deadweight.slimming.selection import Removal

SCHEMA_VERSION = 1
UNOWNED = "no package"


def print_removed(result: RemovedResult, console: Console, top: int) -> None:
    """Prints sums and the largest paths; `top` bounds the rows of each list."""
    level = f", level {result.level}" if result.level else ""
    console.print(
        Text(
            f"{printable(result.original)} -> {printable(result.slimmed)}{level}",
            style="bold",
            overflow="fold",
        )
    )
    told = f"removed: {count(len(result.removals), 'path')}, {size(result.unpacked)} unpacked"
    told += f" ({share(result.unpacked, result.before.unpacked)}); {size(result.dead)} that no container saw"
    console.print(Text(told, overflow="fold"))
    console.print(_sums("by reason", result.by_kind(), top, lambda name: title_of(name) or UNKNOWN))
    console.print(_sums("by package", result.by_owner(), top, lambda name: name or UNOWNED))
    console.print(_sums("by directory", result.by_folder(), top, lambda name: f"/{name}"))
    paths = listing("", "unpacked", "package", "reason")
    for removal in result.removals[:top]:
        paths.add_row(
            f"/{printable(removal.path)}",
            size(removal.unpacked),
            printable(removal.owner) or UNOWNED,
            title_of(removal.kind) or UNKNOWN,
        )
    console.print(section(_more("paths", len(result.removals), top), paths))
    if result.rewritten:
        shown = ", ".join(f"/{printable(path)}" for path in result.rewritten[:top])
        rest = len(result.rewritten) - top
        told = f"{shown} and {rest:,} more" if rest > 0 else shown
        console.print(
            section("package databases that were written anew", Text(told, style="dim", overflow="fold"))
        )


def render_removed_json(result: RemovedResult) -> str:
    """One JSON document with all paths; bytes are integers."""
    return json.dumps(report(result), indent=1, ensure_ascii=False) + "\n"


def report(result: RemovedResult) -> dict[str, Any]:
    """The document as plain data, in the order of the schema."""
    return {
        "schema_version": SCHEMA_VERSION,
        "deadweight_version": __version__,
        "original": printable(result.original),
        "slimmed": printable(result.slimmed),
        "level": printable(result.level) or None,
        "before": asdict(result.before),
        "after": asdict(result.after),
        "unpacked": result.unpacked,
        "dead": result.dead,
        "by_reason": [_sum("kind", one) for one in result.by_kind()],
        "by_owner": [_sum("owner", one) for one in result.by_owner()],
        "by_directory": [
            {"directory": f"/{printable(one.name)}", "files": one.files, "unpacked": one.unpacked}
            for one in result.by_folder()
        ],
        "paths": [_path(removal) for removal in result.removals],
        "rewritten": [f"/{printable(path)}" for path in result.rewritten],
    }


def _sum(key: str, one: Sum) -> dict[str, Any]:
    return {key: printable(one.name) or None, "files": one.files, "unpacked": one.unpacked}


def _path(removal: Removal) -> dict[str, Any]:
    return {
        "path": f"/{printable(removal.path)}",
        "unpacked": removal.unpacked,
        "owner": printable(removal.owner) or None,
        "kind": removal.kind or None,
    }


def _sums(title: str, sums: Sequence[Sum], top: int, name: Callable[[str], str]) -> Any:
    table = listing("", "paths", "unpacked", "")
    for one in sums[:top]:
        table.add_row(printable(name(one.name)), f"{one.files:,}", size(one.unpacked), "")
    return section(_more(title, len(sums), top), table)


def _more(title: str, rows: int, top: int) -> str:
    return f"{title} ({rows - top:,} more)" if rows > top else title
