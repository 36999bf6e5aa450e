"""The plan for an image of which some names stay, proved to give just those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deadweight.errors import InvalidLayer, NotFound, Unsupported, UsageError
from deadweight.layer.entry import FILE
from deadweight.layer.index import LayerIndex
from deadweight.passes.base_layers import above_base
from deadweight.passes.plan import plan_layers
from deadweight.passes.same_tree import difference, planned_tree
from deadweight.passes.staying import Kept, Staying, staying
from deadweight.passes.steps import LayerPlan, Same
from deadweight.tree.merge import Merged, merge


class Plan:
    """A plan for each layer, base first, and what stays."""

    def __init__(
        self,
        indexes: Sequence[LayerIndex],
        layers: Sequence[LayerPlan],
        staying: Staying,
        replaced: Mapping[str, bytes],
    ) -> None:
        self._indexes = indexes
        self._replaced = replaced
        self.layers = list(layers)
        self.staying = staying

    @property
    def difference(self) -> str:
        """Where the layers would not merge into what stays; empty where they would."""
        return self._difference(self.layers)

    def restore(self, position: int) -> bool:
        """Leaves the layer at `position` as it was if that changes nothing of what the image shows, and says whether.

        Higher ones may have to stay as they were with it, since they hide what is dead in it, if they lose no content
        either way.
        """
        if self.layers[position].carried:
            return False
        alone, above = list(self.layers), list(self.layers)
        alone[position] = _whole(self._indexes[position])
        trials = [alone]
        if all(self._loses_nothing(higher) for higher in range(position + 1, len(above))):
            above[position:] = map(_whole, self._indexes[position:])
            trials.append(above)
        for layers in trials:
            if not self._difference(layers):
                self.layers = layers
                return True
        return False

    def _loses_nothing(self, position: int) -> bool:
        plan = self.layers[position]
        return plan.unpacked == self._indexes[position].unpacked and not plan.carried

    def _difference(self, layers: Sequence[LayerPlan]) -> str:
        try:
            return difference(planned_tree(self._indexes, layers), self.staying, self._replaced)
        except InvalidLayer as error:
            return str(error)


def _whole(index: LayerIndex) -> LayerPlan:
    return LayerPlan([Same(number, entry) for number, entry in enumerate(index.entries)])


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
    layer is missing or a path of `replaced` is no file that stays, `UsageError` for more layers than there are, and
    `Unsupported` where they cannot be kept.
    """
    if not 0 <= keep_layers <= len(indexes):
        problem = f"has {len(indexes)} layers, so that {keep_layers} cannot be kept as they are"
        raise UsageError(reference, problem, "keep fewer")
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
    choices = [(plans, stays)] if base is None else above_base(indexes, plans, base, stays, keep_layers)
    where = "what it shows"
    for layers, left in choices:
        plan = Plan(indexes, layers, left, replaced)
        where = plan.difference
        if not where:
            return plan
    problem = f"cannot be rewritten without changing {where}"
    raise Unsupported(reference, problem, "do not keep base layers" if keep_layers else "report it")
