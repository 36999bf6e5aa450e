"""The facts about Python: each has a reason and an origin, and names what can be a module or a path."""

from __future__ import annotations

import re
import tomllib
from importlib import resources

import pytest

from deadweight.evidence.closure.python_knowledge import parse, python_knowledge

TEXT = resources.files("deadweight.evidence").joinpath("knowledge/python.toml").read_text("utf-8")
KEYS = {"start": {"modules"}, "needs": {"of"}, "ignored": {"module", "imports"}, "quiet_pth": {"name"}}
MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(\.?\*|_\*)?")


@pytest.mark.parametrize(
    ("kind", "entry"), [(kind, entry) for kind, entries in tomllib.loads(TEXT).items() for entry in entries]
)
def test_every_entry_is_complete(kind: str, entry: dict[str, object]) -> None:
    assert KEYS[kind] <= entry.keys() <= KEYS[kind] | {"modules", "paths", "because", "origin"}
    assert entry["origin"]
    assert kind in ("ignored", "quiet_pth") or (
        entry["because"] and (entry.get("modules") or entry.get("paths"))
    )
    for key in ("of", "modules", "imports"):
        names = entry.get(key, [])
        assert isinstance(names, list)
        assert all(MODULE.fullmatch(name) for name in names)
    paths = entry.get("paths", [])
    assert isinstance(paths, list)
    assert not [path for path in paths if path.startswith("/") or ".." in path or path.endswith("/")]


def test_what_the_file_says_is_what_is_known() -> None:
    knowledge = python_knowledge()
    assert knowledge == parse(TEXT)
    assert "_strptime" in {name for need in knowledge.needs["datetime"] for name in need.modules}
    assert "usr/lib/zoneinfo" in {path for need in knowledge.needs["zoneinfo"] for path in need.paths}
    assert knowledge.ignored["multiprocessing.util"] == {"test", "test.support"}
