"""The layers that examples/debian_image.py writes: applied one on the other they give the snapshots again."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from examples.debian_image import Signature, read_recipe, signatures, write_layer

FILE, DIRECTORY, LINK, SYMLINK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE
Item = tuple[bytes, str, int]


def snapshot(path: Path, items: dict[str, Item]) -> Path:
    """A tar file of `items`: name -> type, content or link target, mode."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, (kind, text, mode) in items.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = kind, mode
            if kind == FILE:
                entry.size = len(text)
            else:
                entry.linkname = text
            archive.addfile(entry, BytesIO(text.encode()))
    return path


def entries(layer: Path) -> list[str]:
    with tarfile.open(layer) as archive:
        return archive.getnames()


LOWER: dict[str, Item] = {
    ".": (DIRECTORY, "", 0o755),
    "./d": (DIRECTORY, "", 0o755),
    "./d/one": (FILE, "1", 0o644),
    "./d/two": (FILE, "2", 0o644),
    "./first": (FILE, "linked", 0o644),
    "./second": (LINK, "./first", 0o644),
    "./same": (FILE, "same", 0o644),
    "./turn": (DIRECTORY, "", 0o755),
    "./turn/below": (FILE, "below", 0o644),
}


def layer_between(folder: Path, upper: dict[str, Item]) -> list[str]:
    """The names in the layer from `LOWER` to `upper`."""
    low, high = snapshot(folder / "low", LOWER), snapshot(folder / "high", upper)
    write_layer(signatures(low), signatures(high), high, folder / "layer")
    return entries(folder / "layer")


def test_nothing_changed(tmp_path: Path) -> None:
    assert layer_between(tmp_path, LOWER) == []


def test_the_first_layer_has_everything(tmp_path: Path) -> None:
    high = snapshot(tmp_path / "high", LOWER)
    nothing: dict[str, Signature] = {}
    write_layer(nothing, signatures(high), high, tmp_path / "layer")
    assert entries(tmp_path / "layer") == list(LOWER)


def test_a_directory_that_is_gone_has_one_whiteout(tmp_path: Path) -> None:
    assert layer_between(
        tmp_path, {name: item for name, item in LOWER.items() if not name.startswith("./d")}
    ) == ["./.wh.d"]


def test_what_is_below_a_directory_that_turned_into_a_link_needs_no_whiteout(tmp_path: Path) -> None:
    upper = {name: item for name, item in LOWER.items() if not name.startswith("./turn")}
    assert layer_between(tmp_path, {**upper, "./turn": (SYMLINK, "d", 0o777)}) == ["./turn"]


@pytest.mark.parametrize("change", [(FILE, "linked", 0o600), (FILE, "other", 0o644)])
def test_all_names_of_a_changed_file_are_there(tmp_path: Path, change: Item) -> None:
    assert layer_between(tmp_path, {**LOWER, "./first": change}) == ["./first", "./second"]


def test_a_link_cut_off_from_its_file(tmp_path: Path) -> None:
    assert layer_between(tmp_path, {**LOWER, "./second": (FILE, "linked", 0o644)}) == ["./second"]


def test_the_recipes_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUITE", "trixie")
    root = Path(__file__).parents[2]
    for recipe in (
        root / "examples" / "demo.toml",
        root / "benchmarks" / "small.toml",
        root / "benchmarks" / "large.toml",
    ):
        assert read_recipe(recipe).suite == "trixie"
        assert len(read_recipe(recipe).steps) >= 2
