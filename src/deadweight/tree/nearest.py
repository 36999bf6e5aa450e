"""What somebody may have meant who asked for a path that is not there."""

from __future__ import annotations

from difflib import get_close_matches

from deadweight.tree.node import LinkLoop, Tree


def nearest(tree: Tree, path: str) -> str:
    """The path in the same directory whose name is nearest to that of `path`; empty where none is near."""
    directory, _, name = path.rstrip("/").rpartition("/")
    try:
        parent = tree.resolve(directory)
    except LinkLoop:
        return ""
    near = get_close_matches(name, parent.children, 1) if parent is not None and parent.children else []
    return f"{directory}/{near[0]}" if near else ""
