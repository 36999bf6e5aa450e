"""Budgets: how they are written, and what passes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deadweight import analyze, open_image
from deadweight.accounting.model import Analysis
from deadweight.budget.baseline import baseline_from_report, baseline_of
from deadweight.budget.check import Verdict, check
from deadweight.budget.quantity import parse_bytes, parse_growth
from deadweight.budget.settings import Budget, find_settings, read_settings
from deadweight.errors import DeadweightError, NotFound, UsageError
from deadweight.report.json_report import render_json
from image_samples import write_layout
from layer_stacks import Item


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (0, 0),
        (17, 17),
        ("17", 17),
        ("60 MB", 60_000_000),
        ("1.5 GiB", 3 << 29),
        ("500kB", 500_000),
        ("2 KiB", 2048),
    ],
)
def test_sizes(text: object, count: int) -> None:
    assert parse_bytes(text, "x") == count


@pytest.mark.parametrize("text", ["", "MB", "-1", "1 XB", "1e3", -5, True, 1.5, None, "1 MB MB"])
def test_what_is_no_size(text: object) -> None:
    with pytest.raises(UsageError, match="is no size"):
        parse_bytes(text, "x")


def test_growth_in_percent_or_bytes() -> None:
    assert parse_growth("5 %", "x") == (None, 5.0)
    assert parse_growth("1.5%", "x") == (None, 1.5)
    assert parse_growth("1 kB", "x") == (1000, None)
    for text in ("%", "-1 %", "nan %", "many %"):
        with pytest.raises(UsageError):
            parse_growth(text, "x")


def write(folder: Path, text: str, name: str = "deadweight.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_workloads_may_stand_in_the_same_file(tmp_path: Path) -> None:
    settings = read_settings(write(tmp_path, '[budget]\nlayers = 3\n[slim]\nprobes = ["http:GET /"]\n'))
    assert settings.budget == Budget(layers=3)


def test_settings_with_sections_for_images(tmp_path: Path) -> None:
    settings = read_settings(
        write(
            tmp_path,
            '[budget]\nwire = "60 MB"\nlayers = 9\n[images."*/webhook"]\nwire = "30 MB"\nsecrets = 0\n',
        )
    )
    assert settings.budget_for("registry/operator") == Budget(wire=60_000_000, layers=9)
    assert settings.budget_for("registry/webhook") == Budget(wire=30_000_000, layers=9, secrets=0)


def test_settings_in_pyproject(tmp_path: Path) -> None:
    write(tmp_path, '[project]\nname = "x"\n[tool.deadweight.budget]\ndead = 0\n', "pyproject.toml")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert read_settings(find_settings(below)).budget == Budget(dead=0)


def test_the_own_file_goes_before_pyproject(tmp_path: Path) -> None:
    write(tmp_path, "[tool.deadweight.budget]\ndead = 0\n", "pyproject.toml")
    own = write(tmp_path, "[budget]\ndead = 1\n")
    assert find_settings(tmp_path) == own


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[budget]\nwier = 1\n", "did you mean 'wire'"),
        ("[budgets]\n", "did you mean 'budget'"),
        ("[budget]\nwire = 'much'\n", "is no size"),
        ("[budget]\nlayers = 'two'\n", "is no count"),
        ("[budget]\nlayers = true\n", "is no count"),
        ("[budget]\ngrowth = 'some'\n", "is no size"),
        ("[budget]\nbaseline = 3\n", "is no image"),
        ("budget = 3\n", "must be a table"),
        ("[images]\nx = 3\n", "must be a table"),
        ("[images.x]\nwier = 3\n", "did you mean 'wire'"),
        ("[budget\n", "not valid TOML"),
    ],
)
def test_what_settings_refuse(tmp_path: Path, text: str, problem: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UsageError, match=problem) as caught:
        read_settings(path)
    assert str(path) in str(caught.value)


def test_settings_are_no_large_file() -> None:
    with pytest.raises(UsageError, match="/dev/zero: has more than 1048576 bytes"):
        read_settings(Path("/dev/zero"))


def test_no_settings_anywhere(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="write one"):
        find_settings(tmp_path)


@pytest.fixture
def analysis(tmp_path: Path) -> Analysis:
    """100 bytes live, 40 superseded, 30 deleted; a key in the last layer but one."""
    key = b"-----BEGIN RSA PRIVATE KEY-----\n" + b"A" * 70 + b"\n-----END RSA PRIVATE KEY-----\n"
    layers = [
        [Item("app", "f", b"1" * 40), Item("tmp.bin", "f", b"2" * 30), Item("lib", "f", b"3" * 60)],
        [Item("app", "f", b"4" * 40), Item(".wh.tmp.bin", "f")],
        [Item("root/id_rsa", "f", key)],
        [Item("root/.wh.id_rsa", "f")],
    ]
    reference = write_layout(tmp_path / "image", layers, history=["ADD a", "RUN b", "COPY id_rsa", "RUN rm"])
    with open_image(reference) as image:
        return analyze(image)


def verdict(analysis: Analysis, key: str, budget: Budget) -> Verdict:
    (found,) = check(analysis, budget, None)
    assert found.key == key
    return found


def test_each_limit_is_kept_at_its_value_and_passed_below_it(analysis: Analysis) -> None:
    values = {
        "unpacked": analysis.unpacked,
        "wire": analysis.wire or 0,
        "dead": analysis.unpacked - analysis.classes["live"],
        "largest_file": 60,
        "layers": 4,
        "secrets": 1,
    }
    for name, value in values.items():
        key = name.replace("_", "-")
        limits: dict[str, Any] = {name: value}
        tighter: dict[str, Any] = {name: value - 1}
        assert verdict(analysis, key, Budget(**limits)).passed
        over = verdict(analysis, key, Budget(**tighter))
        assert not over.passed
        assert over.value == value
        assert 1 <= len(over.reasons) <= 3


def test_reasons_name_what_weighs_most(analysis: Analysis) -> None:
    largest = verdict(analysis, "largest-file", Budget(largest_file=1)).reasons
    assert [(reason.text, reason.size) for reason in largest] == [("lib", 60), ("app", 40)]
    dead = verdict(analysis, "dead", Budget(dead=0)).reasons
    assert any("RUN rm" in reason.text for reason in dead)
    (secret,) = verdict(analysis, "secrets", Budget(secrets=0)).reasons
    assert "root/id_rsa" in secret.text
    assert "AAAA" not in secret.text


def test_an_unknown_wire_size_keeps_no_limit(tmp_path: Path) -> None:
    reference = write_layout(tmp_path / "image", [[Item("f", "f", b"1")]], compress=False)
    with open_image(reference) as image:
        (found,) = check(analyze(image), Budget(wire=1 << 40), None)
    assert not found.passed
    assert "--estimate-wire" in found.reasons[0].text


def test_growth_against_an_image_and_against_its_report(analysis: Analysis, tmp_path: Path) -> None:
    reference = write_layout(tmp_path / "small", [[Item("app", "f", b"1" * 40)]])
    with open_image(reference) as image:
        before = analyze(image)
    grown = analysis.unpacked - 40
    for baseline in (baseline_of(before), baseline_from_report(render_json(before).encode(), "report")):
        (kept,) = check(analysis, Budget(growth_bytes=grown), baseline)
        (passed,) = check(analysis, Budget(growth_bytes=grown - 1), baseline)
        (percent,) = check(analysis, Budget(growth_percent=1), baseline)
        assert (kept.passed, passed.passed, percent.passed) == (True, False, False)
        assert {reason.text for reason in passed.reasons} == {"dead bytes", "files that no package owns"}


@pytest.mark.parametrize(
    "report", [{}, {"schema_version": 2}, {"schema_version": 1}, {"schema_version": 1, "size": 3}]
)
def test_a_baseline_that_is_no_report(report: object) -> None:
    with pytest.raises(DeadweightError, match="saved"):
        baseline_from_report(json.dumps(report).encode(), "saved")
