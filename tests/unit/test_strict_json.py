"""JSON from strangers: what is refused, with which words; and one form for one value."""

from __future__ import annotations

import json

import pytest

from deadweight.errors import DeadweightError, InvalidDocument, LimitExceeded
from deadweight.oci.strict_json import MAX_DEPTH, MAX_DOCUMENT, canonical, loads, loads_array

HOSTILE_STRING = b'"' + b'\\"' * 2_000_000
"""A string without end in which each quote could be the start of another."""


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"{} {}", "not valid JSON"),
        (b'{"a":1,}', "not valid JSON"),
        (b'{"a":"\n"}', "not valid JSON"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b'{"a":NaN}', "NaN is not a JSON number"),
        (b'{"a":-Infinity}', "-Infinity is not a JSON number"),
        (b'{"a":' + b"1" * 5000 + b"}", "not valid JSON"),
        (b'{"a":1,"b":2,"a":1}', "the name 'a' stands twice"),
        (b'{"a":{"b":[{"c":1,"c":2}]}}', "the name 'c' stands twice"),
        (b'{"a":1,"\\u0061":1}', "the name 'a' stands twice"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 6"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8 at byte 6"),
        (b'{"a":"\\ud800"}', "half a surrogate pair"),
        (b'{"a":["\\uDFFF\\uD800"]}', "half a surrogate pair"),
        (b'{"\\ud83d":1}', "half a surrogate pair"),
        (b"[]", "JSON of type list, not an object"),
        (b"null", "JSON of type NoneType, not an object"),
        (b"[" * 60 + b"{}" * 9 + HOSTILE_STRING, "not valid JSON"),
    ],
)
def test_refused(raw: bytes, problem: str) -> None:
    with pytest.raises(InvalidDocument, match=problem) as caught:
        loads(raw, "manifest x")
    assert caught.value.subject == "manifest x"


def test_limits() -> None:
    with pytest.raises(LimitExceeded, match="more than"):
        loads(b'{"a":"' + b"x" * MAX_DOCUMENT + b'"}', "x")
    for opening in (b"[", b'{"a":', b'[{"a":'):
        with pytest.raises(LimitExceeded, match=f"nests deeper than {MAX_DEPTH} levels at character"):
            loads(b'{"a":' + opening * MAX_DEPTH, "x")


def test_depth_counts_brackets_but_not_those_in_strings() -> None:
    wide = {"a": [[] for _ in range(200)], "b": "[{" * 200, "c": '"[\\' * 200}
    assert loads(json.dumps(wide).encode(), "x") == wide
    deep: object = "[" * 100
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    assert loads(json.dumps({"a": deep}).encode(), "x") == {"a": deep}


def test_what_is_fine() -> None:
    assert loads(b' {"a": [1, -2.5e3, true, null, "\\ud83d\\ude00"]} \n', "x")["a"][4] == "\U0001f600"
    assert loads(b'{"a":"\\\\ud800"}', "x") == {"a": "\\ud800"}
    assert loads_array(b"[1]", "x") == [1]
    with pytest.raises(DeadweightError, match="not an array"):
        loads_array(b"{}", "x")


def test_canonical_is_the_same_for_any_order() -> None:
    assert (
        canonical({"b": 1, "a": ["é", {"d": None, "c": 0}]}) == '{"a":["é",{"c":0,"d":null}],"b":1}'.encode()
    )
