"""The command line as it is parsed."""

from __future__ import annotations

import pytest

from deadweight.cli.parser import build_parser


@pytest.mark.parametrize(
    ("line", "name", "expected"),
    [
        ("restore a b --to c /x /y", "paths", ["/x", "/y"]),
        ("restore a b /x --to c /y", "paths", ["/x", "/y"]),
        ("restore --to c a b /x", "paths", ["/x"]),
        ("restore a b --to c", "paths", []),
        ("why a --level packages /x /y", "paths", ["/x", "/y"]),
        ("slim a --to x b --to y", "image", ["a", "b"]),
        ("diff --json f a b", "images", ["a", "b"]),
    ],
)
def test_a_list_may_stand_on_both_sides_of_an_option(line: str, name: str, expected: list[str]) -> None:
    assert getattr(build_parser().parse_args(line.split()), name) == expected


@pytest.mark.parametrize("line", ["ls a b c", "slim a --to x b --lvel files", "restore a b --to c /x -q"])
def test_what_is_left_is_told(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(line.split())
    assert "there is no" in capsys.readouterr().err
