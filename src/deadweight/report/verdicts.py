"""Verdicts of budgets: for people, as JSON, and as annotations of GitHub's workflows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from rich.text import Text

from deadweight.budget.check import Reason, Verdict
from deadweight.report.console import listing, open_console
from deadweight.report.units import printable, size

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Checked:
    """One image with its verdicts."""

    reference: str
    verdicts: Sequence[Verdict]

    @property
    def passed(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)


def print_verdicts(checked: Iterable[Checked], stream: TextIO) -> None:
    """For each image a line a limit; below a limit that is passed its reasons."""
    console = open_console(stream)
    for one in checked:
        console.print(Text(printable(one.reference), style="bold"))
        table = listing("", "has", "limit", "")
        for verdict in one.verdicts:
            table.add_row(
                verdict.key, _shown(verdict, verdict.value), _shown(verdict, verdict.limit), _word(verdict)
            )
        console.print(table)
        for verdict in one.verdicts:
            for reason in verdict.reasons:
                console.print(Text(f"  {verdict.key}: {_told(reason)}", style="dim"), soft_wrap=True)


def verdicts_json(checked: Iterable[Checked]) -> str:
    """The verdicts as JSON; sizes in bytes."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "images": [
            {
                "reference": printable(one.reference),
                "passed": one.passed,
                "limits": [_plain(verdict) for verdict in one.verdicts],
            }
            for one in checked
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def github_annotations(checked: Iterable[Checked], file: str) -> str:
    """A workflow command of GitHub's Actions for each limit that is passed, pointing to the settings in `file`."""
    lines = []
    for one in checked:
        for verdict in one.verdicts:
            if not verdict.passed:
                reasons = "; ".join(_told(reason) for reason in verdict.reasons)
                has, limit = _shown(verdict, verdict.value), _shown(verdict, verdict.limit)
                text = f"{printable(one.reference)}: {verdict.key} {has}, limit {limit}. {reasons}"
                place = f"file={_property(file)}," if file else ""
                lines.append(f"::error {place}title=deadweight budget::{_message(text)}\n")
    return "".join(lines)


def _plain(verdict: Verdict) -> dict[str, Any]:
    return {
        "key": verdict.key,
        "value": verdict.value,
        "limit": verdict.limit,
        "passed": verdict.passed,
        "reasons": [{"text": printable(reason.text), "unpacked": reason.size} for reason in verdict.reasons],
    }


def _word(verdict: Verdict) -> Text:
    return Text("ok", style="green") if verdict.passed else Text("over budget", style="bold red")


def _shown(verdict: Verdict, value: int | None) -> str:
    return size(value) if verdict.is_size or value is None else str(value)


def _told(reason: Reason) -> str:
    return printable(reason.text) + (f", {size(reason.size)}" if reason.size is not None else "")


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
