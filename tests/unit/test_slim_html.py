"""The page of a slimmed image: what the treemap is given, and that nothing in it can become markup."""

from __future__ import annotations

import html_samples as samples
from deadweight.report.slim_html import render_slim_html, slim_treemap
from deadweight.report.treemap import CONTENT

MAX_PAGE = 1_500_000


def test_removed_files_have_the_category_of_their_reason_and_kept_ones_say_who_needs_them() -> None:
    result = samples.slimmed(samples.small())
    treemap = slim_treemap(result)
    cells = treemap.cells
    kinds = {removal.path: removal.kind for removal in result.attempt.outcome.removals}
    live = [
        number
        for number, kind in enumerate(cells.kind)
        if kind == CONTENT and treemap.categories[cells.category[number]].kind != "dead"
    ]
    assert len(live) > 8
    for number in live:
        path, category = cells.path[number], treemap.categories[cells.category[number]]
        note = treemap.notes.texts[treemap.notes.numbers[number]]
        if path in kinds:
            assert category.id == kinds[path]
            assert note == ""
        else:
            assert (category.id, category.label) == ("live", "Kept")
            assert (
                note.endswith("[elf-needed] – by /empty") or note == "was executed in the workload [observed]"
            )


def test_what_goes_is_never_told_by_colour_alone() -> None:
    kinds = [f"kind-{number}" for number in range(9)]
    treemap = slim_treemap(samples.slimmed(samples.large(200), kinds))
    removed = [one for one in treemap.categories if one.id in kinds]
    assert len(removed) == 9
    assert all(one.hue and one.pattern != "plain" for one in removed)
    assert len({(one.hue, one.pattern) for one in treemap.categories if one.hue}) == len(
        [one for one in treemap.categories if one.hue]
    )


def test_the_bytes_that_go_are_those_of_the_removals() -> None:
    result = samples.slimmed(samples.small())
    treemap = slim_treemap(result)
    cells = treemap.cells
    removed = sum(
        size
        for size, number in zip(cells.unpacked, cells.category, strict=True)
        if treemap.categories[number].id in ("documentation", "unused-package")
    )
    assert removed == sum(removal.unpacked for removal in result.attempt.outcome.removals)


def test_the_page_is_the_same_each_time_and_of_bounded_size() -> None:
    analysis = samples.large()
    page = render_slim_html(samples.slimmed(analysis))
    assert page == render_slim_html(samples.slimmed(analysis))
    assert len(page.encode()) < MAX_PAGE


def test_names_stay_text() -> None:
    analysis = samples.analysis_of([[samples.file(name, 10) for name in ("a", "b<script>x", "c")]])
    page = render_slim_html(samples.slimmed(analysis))
    assert "<script>x" not in page
    assert "/b&lt;script&gt;x" in page
    assert "status: 200 → 500" in page
    assert "nothing was written" in page
