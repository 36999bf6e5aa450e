"""Patterns of paths against a plain model: a regular expression over every path."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from deadweight.evidence.globs import matching
from layers_by_hand import directory, file
from scenes import scene_of

names = st.sampled_from(["a", "b", "ab", "ba", "a.b"])
parts = st.sampled_from(["a", "ab", "*", "a*", "*b", "?", "**", "?.b"])


def plainly(pattern: str, path: str, is_directory: bool) -> bool:
    """`**` at the end stands for files at any depth, elsewhere for any number of folders."""
    text = ""
    segments = pattern.split("/")
    for position, segment in enumerate(segments):
        if segment == "**":
            text += ".+" if position == len(segments) - 1 else "(?:[^/]+/)*"
            continue
        text += "".join({"*": "[^/]*", "?": "[^/]"}.get(letter, re.escape(letter)) for letter in segment)
        text += "" if position == len(segments) - 1 else "/"
    return re.fullmatch(text, path) is not None and not (is_directory and segments[-1] == "**")


@settings(deadline=None)
@given(
    st.sets(st.lists(names, min_size=1, max_size=4).map("/".join), min_size=1, max_size=8),
    st.lists(parts, min_size=1, max_size=4).map("/".join),
)
def test_it_finds_what_the_model_finds(paths: set[str], pattern: str) -> None:
    above = {path.rsplit("/", count)[0] for path in paths for count in range(1, path.count("/") + 1)}
    members = [directory(path) for path in sorted(above)] + [file(path) for path in sorted(paths - above)]
    found = list(matching(scene_of(*members), pattern))
    assert set(found) == {path for path in above | paths if plainly(pattern, path, path in above)}
