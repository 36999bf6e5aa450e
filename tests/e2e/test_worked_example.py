"""The figures of docs/accounting.md."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from deadweight.accounting.dive import dive_score
from deadweight.accounting.ledger import Ledger, open_ledger
from deadweight.image import open_image
from deadweight.indexing import index_image
from deadweight.tree.merge import merge


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    layout = tmp_path / "three"
    monkeypatch.setattr(sys, "argv", ["three_layers", str(layout)])
    runpy.run_module("examples.three_layers", run_name="__main__")
    with open_image(f"oci:{layout}") as image:
        indexes = index_image(image)
    return open_ledger(merge(indexes), indexes, [True] * len(indexes))


def test_each_class_is_as_the_page_says(ledger: Ledger) -> None:
    assert [ledger.layer_classes(position) for position in range(3)] == [
        {"live": 5_000, "superseded": 100, "restated": 2_000, "deleted": 1_000},
        {"live": 2_240, "superseded": 60, "restated": 0, "deleted": 4_000},
        {"live": 7_500, "superseded": 0, "restated": 0, "deleted": 0},
    ]
    assert ledger.classes() == {"live": 14_740, "superseded": 160, "restated": 2_000, "deleted": 5_000}


def test_dives_score_is_as_the_page_says(ledger: Ledger) -> None:
    score = dive_score(ledger.layers)
    assert (score.wasted, score.user_bytes) == (8_250, 13_800)
    assert round(score.efficiency, 4) == 0.7184


def test_the_page_has_these_figures() -> None:
    page = (Path(__file__).parents[2] / "docs" / "accounting.md").read_text()
    for figure in ("14,740", "160", "2,000", "5,000", "8,250", "13,800", "71.84 %"):
        assert figure in page
