"""The plan for an image of which some names stay, proved to give just those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deadweight.errors import InvalidLayer, NotFound, Unsupported
from deadweight.layer.entry import FILE
from deadweight.layer.index import LayerIndex
from deadweight.passes.base_layers import above_base
from deadweight.passes.plan import plan_layers
from deadweight.passes.same_tree import difference, planned_tree
from deadweight.passes.staying import Kept, Staying, staying
from deadweight.passes.steps import LayerPlan
from deadweight.tree.merge import Merged, merge


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan for each layer, base first, and what stays."""

    layers: tuple[LayerPlan, ...]
    staying: Staying


def plan_image(
    reference: str,
    indexes: Sequence[LayerIndex],
    merged: Merged,
    kept: Kept,
    replaced: Mapping[str, bytes],
    keep_layers: int = 0,
) -> Plan:
    """What to do with the layers of the image `reference`, which `merged` is made of, so that it shows just what is `kept`.

    The first `keep_layers` layers stay as they are, and so does all that is visible of them. Raises `NotFound` where a
    layer is missing or a path of `replaced` is no file that stays, and `Unsupported` where kept layers cannot be kept.
    """
    missing = next((index for index in indexes if index.missing), None)
    if missing is not None:
        raise NotFound(reference, f"its foreign layer {missing.digest} is not there")
    base = merge(indexes[:keep_layers]).tree if keep_layers else None
    stays = staying(merged, kept, base, keep_layers)
    replaced = {path: replaced[path] for path in sorted(replaced)}
    for path in replaced:
        node = stays.leaves.get(path)
        if node is None or node.entry.kind != FILE:
            raise NotFound(reference, f"has no file {path!r} that stays and could be replaced")
    replaced = {p: content for p, content in replaced.items() if stays.leaves[p].touched >= keep_layers}
    plans = plan_layers(indexes, merged.tree, stays, replaced, base, keep_layers)
    if base is not None:
        plans, stays = above_base(indexes, plans, base, stays, keep_layers)
    _require_same(reference, indexes, plans, stays, replaced, keep_layers)
    return Plan(tuple(plans), stays)


def _require_same(
    reference: str,
    indexes: Sequence[LayerIndex],
    plans: Sequence[LayerPlan],
    stays: Staying,
    replaced: Mapping[str, bytes],
    keep_layers: int,
) -> None:
    try:
        path = difference(planned_tree(indexes, plans), stays, replaced)
    except InvalidLayer as error:
        path = str(error)
    if path:
        raise Unsupported(
            reference,
            f"cannot be rewritten without changing {path!r}",
            "do not keep base layers" if keep_layers else "report it",
        )
