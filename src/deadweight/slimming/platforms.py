"""An index: the image of every platform slimmed, and an index of the results."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from deadweight.copying.copier import require_distinct
from deadweight.copying.documents import with_manifests
from deadweight.errors import UsageError
from deadweight.image import AS_DOCKER_WOULD, Image, manifests, read_image
from deadweight.indexing import NO_CACHE, SILENT, Cache, Progress
from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.manifest import Document, Index, parse_document
from deadweight.scratch import scratch_folder
from deadweight.slimming.base_image import base_layers
from deadweight.slimming.request import Request, require_given
from deadweight.slimming.result import SlimResult
from deadweight.slimming.selection import FILES, PACKAGES
from deadweight.slimming.slim import Slimming, publish, require_reached
from deadweight.slimming.subject import read_subject
from deadweight.transport.base import Access, Destination, Source
from deadweight.transport.names import open_destination, open_source, parse_destination


def slim_platforms(
    reference: str,
    destination: str,
    request: Request = Request(),  # noqa: B008 - it is frozen
    *,
    folder: Path = Path(),
    access: Access = AS_DOCKER_WOULD,
    cache: Cache = NO_CACHE,
    progress: Progress = SILENT,
) -> tuple[SlimResult, ...]:
    """Slims every image of the index `reference`, and writes an index of the results to `destination`, whole or not at all.

    What this machine cannot run gets at most the level of packages, and no proof. Attestations are left out: they vouch for
    other bytes. Where an image passes at no level, nothing is written, and its result says so. Raises `DeadweightError`.
    """
    parse_destination(destination)
    require_given(request)
    with (
        open_source(reference, access) as source,
        open_destination(destination, access) as target,
        scratch_folder() as scratch,
    ):
        require_distinct(source.reference, target.reference)
        root = source.root()
        require_reached(target, root, source)
        index = parse_document(root)
        if not isinstance(index, Index):
            raise UsageError(reference, "is one image, not an index of several", "leave --platform out")
        collected = _Collected(target)
        results = []
        for number, (document, platform) in enumerate(manifests(source)):
            begin = time.monotonic()
            image = read_image(source, document)
            subject = read_subject(image, cache=cache, progress=progress)
            base = base_layers(image, request.keep_base, access) if request.keep_base else 0
            place = scratch / str(number)
            place.mkdir()
            slimming = Slimming(subject, _at_most(request, image), place, folder, base, progress)
            slimming.look(None)
            collected.described_as(platform or image.platform)
            digest = publish(slimming.try_levels(), collected, request)
            results.append(slimming.result(target.reference, digest, time.monotonic() - begin))
        if all(result.digest is not None for result in results):
            target.commit(with_manifests(root, replace(index, annotations={}), collected.manifests))
            return tuple(results)
        return tuple(replace(result, digest=None) for result in results)


def _at_most(request: Request, image: Image) -> Request:
    """`request`, of what cannot be run with no deeper level than that of packages."""
    if request.level == FILES and not Platform.of_host().accepts(image.platform):
        return replace(request, level=PACKAGES)
    return request


class _Collected(Destination):
    """A destination whose images become entries of an index: what is committed here is only stored in `target`."""

    def __init__(self, target: Destination) -> None:
        self._target = target
        self._platform: Platform | None = None
        self.manifests: list[Descriptor] = []

    def described_as(self, platform: Platform) -> None:
        """The next image is for `platform`."""
        self._platform = platform

    @property
    def reference(self) -> str:
        return self._target.reference

    @property
    def compressions(self) -> frozenset[str]:
        return self._target.compressions

    @property
    def manifest_types(self) -> frozenset[str]:
        return self._target.manifest_types

    def holds(self, descriptor: Descriptor, origin: Source) -> bool:
        return self._target.holds(descriptor, origin)

    def put_blob(self, chunks: Iterator[bytes], media_type: str, expected: Descriptor | None) -> Descriptor:
        return self._target.put_blob(chunks, media_type, expected)

    def put_document(self, document: Document) -> None:
        self._target.put_document(document)

    def commit(self, root: Document, platform: Platform | None = None) -> None:
        self._target.put_document(root)
        self.manifests.append(replace(root.descriptor, platform=self._platform or platform))

    def close(self) -> None:
        """It is not ours to close."""
