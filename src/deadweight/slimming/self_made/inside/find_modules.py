"""Reads names of modules as a JSON array, and writes those that cannot be found. Imports none of them, nor their parents."""

import importlib.machinery
import importlib.util
import json
import sys

# Annotations are in quotes: what they say is newer than the oldest Python that this is for.
known: "dict[str, importlib.machinery.ModuleSpec | None]" = {}


def find(name: str) -> "importlib.machinery.ModuleSpec | None":
    """Where the module is; None where it cannot be found."""
    if name not in known:
        known[name] = look(name)
    return known[name]


def look(name: str) -> "importlib.machinery.ModuleSpec | None":
    """The same, looked up."""
    parent, _, last = name.rpartition(".")
    try:
        if not parent:
            return importlib.util.find_spec(name)
        spec = find(parent)
        inside = spec.submodule_search_locations if spec is not None else None
        # Of a namespace the list itself: going over it would look for its parent among what is imported.
        places = list(getattr(inside, "_path", inside or ()))
        return importlib.machinery.PathFinder.find_spec(last, places) if places else None
    except (ImportError, ValueError, AttributeError, OSError):
        return None


json.dump([name for name in json.load(sys.stdin) if find(name) is None], sys.stdout)
