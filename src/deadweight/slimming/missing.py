"""What a result that failed had looked for in vain, and what had been there."""

from __future__ import annotations

from collections.abc import Iterable

from deadweight.evidence.scene import Scene
from deadweight.slimming.selection import Removal, Selection


def missed(asked: Iterable[str], scene: Scene, selection: Selection) -> tuple[Removal, ...]:
    """What `selection` removed of the original's `scene`, and is on the way along one of the paths that were `asked` for.

    A directory that went with all that was in it is told as one, for the reason of its first file. Sorted by path.
    """
    removals = {removal.path: removal for removal in selection.removals}
    found: dict[str, Removal] = {}
    for path in asked:
        for node in scene.way(path):
            if node.is_directory and node.path not in selection.kept:
                first = next(
                    (removals[one.path] for one in scene.below(node.path) if one.path in removals), None
                )
                if first is not None:
                    found[node.path] = first._replace(path=node.path, unpacked=0)
            elif node.path in removals:
                found[node.path] = removals[node.path]
    return tuple(found[path] for path in sorted(found))
