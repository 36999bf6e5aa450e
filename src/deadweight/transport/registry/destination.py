"""Writing an image to a registry: blobs first, the tag last, so that the tag never names half an image."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing, suppress
from urllib.parse import urlencode

from deadweight.errors import AuthenticationError, DeadweightError, DigestMismatch, NotFound, TransportError
from deadweight.oci.descriptor import Descriptor, Platform
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document
from deadweight.transport.base import COMPRESSIONS, Access, Destination, Source
from deadweight.transport.registry.connection import PIECE
from deadweight.transport.registry.reference import RegistryReference
from deadweight.transport.registry.session import Session
from deadweight.transport.registry.source import DOCUMENTS, RegistrySource

_OCTETS = {"Content-Type": "application/octet-stream"}


class RegistryDestination(Destination):
    """One repository, and the tag or digest that `commit` makes visible."""

    def __init__(self, target: RegistryReference, access: Access, session: Session | None = None) -> None:
        self.target = target
        self._session = session or Session(target, access)
        self._path = f"/v2/{target.repository}"
        self._scopes = frozenset({f"repository:{target.repository}:pull,push"})
        self._uploads: dict[Digest, str] = {}

    @property
    def reference(self) -> str:
        return self._session.subject

    @property
    def compressions(self) -> frozenset[str]:
        return COMPRESSIONS

    def holds(self, descriptor: Descriptor, origin: Source) -> bool:
        """Whether the repository has the blob, or has it now, mounted from the repository of `origin`."""
        kind = "manifests" if descriptor.media_type in DOCUMENTS else "blobs"
        headers = {"Accept": descriptor.media_type} if kind == "manifests" else {}
        path = f"{self._path}/{kind}/{descriptor.digest}"
        try:
            self._session.call("HEAD", path, self._scopes, (200,), headers).close()
        except NotFound:
            return kind == "blobs" and self._mounted(descriptor.digest, origin)
        return True

    def put_blob(self, chunks: Iterator[bytes], media_type: str, expected: Descriptor | None) -> Descriptor:
        """Uploads one blob as it comes; the registry is told its digest at the end (and checks it)."""
        upload = self._uploads.pop(expected.digest, "") if expected else ""
        body = _Body(chunks, expected)
        headers = {**_OCTETS, "Content-Length": str(expected.size)} if expected else _OCTETS
        upload = upload or self._begin({})
        try:
            with closing(
                self._session.stream("PATCH", upload, self._scopes, (202, 204), headers, iter(body))
            ) as answer:
                upload = self._session.resolve(upload, answer.header("Location") or upload)
            self._finish(upload, body.digest, b"")
        except DeadweightError:
            self._abandon(upload)
            raise
        return Descriptor(media_type, body.digest, body.size)

    def put_document(self, document: Document) -> None:
        """Stores a config as a blob, a manifest or an index under its digest."""
        if document.descriptor.media_type in DOCUMENTS:
            self._put_manifest(document, str(document.descriptor.digest))
        else:
            digest = document.descriptor.digest
            self._finish(self._uploads.pop(digest, "") or self._begin({}), digest, document.raw)

    def commit(self, root: Document, platform: Platform | None = None) -> None:
        """Stores the manifest or index under the tag, else under its digest, which must be the reference's."""
        digest = root.descriptor.digest
        if self.target.digest not in (None, digest):
            problem = f"the image has the digest {digest}, so it cannot be written under another one"
            raise DigestMismatch(self.reference, problem, "name a tag instead of a digest")
        self._put_manifest(root, self.target.tag or str(digest))

    def close(self) -> None:
        """Gives up uploads that were begun and not used."""
        for upload in self._uploads.values():
            self._abandon(upload)
        self._uploads.clear()
        self._session.close()

    def _mounted(self, digest: Digest, origin: Source) -> bool:
        """Asks for a mount from `origin` where that is the same registry; an upload offered instead is kept."""
        if not isinstance(origin, RegistrySource) or origin.target.registry != self.target.registry:
            return False
        source = origin.target.repository
        scopes = self._scopes | {f"repository:{source}:pull"}
        try:
            upload = self._begin({"mount": digest, "from": source}, scopes)
        except (NotFound, AuthenticationError):
            return False  # a registry that knows no mounts, or lets us have none
        if upload:
            self._uploads[digest] = upload
        return not upload

    def _begin(self, query: dict[str, str], scopes: frozenset[str] | None = None) -> str:
        """The URL of a new upload; empty where the blob was mounted instead."""
        target = f"{self._path}/blobs/uploads/"
        asked = f"{target}?{urlencode(query)}" if query else target
        accepted = (201, 202) if query else (202,)
        with closing(self._session.call("POST", asked, scopes or self._scopes, accepted)) as answer:
            if answer.status == 201:
                return ""
            return self._session.resolve(target, answer.header("Location"))

    def _finish(self, upload: str, digest: Digest, raw: bytes) -> None:
        url = f"{upload}{'&' if '?' in upload else '?'}{urlencode({'digest': digest})}"
        headers = {**_OCTETS, "Content-Length": str(len(raw))}
        self._session.call("PUT", url, self._scopes, (201,), headers, _pieces(raw)).close()

    def _abandon(self, upload: str) -> None:
        # Registries drop old uploads by themselves; many cannot be told to.
        with suppress(TransportError, NotFound):
            self._session.call("DELETE", upload, self._scopes, (202, 204)).close()

    def _put_manifest(self, document: Document, name: str) -> None:
        headers = {
            "Content-Type": document.descriptor.media_type,
            "Content-Length": str(len(document.raw)),
        }
        path = f"{self._path}/manifests/{name}"
        with closing(
            self._session.call("PUT", path, self._scopes, (201,), headers, _pieces(document.raw))
        ) as answer:
            stated = answer.header("Docker-Content-Digest")
        if stated and stated != document.descriptor.digest:
            problem = f"the registry stored {stated[:200]!r} instead of {document.descriptor.digest}"
            raise DigestMismatch(self.reference, problem)


class _Body:
    """The chunks of a blob on their way, counted and hashed; they end with an error where they are not `expected`."""

    def __init__(self, chunks: Iterator[bytes], expected: Descriptor | None) -> None:
        self._chunks = chunks
        self._expected = expected
        self._hash = hashlib.new(expected.digest.algorithm if expected else "sha256")
        self.size = 0

    @property
    def digest(self) -> Digest:
        return Digest(f"{self._hash.name}:{self._hash.hexdigest()}")

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._hash.update(chunk)
            self.size += len(chunk)
            if self._expected and self.size > self._expected.size:
                raise DigestMismatch(str(self._expected.digest), f"has more than {self._expected.size} bytes")
            yield from _pieces(chunk)
        if self._expected and self.size != self._expected.size:
            problem = f"has {self.size} bytes instead of {self._expected.size}"
            raise DigestMismatch(str(self._expected.digest), problem)
        if self._expected and self.digest != self._expected.digest:
            raise DigestMismatch(str(self._expected.digest), f"the content has another digest, {self.digest}")


def _pieces(raw: bytes) -> list[bytes]:
    view = memoryview(raw)
    return [bytes(view[start : start + PIECE]) for start in range(0, len(raw), PIECE)]
