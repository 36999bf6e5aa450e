"""What is told of a result is what it has: kept and removed bytes add up, to the byte, whatever was rewritten or stayed whole."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import html_samples
import rpm_samples
from deadweight.report.slim_html import render_slim_html, slim_treemap
from deadweight.report.slim_json import report
from deadweight.report.slimming import print_slim, render_slim_markdown
from deadweight.report.treemap import Treemap
from deadweight.slimming.outcome import outcome_of
from deadweight.slimming.result import Attempt, Outcome, Proof, SlimResult
from deadweight.slimming.selection import BOOKS, REWRITTEN, UNREACHED, Removal
from layers_by_hand import Member, file, hard_link, image_of, whiteout
from services.images import write_layout
from slim_samples import layers, subject_of, write_without

Layers = Sequence[Sequence[Member]]
MUSL = "C:Q1musl=\nP:musl\nV:1-r0\nF:lib\nR:libc.so\nZ:Q1a=\nR:ld.so\nZ:Q1b=\n\n"
BUSYBOX = "C:Q1busy=\nP:busybox\nV:2-r0\nF:bin\nR:busybox\nZ:Q1c=\n\n"


def alpine(folder: Path) -> Layers:
    files = [("lib/libc.so", 300), ("lib/ld.so", 50), ("bin/busybox", 4000)]
    installed = file("lib/apk/db/installed", (MUSL + BUSYBOX).encode())
    return [[installed, *(file(path, size) for path, size in files)]]


def red_hat(folder: Path) -> Layers:
    database = rpm_samples.sqlite_database(
        [
            rpm_samples.package("bash", paths=["/usr/bin/bash"]),
            rpm_samples.package("doc", paths=["/usr/doc"]),
        ],
        folder,
    )
    return [[file("var/lib/rpm/rpmdb.sqlite", database), file("usr/bin/bash", 900), file("usr/doc", 70)]]


def debian(folder: Path) -> Layers:
    return layers()


def slimmed(
    folder: Path, made: Layers, goes: Callable[[str], bool], base: int = 0, **config: Any
) -> SlimResult:
    """The image of `made` written without the paths that go, with what slimming would say of it."""
    write_layout(folder / "before", image_of(made, (), config))
    with subject_of(f"oci:{folder}/before:latest") as subject:
        tree = subject.view.merged.tree
        selected = [
            Removal(node.path, node.entry.size, UNREACHED, "") for node in tree.leaves if goes(node.path)
        ]
        write_without(subject, folder / "after", goes, base)
        with subject_of(f"oci:{folder}/after:slim") as result:
            outcome = outcome_of(subject, result, selected)
            attempt = Attempt("files", result.measure(), Proof(why_none="no need"), outcome=outcome)
        sample = html_samples.slimmed(html_samples.small())
        return replace(sample, before=subject.measure(), attempts=(attempt,), view=subject.view)


def sums(treemap: Treemap) -> dict[str, int]:
    """Unpacked bytes by category: of a cell that only a part of went, the rest is kept."""
    found: dict[str, int] = {}
    cells = treemap.cells
    for unpacked, number, marks in zip(cells.unpacked, cells.category, cells.marks, strict=True):
        category = treemap.categories[number]
        part = unpacked if category.kind == "dead" else sum(size for _, size in marks)
        found["live"] = found.get("live", 0) + (unpacked - part if number else unpacked)
        if number and part:
            found[category.id] = found.get(category.id, 0) + part
    return found


@pytest.mark.parametrize(
    ("make", "gone", "expected", "packages"),
    [
        (
            debian,
            ("usr/share/doc/", "usr/share/tool/", "usr/bin/tool"),
            {
                "live": 1223,
                "unreached": 3752,
                "package-database": 76,
                "rewritten": 246,
                "superseded": 40,
                "deleted": 700,
            },
            ["tool", "tool-data"],
        ),
        # Of 114 bytes 48 are left: those of one package, without the lines of ld.so.
        (alpine, ("bin/", "lib/ld.so"), {"live": 300 + 48, "unreached": 4050, "rewritten": 66}, ["busybox"]),
        (red_hat, ("usr/",), {"live": 20480 + 970}, []),
    ],
)
def test_kept_and_removed_add_up(
    tmp_path: Path,
    make: Callable[[Path], Layers],
    gone: tuple[str, ...],
    expected: Mapping[str, int],
    packages: list[str],
) -> None:
    result = slimmed(tmp_path, make(tmp_path), lambda path: path.startswith(gone))
    outcome = result.attempt.outcome
    found = sums(slim_treemap(result))
    assert found == expected
    assert sum(found.values()) == result.before.unpacked
    assert found["live"] == result.attempt.after.unpacked
    told = {one["kind"]: one["unpacked"] for one in report(result)["removed"]}
    assert told == {kind: size for kind, size in expected.items() if kind in (UNREACHED, BOOKS, REWRITTEN)}
    assert outcome.dead == expected.get("superseded", 0) + expected.get("deleted", 0)
    assert [package.name for package in outcome.packages] == packages
    assert result.before.packages - result.attempt.after.packages == len(packages)


def test_base_layers_are_kept_with_what_no_container_sees(tmp_path: Path) -> None:
    base = [[file("usr/a", 500), file("usr/b", 70)], [file("usr/a", 300), whiteout("usr/b")]]
    own = [file("usr/a", 40), file("usr/c", 9), file("usr/d", 2)]
    result = slimmed(tmp_path, [*base, own], lambda path: path in ("usr/a", "usr/c"), base=2)
    found = sums(slim_treemap(result))
    assert found == {"live": 872, "unreached": 49}
    assert result.attempt.after.unpacked == 872
    assert result.attempt.outcome.unchanged == {0, 1}
    assert result.attempt.outcome.dead == 0


def test_a_content_of_which_a_name_stays_is_kept(tmp_path: Path) -> None:
    made = [[file("usr/a", 500), hard_link("usr/b", "usr/a"), file("usr/c", 5), hard_link("usr/d", "usr/c")]]
    result = slimmed(tmp_path, made, lambda path: path in ("usr/a", "usr/c", "usr/d"))
    assert sums(slim_treemap(result)) == {"live": 500, "unreached": 5}
    assert [(one.path, one.unpacked) for one in result.attempt.outcome.removals] == [
        ("usr/a", 0),
        ("usr/c", 5),
        ("usr/d", 0),
    ]


def test_the_page_lists_no_database_as_removed(tmp_path: Path) -> None:
    page = render_slim_html(slimmed(tmp_path, alpine(tmp_path), lambda path: path.startswith("bin/")))
    assert "Package databases, written anew" in page
    assert ">/bin/busybox<" in page
    assert ">/lib/apk/db/installed<" not in page
    assert "beside it goes what no container sees, 0 B." in page


def shown(result: SlimResult) -> str:
    console = Console(file=io.StringIO(), width=100)
    print_slim(result, console, 12)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_wire_size_that_is_unknown_is_explained() -> None:
    result = html_samples.slimmed(html_samples.small())
    for told in (shown(result), render_slim_markdown(result, 12)):
        assert "uncompressed" not in told
    attempt = result.attempt
    known, unknown = result.before, replace(result.before, wire=None)
    for before, after, problem in (
        (unknown, known, "the source holds it uncompressed"),
        (unknown, unknown, "the source holds it uncompressed"),
        (known, unknown, "the result is held uncompressed"),
    ):
        one = replace(result, before=before, attempts=(replace(attempt, after=after),))
        assert f"  wire –: {problem} " in shown(one)
        assert f"\nwire –: {problem}\n" in render_slim_markdown(one, 12)
        assert problem in render_slim_html(one)


def test_where_nothing_goes_nothing_is_listed() -> None:
    result = html_samples.slimmed(html_samples.small())
    assert "\nremoved" in shown(result)
    one = replace(result, attempts=(replace(result.attempt, outcome=Outcome()),))
    assert "\nremoved" not in shown(one)
