"""What was put back, for the console and as JSON: the schema of that is docs/schema/restored-v1.json."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.text import Text

from deadweight._version import __version__
from deadweight.report.console import listing, section
from deadweight.report.units import change, count, printable, size
from deadweight.slimming.restore import RestoreResult

SCHEMA_VERSION = 1


def print_restored(result: RestoreResult, console: Console, top: int) -> None:
    """Prints what came back, the largest first, and what the image grew by; `top` bounds the rows."""
    where = f"{printable(result.slimmed)} -> {printable(result.destination)}"
    console.print(Text(where, style="bold", overflow="fold"))
    grown = result.written.unpacked - result.before.unpacked
    told = f"restored: {count(len(result.restored), 'path')}; unpacked {size(result.before.unpacked)}"
    console.print(Text(f"{told} -> {size(result.written.unpacked)} ({change(grown)})"))
    if result.restored:
        table = listing("", "unpacked", "because")
        for one in sorted(result.restored, key=lambda one: (-one.unpacked, one.path))[:top]:
            table.add_row(f"/{printable(one.path)}", size(one.unpacked), printable(one.because))
        rest = len(result.restored) - top
        console.print(section(f"what came back ({rest:,} more)" if rest > 0 else "what came back", table))
    for problem in result.problems:
        console.print(Text(f"note: {printable(problem)}", overflow="fold"))
    console.print(Text(""))
    console.print(Text(str(result.digest)))


def render_restored_json(result: RestoreResult) -> str:
    """One JSON document; bytes are integers."""
    return json.dumps(report(result), indent=1, ensure_ascii=False) + "\n"


def report(result: RestoreResult) -> dict[str, Any]:
    """The document as plain data, in the order of the schema."""
    return {
        "schema_version": SCHEMA_VERSION,
        "deadweight_version": __version__,
        "original": printable(result.original),
        "slimmed": printable(result.slimmed),
        "destination": printable(result.destination),
        "digest": str(result.digest),
        "before": {"unpacked": result.before.unpacked, "files": result.before.files},
        "after": {"unpacked": result.written.unpacked, "files": result.written.files},
        "restored": [
            {
                "path": f"/{printable(one.path)}",
                "unpacked": one.unpacked,
                "rule": one.rule,
                "because": printable(one.because),
            }
            for one in result.restored
        ],
        "notes": [printable(problem) for problem in result.problems],
    }
