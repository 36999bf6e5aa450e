"""Parts of pages: headed sections, tables, terms and figures."""

from __future__ import annotations

from collections.abc import Sequence

from deadweight.report.markup import Html, element, fragment

MAX_ROWS = 200
"""Rows of a table that are shown; the rest is counted."""


def figure(name: str, value: str, note: str, kind: str | None = None) -> Html:
    """One number of the few that matter most."""
    return element(
        "div",
        element("dt", name),
        element("dd", value, class_="value"),
        element("dd", note, class_="note"),
        class_=kind,
    )


def term(name: str, value: str) -> tuple[Html, Html]:
    """A name and its value in a list of terms."""
    return element("dt", name), element("dd", value)


def section(title: str, note: str, *children: Html) -> Html:
    """A part of the page with a heading and a sentence below it."""
    return element("section", element("h2", title), element("p", note, class_="note"), *children)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], most: int = MAX_ROWS) -> Html:
    """A table of at most `most` rows; a head that starts with ``#`` and goes on is one of numbers."""
    kinds = ["number" if head.startswith("#") and head != "#" else None for head in heads]
    head = [
        element("th", head.removeprefix("#") if kind else head, class_=kind, scope="col")
        for head, kind in zip(heads, kinds, strict=True)
    ]
    body = [
        element("tr", *(element("td", cell, class_=kind) for cell, kind in zip(row, kinds, strict=True)))
        for row in rows[:most]
    ]
    more = len(rows) - len(body)
    whole = element("table", element("thead", element("tr", *head)), element("tbody", *body))
    return fragment(
        element("div", whole, class_="scroll"),
        element("p", f"and {more:,} more", class_="more") if more > 0 else None,
    )
