"""What is shown of a slimming that failed: the probes side by side, what was looked for in vain, and what would have passed."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import jsonschema
import pytest
from rich.console import Console

import html_samples as samples
from conftest import ROOT
from deadweight.probe.compare import Difference
from deadweight.probe.proof import ProbeResult
from deadweight.report.slim_json import render_slim_json
from deadweight.report.slimming import print_slim, render_slim_markdown
from deadweight.slimming.result import Attempt, Proof, SlimResult
from deadweight.slimming.selection import Removal

ESCAPE = "\x1b[31m"


@pytest.fixture
def failed() -> SlimResult:
    """Thirty probes passed, and then one failed."""
    result = samples.slimmed(samples.small())
    status = Difference("status", "200", f"5|00{ESCAPE}")
    probes = [
        *(ProbeResult(f"exec:fine {number}", ()) for number in range(30)),
        ProbeResult("http:GET /tz", (status,)),
    ]
    zone = Removal("usr/share/zoneinfo/Asia/Tokyo", 309, "unreached", f"deb:tzdata{ESCAPE}")
    missing = (zone, zone._replace(path="usr/x"))
    attempt = Attempt("files", result.before, Proof(tuple(probes)), missing, result.attempt.outcome)
    return replace(result, attempts=(attempt,), would_pass="packages")


def shown(result: SlimResult, top: int) -> str:
    console = Console(file=io.StringIO(), width=200)
    print_slim(result, console, top)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())


def test_the_console_shows_both_answers_and_what_was_missing(failed: SlimResult) -> None:
    text = shown(failed, 1)
    assert "nothing was written: 1 of 31 probes failed at level files; level packages passes" in text
    lines = text.splitlines()
    assert any("http:GET /tz" in line and "FAILED" in line for line in lines)
    assert any("200" in line and "5|00" in line for line in lines)
    assert any(
        "/usr/share/zoneinfo/Asia/Tokyo" in line and "Files of packages that nothing reaches" in line
        for line in lines
    )
    assert "\nremoved (1 more)\n" in _trimmed(text)
    assert "\nproof (29 more)\n" in _trimmed(text)
    assert "\nproof\n" in _trimmed(shown(failed, 31))
    assert "/usr/x" not in text
    assert "/usr/x" in shown(failed, 2)
    assert ESCAPE not in text


def test_markdown_does_too(failed: SlimResult) -> None:
    text = render_slim_markdown(failed, 12)
    assert "| `http:GET /tz` | status | `200` | `5\\|00\\x1b[31m` |" in text
    assert "| `/usr/share/zoneinfo/Asia/Tokyo` | Files of packages that nothing reaches deb:tzdata" in text
    assert ESCAPE not in text


def test_json_has_all_of_it(failed: SlimResult) -> None:
    document = json.loads(render_slim_json([failed]))
    jsonschema.validate(document, json.loads((ROOT / "docs" / "schema" / "slim-v1.json").read_text()))
    assert (document["level"], document["digest"], document["would_pass"]) == (None, None, "packages")
    assert (document["proof"]["passed"], document["proof"]["failed"]) == (30, 1)
    assert [one["path"] for one in document["attempts"][0]["missing"]] == [
        "usr/share/zoneinfo/Asia/Tokyo",
        "usr/x",
    ]
