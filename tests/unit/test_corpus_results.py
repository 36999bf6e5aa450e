"""What the corpus' table says, and whose turn it is."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from examples.corpus.application import Application, names, read_application
from examples.corpus.results import TOO_LARGE, Outcome, Sizes, render, rotation
from examples.corpus.slimmed import fingerprint, newest

GOOD = Outcome(
    "web", Sizes(60_000_000, 180_000_000), Sizes(8_000_000, 20_000_000), "files", 12, 12, 11.66, ()
)
BROKEN = replace(GOOD, name="job", kept=11, broken=("a time zone (http:GET /t): 500 instead of 200",))
NONE = replace(GOOD, name="old", after=None, level="", kept=0, behaviours=0, broken=("probe tcp:80",))


def test_rows() -> None:
    lines = render([GOOD, BROKEN, NONE]).splitlines()
    assert lines[2] == (
        "| `web` | 180.0 MB | 20.0 MB | 9.0 | 60.0 MB | 8.0 MB | 7.5 | files | 12 of 12 | 11.7 |"
    )
    assert "| files | 11 of 12 |" in lines[3]
    assert lines[4] == "| `old` | 180.0 MB |  |  | 60.0 MB |  |  | **none passed** |  | 11.7 |"
    assert {line.count("|") for line in lines[:5]} == {11}
    assert lines[5:] == [
        "",
        "Broken:",
        "",
        "- job: a time zone (http:GET /t): 500 instead of 200",
        "- old: probe tcp:80",
    ]


def test_nothing_is_said_to_be_broken_where_nothing_is() -> None:
    assert "Broken" not in render([GOOD])


@pytest.mark.parametrize("outcome", [GOOD, BROKEN, NONE], ids=["good", "broken", "none"])
def test_an_outcome_is_read_as_it_was_written(outcome: Outcome) -> None:
    assert Outcome.from_json(json.dumps(asdict(outcome))) == outcome


def test_good_is_what_passed_and_broke_nothing() -> None:
    assert [one.good for one in (GOOD, BROKEN, NONE)] == [True, False, False]


def test_all_have_their_turn() -> None:
    turns = [rotation(names(), 3, turn) for turn in range(len(names()))]
    assert all(len(set(turn)) == 3 for turn in turns)
    assert {name for turn in turns for name in turn} == set(names()) - TOO_LARGE
    assert rotation(names(), 3, 7) == turns[7]


def test_no_more_have_their_turn_than_there_are() -> None:
    assert rotation(["a", "b"], 3, 5) == ["b", "a"]


def test_an_outcome_holds_for_its_image_and_its_questions(tmp_path: Path) -> None:
    application = copy_of(read_application("nginx"), tmp_path)
    image = tmp_path / "image"
    image.mkdir()
    (image / "index.json").write_text("1")
    before = fingerprint(application, image)
    assert fingerprint(application, image) == before
    (image / "index.json").write_text("2")
    assert fingerprint(application, image) != before
    (image / "index.json").write_text("1")
    (application.folder / "behaviours.toml").write_text("")
    assert fingerprint(application, image) != before


def copy_of(application: Application, folder: Path) -> Application:
    for name in ("probes.toml", "behaviours.toml"):
        (folder / name).write_bytes((application.folder / name).read_bytes())
    return replace(application, folder=folder)


def test_newest_looks_below_folders(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("")
    os.utime(tmp_path / "a" / "b", (5e9, 5e9))
    assert newest(tmp_path) == 5e9
