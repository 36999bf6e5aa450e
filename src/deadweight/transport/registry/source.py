"""Reading an image from a registry."""

from __future__ import annotations

import difflib
from contextlib import closing
from functools import cached_property, partial
from typing import BinaryIO, cast

from deadweight.errors import DeadweightError, DigestMismatch, LimitExceeded, NotFound, TransportError
from deadweight.oci import fields, media_types, strict_json
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document, digest_like, parse_document
from deadweight.transport.base import Access, Source, Traits
from deadweight.transport.registry.blob import BlobStream
from deadweight.transport.registry.connection import PIECE, Response
from deadweight.transport.registry.reference import RegistryReference
from deadweight.transport.registry.session import Session

DOCUMENTS = media_types.MANIFESTS | media_types.INDEXES
"""What registries keep under ``manifests``; all else is a blob."""

_ACCEPT = {"Accept": ", ".join(sorted(DOCUMENTS))}
_MOST_TAGS = 1000


class RegistrySource(Source):
    """One repository's image or index, by tag or digest."""

    def __init__(self, target: RegistryReference, access: Access, session: Session | None = None) -> None:
        self.target = target
        self._session = session or Session(target, access)
        self._path = f"/v2/{target.repository}"
        self._scopes = frozenset({f"repository:{target.repository}:pull"})
        self._documents: dict[Digest, bytes] = {}

    @property
    def reference(self) -> str:
        return self._session.subject

    @property
    def traits(self) -> Traits:
        return Traits(original_manifest=True, moves_blobs=True, verified=True)

    def root(self) -> Document:
        """The manifest or index; checked against the digest in the reference, else against what the registry says."""
        return self._root

    def document(self, descriptor: Descriptor) -> Document:
        raw = self._documents.get(descriptor.digest)
        if raw is None:
            if descriptor.size > strict_json.MAX_DOCUMENT:
                problem = f"has {descriptor.size} bytes; deadweight reads at most {strict_json.MAX_DOCUMENT}"
                raise LimitExceeded(str(descriptor.digest), problem)
            raw = self._fetched(descriptor)
        document = Document.verified(descriptor, raw)
        self._remember(document)
        return document

    def blob(self, descriptor: Descriptor) -> BinaryIO:
        """The stored bytes, resumed where the connection breaks. Foreign layers are never sought elsewhere."""
        try:
            stream = BlobStream(partial(self._blob_at, descriptor), descriptor, self._session.patience)
        except NotFound:
            if not media_types.is_foreign(descriptor.media_type) and not descriptor.urls:
                raise
            problem = f"the registry does not hold the foreign layer {descriptor.digest}"
            remedy = "deadweight does not fetch layers from the addresses that a manifest names"
            raise NotFound(self.reference, problem, remedy) from None
        return cast("BinaryIO", stream)

    def close(self) -> None:
        self._session.close()

    @cached_property
    def _root(self) -> Document:
        wanted = self.target.digest
        try:
            response = self._get(f"manifests/{wanted or self.target.tag}", _ACCEPT)
        except NotFound as error:
            raise self._not_found(error) from None
        with closing(response):
            raw = response.read_all(strict_json.MAX_DOCUMENT)
        stated = response.header("Docker-Content-Digest")
        for expected in filter(None, (wanted, Digest(stated) if stated else None)):
            found = digest_like(expected, raw)
            if found != expected:
                problem = f"the registry sent a manifest with the digest {found} instead of {expected}"
                raise DigestMismatch(self.reference, problem)
        described = response.header("Content-Type").partition(";")[0].strip()
        media_type = parse_document(Document.of(raw, described)).media_type
        digest = wanted or Digest.of(raw)
        document = Document(Descriptor(media_type, digest, len(raw)), raw)
        self._remember(document)
        return document

    def _get(self, path: str, headers: dict[str, str]) -> Response:
        return self._session.call("GET", f"{self._path}/{path}", self._scopes, (200,), headers)

    def _fetched(self, descriptor: Descriptor) -> bytes:
        kind = "manifests" if descriptor.media_type in DOCUMENTS else "blobs"
        headers = _ACCEPT if kind == "manifests" else {}
        with closing(self._get(f"{kind}/{descriptor.digest}", headers)) as response:
            return response.read_all(strict_json.MAX_DOCUMENT)

    def _remember(self, document: Document) -> None:
        kept = sum(map(len, self._documents.values()))
        if kept + len(document.raw) <= strict_json.MAX_DOCUMENT:
            self._documents[document.descriptor.digest] = document.raw

    def _blob_at(self, descriptor: Descriptor, offset: int) -> Response:
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        path = f"{self._path}/blobs/{descriptor.digest}"
        response = self._session.call("GET", path, self._scopes, (200, 206), headers)
        skip = offset
        if response.status == 206:
            if not response.header("Content-Range").startswith(f"bytes {offset}-"):
                response.close()
                raise TransportError(
                    self.reference, "the registry answered with another range than asked for"
                )
            skip = 0
        expected = descriptor.size - offset + skip
        if response.length not in (None, expected):
            response.close()
            problem = f"the registry sends {response.length} bytes instead of {expected}"
            raise DigestMismatch(f"blob {descriptor.digest}", problem)
        while skip and (piece := response.read_some(min(skip, PIECE))):
            skip -= len(piece)
        return response

    def _not_found(self, error: NotFound) -> NotFound:
        """The error for a missing manifest; with the nearest tags, if the registry tells."""
        if self.target.digest:
            return NotFound(
                self.reference, "the registry has no manifest with this digest", "check the digest"
            )
        try:
            with closing(self._get(f"tags/list?n={_MOST_TAGS}", {})) as response:
                value = strict_json.loads(response.read_all(strict_json.MAX_DOCUMENT), "the list of tags")
            tags = fields.texts(value, "tags", "the list of tags")
        except DeadweightError:
            return error  # the first error says more than why there are no suggestions
        if not tags:
            return NotFound(self.reference, "the repository has no tags", "check the name")
        near = difflib.get_close_matches(self.target.tag, tags[:_MOST_TAGS], n=5, cutoff=0.3) or list(
            tags[:5]
        )
        shown = ", ".join(tag for tag in near if tag.isprintable() and len(tag) <= 128)
        return NotFound(self.reference, f"there is no tag {self.target.tag!r}", f"tags like it: {shown}")
