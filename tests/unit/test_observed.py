"""What was observed: kept, put together, compared."""

from __future__ import annotations

import json

import pytest

from deadweight.errors import InvalidDocument
from deadweight.trace import Observed, Use, differences, from_json, merge
from deadweight.trace.observed import observed

ONE = observed({Use.OPENED: {"b": "/sh", "a": ""}, Use.MISSING: {"/x": "/sh"}, Use.CREATED: {"/t1": "/sh"}})
OTHER = observed({Use.OPENED: {"a": "/cat"}, Use.LISTED: {"c": "/ls"}, Use.CREATED: {"/t2": "/sh"}})


def test_json_and_back_in_order() -> None:
    strange = observed({Use.OPENED: {"\udcff\\xff\n": "/\\", "ä\\\\": "\udc80x41"}})
    for value in (ONE, OTHER, strange):
        written = json.dumps(value.to_json(), ensure_ascii=False).encode()
        assert from_json(json.loads(written), "test") == value
    assert list(ONE.uses[Use.OPENED]) == ["a", "b"]
    assert list(ONE.to_json()) == [use.value for use in Use]


@pytest.mark.parametrize(
    "value",
    [
        {"used": {}},
        {"opened": []},
        {"opened": {"a": 1}},
        {"opened": {"a\\": ""}},
        {"opened": {"\\x4": ""}},
        {"opened": {"a": "\\n"}},
    ],
)
def test_broken_json(value: dict[str, object]) -> None:
    with pytest.raises(InvalidDocument, match="test: "):
        from_json(value, "test")


def test_together_they_are_all() -> None:
    together = merge([ONE, OTHER])
    assert together.uses[Use.OPENED] == {"a": "/cat", "b": "/sh"}
    assert together.paths() == ONE.paths() | OTHER.paths() == {"a", "b", "c"}
    assert together.uses[Use.CREATED].keys() == {"/t1", "/t2"}
    assert merge([]) == observed({}) == Observed({use: {} for use in Use})
    assert merge([ONE, ONE]) == ONE


def test_what_one_run_used_only() -> None:
    found = differences(ONE, OTHER)
    assert (found.first, found.second) == (("b",), ("c",))
    assert differences(ONE, ONE) == differences(observed({}), observed({}))
