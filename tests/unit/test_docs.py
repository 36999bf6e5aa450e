"""The documentation agrees with the program: pages, options, limits and links."""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from pathlib import Path

import pytest

from deadweight.cli.parser import build_parser

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
SHARED_PAGES = {
    "ls": "look.md",
    "cat": "look.md",
    "tree": "look.md",
    "compare": "probe.md",
    "why": "slim-tools.md",
    "removed": "slim-tools.md",
    "restore": "slim-tools.md",
}
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands() -> dict[str, argparse.ArgumentParser]:
    actions = build_parser()._actions
    sub = next(action for action in actions if isinstance(action, argparse._SubParsersAction))
    for parser in sub.choices.values():
        parser.complete()
    return dict(sub.choices)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(text_of(page)):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), target
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path), f"{target}#{anchor}"


def test_the_index_names_every_page() -> None:
    named = {target for target, _ in LINK.findall(text_of(ROOT / "docs" / "index.md"))}
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"index.md"} <= named


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_is_on_its_commands_page(name: str) -> None:
    page = text_of(ROOT / "docs" / SHARED_PAGES.get(name, f"{name}.md"))
    written = set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", page))
    options = {option for action in commands()[name]._actions for option in action.option_strings}
    assert options - {"-h", "--help"} <= written


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_no_option_is_written_that_does_not_exist(page: Path) -> None:
    known = {
        option
        for parser in (build_parser(), *commands().values())
        for action in parser._actions
        for option in action.option_strings
    }
    lines = [line for line in text_of(page).splitlines() if line.startswith("deadweight ")]
    lines += re.findall(r"^\| (`--.*?) \|", text_of(page), re.MULTILINE)
    for line in lines:
        ours = line.partition(" -- ")[0]  # what comes after it are the options of another program
        assert set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", ours)) <= known, line


def test_the_limits_are_those_of_the_code() -> None:
    rows = re.findall(
        r"^\| [^|]+ \| ([^|]+) \| (`[^|]+`) \|$", text_of(ROOT / "docs" / "security.md"), re.MULTILINE
    )
    assert len(rows) >= 13
    for written, names in rows:
        numbers = [
            int(number.replace(",", "")) * {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}.get(unit, 1)
            for number, unit in re.findall(r"(\d[\d,]*) ?(KiB|MiB|GiB)?", written)
        ]
        for name, number in zip(re.findall(r"`([^`]+)`", names), numbers, strict=True):
            module, _, constant = name.rpartition(".")
            assert getattr(import_module(f"deadweight.{module}"), constant) == number, name
