"""Which sandbox runs the programs of an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deadweight.errors import TransportError, Unsupported
from deadweight.image import AS_DOCKER_WOULD, Image
from deadweight.indexing import NO_CACHE, SILENT, Cache, Progress, index_image
from deadweight.layer.index import LayerIndex
from deadweight.sandbox.box import Box, box_of, require_sandbox
from deadweight.transport.base import Access
from deadweight.tree.merge import merge
from deadweight.tree.node import Tree

if TYPE_CHECKING:  # who needs no engine need not wait for what speaks with one
    from deadweight.sandbox.engine import EngineBox

AUTO, BUBBLEWRAP = "auto", "bubblewrap"
KINDS = (AUTO, BUBBLEWRAP, "docker", "podman")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `KINDS`: ``auto`` is bubblewrap, and where that is refused an engine of this machine, reached as `access` says."""

    kind: str = AUTO
    access: Access = AS_DOCKER_WOULD


def require_named(choice: Choice) -> None:
    """Raises `Unsupported` where it is plain that the kind which is asked for by its name cannot be had here."""
    if choice.kind == BUBBLEWRAP:
        require_sandbox()
    elif choice.kind != AUTO:
        from deadweight.sandbox.engine import local_engine

        with local_engine(choice.kind, choice.access):
            pass


@contextmanager
def open_sandbox(
    image: Image,
    choice: Choice = Choice(),
    *,
    cache: Cache = NO_CACHE,
    progress: Progress = SILENT,
) -> Iterator[Box | EngineBox]:
    """`image`, ready to be started for as long as the block lasts.

    Raises `Unsupported` where no such sandbox can be made here, and `DeadweightError` for an image that cannot be unpacked.
    """
    if choice.kind == BUBBLEWRAP:
        require_sandbox()  # before an image is read for nothing
    indexes = index_image(image, cache=cache, progress=progress)
    tree = merge(indexes, complete=not any(index.missing for index in indexes)).tree
    with sandbox_of(image, indexes, tree, choice) as box:
        yield box


@contextmanager
def sandbox_of(
    image: Image,
    indexes: Sequence[LayerIndex],
    tree: Tree,
    choice: Choice = Choice(),
) -> Iterator[Box | EngineBox]:
    """The same for an image whose layers were indexed and merged."""
    with ExitStack() as stack:
        refused: Unsupported | None = None
        if choice.kind in (AUTO, BUBBLEWRAP):
            try:
                box = stack.enter_context(box_of(image, indexes, tree))
            except Unsupported as error:
                refused = error
            else:
                yield box
                return
        if choice.kind == BUBBLEWRAP and refused is not None:
            raise refused
        from deadweight.sandbox.engine import ANY, engine_box_of, local_engine

        kind = ANY if refused is not None else choice.kind
        try:
            local = stack.enter_context(local_engine(kind, choice.access))
            engine_box = stack.enter_context(engine_box_of(local, image, indexes, tree))
        except (Unsupported, TransportError) as error:
            if refused is None:
                raise
            if isinstance(error, Unsupported):  # else there is one, which lacks what bubblewrap does
                refused.add_remedy(error.remedy)
            raise refused from None
        yield engine_box
