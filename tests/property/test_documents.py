"""Manifests, indexes and configs of any structure: a document, or an error that names it; never anything else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadweight.errors import DeadweightError, DigestMismatch
from deadweight.oci import media_types, strict_json
from deadweight.oci.config import parse_config
from deadweight.oci.manifest import Document, Manifest, parse_document
from fuzz.seeds import documents

_VALID: list[dict[str, Any]] = [json.loads(raw) for raw in documents()]
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from([*media_types.MANIFESTS, *media_types.INDEXES, "sha256:" + "0" * 64, "layers"])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


def _places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where every part of a JSON value is."""
    children: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    return [(*path, key) for key, _ in children] + [
        place for key, child in children for place in _places(child, (*path, key))
    ]


@st.composite
def _damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A valid document in which some parts are others, or gone."""
    document: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(_VALID)))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(document)
        if not places:
            break
        *above, last = draw(st.sampled_from(places))
        parent: Any = document
        for key in above:
            parent = parent[key]
        if draw(st.booleans()):
            parent[last] = draw(_VALUES)
        else:
            del parent[last]
    return document


def _refusal(parse: Callable[[Document], object], document: Document) -> DeadweightError | None:
    try:
        parse(document)
    except DeadweightError as error:
        return error
    return None


def _described(raw: bytes) -> Document:
    return Document.of(raw, media_types.OCI_MANIFEST)


@given(_damaged() | st.dictionaries(st.text(max_size=10), _VALUES, max_size=5))
def test_a_document_or_an_error_that_names_it(value: dict[str, Any]) -> None:
    document = _described(json.dumps(value).encode())
    digest = str(document.descriptor.digest)
    for parse in (parse_document, parse_config):
        error = _refusal(parse, document)
        # Of a digest that is none, that is named instead.
        assert error is None or digest in error.subject or "digest" in error.problem
        assert error is None or str(error).isprintable()


@given(_damaged())
def test_what_was_read_is_written_and_read_again(value: dict[str, Any]) -> None:
    try:
        parsed = parse_document(_described(json.dumps(value).encode()))
    except DeadweightError:
        return
    again = Document.of(strict_json.canonical(parsed.to_json()), parsed.media_type)
    assert parse_document(again) == parsed


@given(st.sampled_from(_VALID), st.data())
def test_bytes_that_are_changed(value: dict[str, Any], data: st.DataObject) -> None:
    raw = bytearray(json.dumps(value).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for parse in (parse_document, parse_config):
        try:
            parse(_described(bytes(raw)))
        except DeadweightError:
            continue


@given(st.sampled_from(_VALID), st.integers(0, 400))
def test_a_document_is_only_read_when_it_is_what_was_described(value: dict[str, Any], cut: int) -> None:
    raw = json.dumps(value).encode()
    descriptor = _described(raw).descriptor
    assert Document.verified(descriptor, raw).raw == raw
    shorter = raw[: min(cut, len(raw) - 1)]
    for other in (shorter, raw + b" ", raw[:-1] + b" "):
        with pytest.raises(DigestMismatch, match=descriptor.digest):
            Document.verified(descriptor, other)


def test_the_examples_are_valid() -> None:
    kinds = set()
    for raw in documents():
        try:
            kinds.add(type(parse_document(_described(raw))))
        except DeadweightError:
            parse_config(_described(raw))
    assert Manifest in kinds
