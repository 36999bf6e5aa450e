"""Offsets on the wire, one at a time and many at once."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from deadweight.layer.index import WireMap


@given(st.sets(st.integers(1, 500), min_size=1, max_size=8), st.data())
def test_many_at_once_are_those_one_at_a_time(tar: set[int], data: st.DataObject) -> None:
    wire = data.draw(st.sets(st.integers(1, 500), min_size=len(tar), max_size=len(tar)))
    offsets = sorted(data.draw(st.lists(st.integers(0, max(tar)))))
    wires = WireMap(array("Q", [0, *sorted(tar)]), array("Q", [0, *sorted(wire)]))
    assert list(wires.all_at(offsets)) == [wires.at(offset) for offset in offsets]
    assert wires.at(max(tar)) == max(wire)
