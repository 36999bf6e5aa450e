"""Why paths stay or go, for the console and as JSON: the schema of that is docs/schema/why-v1.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from deadweight._version import __version__
from deadweight.report.console import listing
from deadweight.report.slimming import removed_by_kind, title_of
from deadweight.report.units import count, printable, size
from deadweight.slimming.explanation import Below, Dead, Why
from deadweight.slimming.selection import Removal
from deadweight.slimming.why import Answer

SCHEMA_VERSION = 1
MAX_ITEMS = 1000
"""The most removed paths of a directory in JSON; the sums count all of them."""


def print_why(answer: Answer, console: Console, top: int) -> None:
    """Prints each path with its chain of evidence, or what removes it; `top` bounds the rows of each list."""
    how = "run" if not answer.why_not_run else f"not run: {answer.why_not_run}"
    console.print(
        Text(f"{printable(answer.reference)}, level {answer.level} ({printable(how)})", style="dim")
    )
    for one in answer.paths:
        console.print(Text(""))
        console.print(_title(one))
        for line in _lines(one, top):
            console.print(Padding(line, (0, 0, 0, 2)))
    if answer.notes:
        console.print(Text(""))
    for note in answer.notes:
        console.print(Text(f"note: {printable(note)}", style="dim", overflow="fold"))


def render_why_json(answer: Answer) -> str:
    """One JSON document; bytes are integers."""
    return json.dumps(report(answer), indent=2, ensure_ascii=False) + "\n"


def report(answer: Answer) -> dict[str, Any]:
    """The document as plain data, in the order of the schema."""
    return {
        "schema_version": SCHEMA_VERSION,
        "deadweight_version": __version__,
        "reference": printable(answer.reference),
        "digest": str(answer.digest),
        "level": answer.level,
        "why_not_run": printable(answer.why_not_run) or None,
        "paths": [_path(one) for one in answer.paths],
        "notes": [printable(note) for note in answer.notes],
    }


def _title(one: Why) -> Text:
    arrow = f" -> {printable(one.link)}" if one.link else ""
    facts = [printable(one.owner)] if one.owner else []
    if one.visible and one.below is None and not one.link:
        facts.append(size(one.unpacked))
    tail = f"  {', '.join(facts)}" if facts else ""
    return Text.assemble((f"/{printable(one.path)}{arrow}", "bold"), (tail, "dim"), overflow="fold")


def _lines(one: Why, top: int) -> Iterator[Any]:
    if not one.stays:
        title = f": {title_of(one.kind)}" if one.kind else ""
        yield Text.assemble(("goes", "yellow"), f" from level {one.level} on{title}", overflow="fold")
        yield Text(printable(one.because), style="dim", overflow="fold")
    elif one.chain:
        yield Text.assemble(("stays", "green"), ", because", overflow="fold")
        for step in one.chain:
            yield Text.assemble(
                f"/{printable(step.path)}: {printable(step.because)} ",
                (f"[{step.rule}]", "dim"),
                overflow="fold",
            )
    else:
        yield Text.assemble(("stays", "green"), f": {printable(one.because)}", overflow="fold")
    if one.below is not None:
        yield from _below(one.below, top)
    yield from (Text(_dead(dead), style="dim", overflow="fold") for dead in one.dead[:top])
    if len(one.dead) > top:
        yield Text(f"and {len(one.dead) - top:,} more that no container sees", style="dim")


def _below(below: Below, top: int) -> Iterator[Any]:
    yield Text(f"of it stay {count(below.files, 'path')} ({size(below.unpacked)})")
    if not below.removals:
        return
    table = listing("of it go", "paths", "unpacked", "")
    for kind in removed_by_kind(below.removals)[:top]:
        table.add_row(kind.title, f"{kind.files:,}", size(kind.unpacked), "")
    yield table
    paths = listing("the largest", "unpacked", "")
    for removal in _largest(below)[:top]:
        paths.add_row(f"/{printable(removal.path)}", size(removal.unpacked), title_of(removal.kind))
    yield paths


def _largest(below: Below) -> list[Removal]:
    return sorted(below.removals, key=lambda removal: (-removal.unpacked, removal.path))


def _dead(dead: Dead) -> str:
    where = f"layer {dead.layer + 1} has {size(dead.unpacked)} of /{printable(dead.path)}"
    return f"{where} that no container sees: {dead.kind} by layer {dead.hidden_by + 1}"


def _path(one: Why) -> dict[str, Any]:
    return {
        "path": f"/{printable(one.path)}",
        "visible": one.visible,
        "link": printable(one.link) or None,
        "owner": printable(one.owner) or None,
        "unpacked": one.unpacked,
        "stays": one.stays,
        "because": printable(one.because),
        "chain": [
            {"path": f"/{printable(step.path)}", "rule": step.rule, "because": printable(step.because)}
            for step in one.chain
        ],
        "removal": None if one.stays else {"level": one.level, **_kind(one.kind)},
        "below": _below_json(one.below) if one.below is not None else None,
        "dead": [
            {
                "path": f"/{printable(dead.path)}",
                "layer": dead.layer,
                "class": dead.kind,
                "hidden_by": dead.hidden_by,
                "unpacked": dead.unpacked,
            }
            for dead in one.dead[:MAX_ITEMS]
        ],
    }


def _kind(kind: str) -> dict[str, Any]:
    return {"kind": kind or None, "title": title_of(kind) or None}


def _below_json(below: Below) -> dict[str, Any]:
    return {
        "stays": {"files": below.files, "unpacked": below.unpacked},
        "goes": [
            {**_kind(kind.kind), "files": kind.files, "unpacked": kind.unpacked}
            for kind in removed_by_kind(below.removals)
        ],
        "largest": [
            {"path": f"/{printable(removal.path)}", "kind": removal.kind, "unpacked": removal.unpacked}
            for removal in _largest(below)[:MAX_ITEMS]
        ],
    }
