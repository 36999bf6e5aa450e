from __future__ import annotations

from pathlib import Path

import pytest

from deadweight.transport.location import exists, split_location


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_whole_location_that_exists_is_the_path() -> None:
    Path("a:b").mkdir()
    assert split_location("a:b") == (Path("a:b"), "")


def test_the_longest_part_that_exists_is_the_path() -> None:
    Path("a").mkdir()
    Path("a:b").mkdir()
    assert split_location("a:b:c/d:e") == (Path("a:b"), "c/d:e")


@pytest.mark.parametrize(
    ("location", "path", "name"),
    [
        ("new", "new", ""),
        ("new:tag", "new", "tag"),
        ("new:registry.example/x:1", "new", "registry.example/x:1"),
        ("sub/new:tag", "sub/new", "tag"),
        ("a:b/new:x/y:1", "a:b/new", "x/y:1"),
        ("/nowhere/new:tag", "/nowhere/new", "tag"),
        ("/nowhere/new", "/nowhere/new", ""),
    ],
)
def test_of_what_does_not_exist_the_name_begins_after_the_deepest_folder_that_does(
    location: str, path: str, name: str
) -> None:
    Path("a:b").mkdir()
    Path("sub").mkdir()
    assert split_location(location) == (Path(path), name)


def test_an_empty_name_is_none() -> None:
    Path("a").mkdir()
    assert split_location("a:") == (Path("a"), "")


@pytest.mark.parametrize("text", ["x" * 5000, "a\0b"])
def test_what_cannot_be_a_path_does_not_exist(text: str) -> None:
    assert not exists(text)
