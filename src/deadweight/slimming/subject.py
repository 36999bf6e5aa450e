"""An image that is to be slimmed: indexed, merged and accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deadweight.accounting.analyze import analysis_collectors, open_view
from deadweight.accounting.findings.places import Places
from deadweight.accounting.surface import surface_of
from deadweight.accounting.view import View, added_wire
from deadweight.evidence.scene import Contents, Scene
from deadweight.image import Image
from deadweight.indexing import NO_CACHE, SILENT, Cache, Progress, index_image
from deadweight.layer.index import LayerIndex
from deadweight.slimming.result import Measure

NEEDLESS = frozenset(
    {"package-lists", "caches", "logs", "temporary", "documentation", "man-pages", "locales", "development"}
    | {"version-control", "leftovers"}
)
"""The findings by place whose files go, unless there is evidence for one."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An opened image with all that one pass over its layers tells."""

    image: Image
    indexes: Sequence[LayerIndex]
    view: View

    def scene(self, contents: Contents) -> Scene:
        """What closures look at."""
        view = self.view
        return Scene(view.merged.tree, view.facts, view.inventory, self.image.config.execution, contents)

    def needless(self) -> Mapping[str, str]:
        """Path -> the id of the finding that calls it needless. An empty file costs nothing, and may be waited for."""
        return {
            item.path: finding.id
            for finding in Places().find(self.view)
            if finding.id in NEEDLESS
            for item in finding.items
            if item.unpacked or item.path not in self.view.merged.tree.files
        }

    def measure(self) -> Measure:
        """The image in numbers."""
        surface = surface_of(self.view)
        return Measure(
            wire=added_wire(layer.wire_size for layer in self.image.layers),
            unpacked=sum(index.unpacked for index in self.indexes),
            files=len(self.view.merged.tree.files),
            layers=len(self.image.layers),
            packages=len(self.view.inventory.packages),
            executables=surface.executables,
            setuid=len(surface.setuid),
            shells=len(surface.shells),
        )


def read_subject(image: Image, *, cache: Cache = NO_CACHE, progress: Progress = SILENT) -> Subject:
    """Reads all layers of `image`. Raises `DeadweightError` for what is broken, hostile or cannot be read."""
    indexes = index_image(image, analysis_collectors(), cache=cache, progress=progress)
    wires = tuple(
        None if index.missing else layer.wire_size for layer, index in zip(image.layers, indexes, strict=True)
    )
    return Subject(image, indexes, open_view(image, indexes, wires))
