"""Several images slimmed as a family: layers that they share stay shared.

The layers that all have in common, from the lowest on, are filtered once, for all that any of the images needs of them. Each
image is then put together from these and its own upper layers, and slimmed with the common ones left as they are.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import BinaryIO

from deadweight.accounting.analyze import open_view
from deadweight.copying.copier import is_same_place, require_distinct
from deadweight.errors import UsageError
from deadweight.image import AS_DOCKER_WOULD, Image, open_image, read_image
from deadweight.indexing import NO_CACHE, SILENT, Cache, Progress
from deadweight.oci import strict_json
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document
from deadweight.passes.databases.rewrite import rewrite_databases
from deadweight.passes.documents import with_diff_ids
from deadweight.passes.write import write_filtered
from deadweight.scratch import scratch_folder
from deadweight.slimming.request import Request, require_given
from deadweight.slimming.result import SlimResult
from deadweight.slimming.slim import Slimming, publish, require_reached
from deadweight.slimming.subject import Subject, read_subject
from deadweight.transport.base import Access, Source, Traits
from deadweight.transport.names import open_destination, parse_destination
from deadweight.tree.node import Node


def slim_family(
    references: Sequence[str],
    destinations: Sequence[str],
    request: Request = Request(),  # noqa: B008 - it is frozen
    *,
    folder: Path = Path(),
    access: Access = AS_DOCKER_WOULD,
    cache: Cache = NO_CACHE,
    progress: Progress = SILENT,
) -> tuple[SlimResult, ...]:
    """Writes each of `references` to the destination at its place. All get the same level, and all are written or none.

    Raises `UsageError` where the numbers differ, and as `slim` does.
    """
    if len(references) != len(destinations):
        problem = f"images: {len(references)}, destinations: {len(destinations)}"
        raise UsageError("--to", problem, "give one for each image, in the same order")
    for destination in destinations:
        parse_destination(destination)
    require_given(request)
    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_folder())
        images = [stack.enter_context(open_image(one, None, access)) for one in references]
        targets = [stack.enter_context(open_destination(one, access)) for one in destinations]
        for image in images:
            for target in targets:
                require_distinct(image.reference, target.reference)
        for target, other in combinations(targets, 2):
            if is_same_place(target.reference, other.reference):
                raise UsageError(
                    other.reference, "would hold two images", "give each a place or a name of its own"
                )
        for target in targets:
            require_reached(target, images[0].document, images[0].source)
        begin = time.monotonic()
        family = _Family(images, request, scratch, folder, cache, progress)
        staged = family.try_levels()
        digests = [publish(one, target, request) for one, target in zip(staged, targets, strict=True)]
        seconds = time.monotonic() - begin
        return tuple(
            member.result(target.reference, digest, seconds)
            for member, target, digest in zip(family.members, targets, digests, strict=True)
        )


class _Family:
    """The images on their way, and how many layers all have in common."""

    def __init__(
        self,
        images: Sequence[Image],
        request: Request,
        scratch: Path,
        folder: Path,
        cache: Cache,
        progress: Progress,
    ) -> None:
        self._scratch = scratch
        self._request = request
        self._subjects = [read_subject(image, cache=cache, progress=progress) for image in images]
        self._common = _common_layers(images)
        self.members = []
        for number, subject in enumerate(self._subjects):
            place = scratch / f"member-{number}"
            place.mkdir()
            member = Slimming(subject, request, place, folder, 0, progress)
            member.look(None)
            self.members.append(member)

    def try_levels(self) -> list[str]:
        """The references of the first results that all pass; empty ones where none do."""
        for level in max((member.levels() for member in self.members), key=_gentlest):
            for member in self.members:
                member.choose(level)
            staged = self._write(level)
            passed = [member.passes(one) for member, one in zip(self.members, staged, strict=True)]
            if all(passed):
                return staged
        return [""] * len(self.members)

    def _write(self, level: str) -> list[str]:
        if not self._common:
            return [member.write() for member in self.members]
        base = f"oci:{self._scratch / f'base-{level}'}:image"
        diff_ids = self._write_base(base)
        staged = []
        with open_image(base) as lower:
            for member, subject in zip(self.members, self._subjects, strict=True):
                joined = _joined(lower, diff_ids, subject.image)
                member.rebase(read_subject(joined), len(lower.layers))
                staged.append(member.write())
        return staged

    def _write_base(self, staged: str) -> list[Digest | None]:
        """Writes the common layers with what any of the images needs of them; their diff IDs, None for one that is empty."""
        base = _lowest(self._subjects[0], self._common)
        names = {
            path
            for member, subject in zip(self.members, self._subjects, strict=True)
            for path in self._needed_of_base(member, subject)
        }

        def kept(node: Node) -> bool:
            return node.path in names

        merged, inventory = base.view.merged, base.view.inventory
        databases = rewrite_databases(base.image, base.indexes, merged, inventory, kept)
        with open_destination(staged, AS_DOCKER_WOULD) as destination:
            written = write_filtered(
                base.image,
                base.indexes,
                merged,
                databases.kept,
                databases.replaced,
                destination,
                compression=self._request.compression,
                threads=self._request.threads,
            )
        return [layer.diff_id for layer in written.layers]

    def _needed_of_base(self, member: Slimming, subject: Subject) -> list[str]:
        kept = member.selection.kept
        nodes = (node for _, node in subject.view.merged.tree.walk())
        return [
            node.path
            for node in nodes
            if node.path in kept and (node.is_directory or node.touched < self._common)
        ]


def _gentlest(levels: tuple[str, ...]) -> int:
    """Fewer levels are to be tried where nothing deeper may be."""
    return -len(levels)


def _common_layers(images: Sequence[Image]) -> int:
    """How many layers, from the lowest on, all have."""
    count = 0
    for layers in zip(*(image.layers for image in images), strict=False):
        if len({layer.diff_id for layer in layers}) != 1:
            break
        count += 1
    return count


def _lowest(subject: Subject, count: int) -> Subject:
    """The image of the `count` lowest layers."""
    image, indexes = subject.image, subject.indexes[:count]
    layers = image.layers[:count]
    lowest = replace(
        image,
        layers=layers,
        manifest=replace(image.manifest, layers=image.manifest.layers[:count]),
        config_document=with_diff_ids(image.config_document, [layer.diff_id for layer in layers]),
        config=replace(image.config, diff_ids=image.config.diff_ids[:count]),
    )
    return Subject(lowest, indexes, open_view(lowest, indexes, tuple(layer.wire_size for layer in layers)))


def _joined(lower: Image, diff_ids: Sequence[Digest | None], upper: Image) -> Image:
    """The image `upper` with the layers of `lower` in the place of its lowest ones, whose `diff_ids` are these now."""
    common = len(diff_ids)
    own = [layer.diff_id for layer in upper.layers[common:]]
    config = with_diff_ids(upper.config_document, [*diff_ids, *own])
    described = replace(upper.manifest.config, digest=config.descriptor.digest, size=config.descriptor.size)
    layers = (*lower.manifest.layers, *upper.manifest.layers[common:])
    manifest = replace(upper.manifest, config=described, layers=layers)
    raw = strict_json.canonical(manifest.to_json())
    document = Document.of(raw, upper.document.descriptor.media_type)
    return read_image(_Joined(lower, upper, document, config), document)


class _Joined(Source):
    """An image whose lowest layers are those of another one."""

    def __init__(self, lower: Image, upper: Image, root: Document, config: Document) -> None:
        self._lower = lower
        self._upper = upper
        self._root = root
        self._made = {document.descriptor.digest: document for document in (root, config)}

    @property
    def reference(self) -> str:
        return self._upper.reference

    @property
    def traits(self) -> Traits:
        return Traits()

    def root(self) -> Document:
        return self._root

    def document(self, descriptor: Descriptor) -> Document:
        return self._made.get(descriptor.digest) or self._upper.source.document(descriptor)

    def blob(self, descriptor: Descriptor) -> BinaryIO:
        ours = {layer.digest for layer in self._lower.manifest.layers}
        return (self._lower if descriptor.digest in ours else self._upper).source.blob(descriptor)

    def close(self) -> None:
        """Neither image is ours to close."""
