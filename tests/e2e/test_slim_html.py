"""The page of a slimmed image in a real Chromium: kept and removed parts, and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import html_samples as samples
from browsers import Show
from deadweight.report.slim_html import render_slim_html
from deadweight.slimming.result import Outcome
from deadweight.slimming.selection import REWRITTEN, Removal

pytestmark = pytest.mark.browser


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    path = tmp_path / "slim.html"
    path.write_text(render_slim_html(samples.slimmed(samples.small())), "utf-8")
    return path


def test_the_legend_tells_kept_from_removed_by_colour_and_pattern(show: Show, page_file: Path) -> None:
    page = show(page_file)
    lines = page.locator("#legend button")
    assert lines.first.inner_text().startswith("Kept")
    patterns = {
        line.inner_text().split("\n")[0]: line.locator("i").get_attribute("data-pattern")
        for line in lines.all()
    }
    kept = [name for name, pattern in patterns.items() if pattern == "plain"]
    assert len(kept) == 1
    assert kept[0].startswith("Kept")
    fills = page.evaluate(
        "page.cells.categories.map((one, i) => [one.id, typeof page.painter.palette.fills[i]])"
    )
    assert dict(fills)["live"] == "string"
    assert dict(fills)["documentation"] == dict(fills)["unused-package"] == "object"  # a pattern


def test_a_kept_file_says_who_needs_it_and_a_removed_one_why_it_goes(show: Show, page_file: Path) -> None:
    page = show(page_file)
    page.locator("#search").fill("libz.so")
    page.locator("#panel .sum").wait_for()
    kept = "Kept · layer 1 · the dynamic linker loads it as libz.so (DT_NEEDED) [elf-needed] – by /empty"
    assert kept in page.locator("#panel").inner_text()
    gone = samples.slimmed(samples.small()).attempt.outcome.removals
    path = next(one.path for one in gone if one.kind == "documentation" and one.unpacked)
    page.locator("#search").fill(f"/{path}")
    page.locator("#panel h3", has_text=path).wait_for()
    assert "Documentation · layer" in page.locator("#panel").inner_text()
    page.locator("#panel .path").click()
    assert "Removed as" in page.locator("#tip").inner_text()


def test_it_is_walked_from_directory_to_file(show: Show, page_file: Path) -> None:
    page = show(page_file)
    for name in ("usr", "lib"):
        page.locator("#panel .name", has_text=name).first.click()
    assert "libx.so" in page.locator("#panel").inner_text()
    assert page.locator("#panel thead").inner_text().split() == ["Name", "Size", "Removed"]


def test_lines_of_the_table_lead_into_the_treemap(show: Show, page_file: Path) -> None:
    page = show(page_file)
    page.locator("section .go", has_text="Documentation").click()
    removed = sum(
        one.unpacked
        for one in samples.slimmed(samples.small()).attempt.outcome.removals
        if one.kind == "documentation"
    )
    total = page.evaluate(
        "page.filter.matches.reduce((sum, part, cell) => sum + part * page.cells.sizes[UNPACKED][cell], 0)"
    )
    assert total == removed


def test_before_after_and_the_proof_need_no_script(show: Show, page_file: Path) -> None:
    page = show(page_file, script=False)
    text = page.locator("main").inner_text()
    assert "Before and after" in text
    assert "http:GET /" in text
    assert "status: 200 → 500" in text


def test_the_legend_adds_up_where_of_a_file_only_a_part_went(show: Show, tmp_path: Path) -> None:
    result = samples.slimmed(samples.small())
    part = Removal("usr/bin/perl", 1_000_000, REWRITTEN, "")
    attempt = replace(result.attempt, outcome=Outcome((part,)))
    path = tmp_path / "part.html"
    path.write_text(render_slim_html(replace(result, attempts=(attempt,))), "utf-8")
    page = show(path)
    sums = dict(page.evaluate("page.cells.categories.map((one, i) => [one.id, page.sums[UNPACKED][i]])"))
    assert sums[REWRITTEN] == 1_000_000
    assert sum(sums.values()) == result.before.unpacked
