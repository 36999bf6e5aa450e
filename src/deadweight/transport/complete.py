"""Whether all that a manifest names is where it is being written to."""

from __future__ import annotations

from collections.abc import Callable

from deadweight.errors import TransportError
from deadweight.oci import media_types
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document, Manifest, parse_document


def require_complete(document: Document, has: Callable[[Digest], bool], reference: str) -> None:
    """Raises `TransportError` for a manifest whose config or layers are missing; foreign layers may be.

    An index may name manifests for other platforms that were left out.
    """
    known = media_types.MANIFESTS | media_types.INDEXES
    if document.descriptor.media_type not in known:
        return
    parsed = parse_document(document)
    if not isinstance(parsed, Manifest):
        return
    for part in (parsed.config, *parsed.layers):
        if not has(part.digest) and not media_types.is_foreign(part.media_type):
            raise TransportError(reference, f"the manifest names {part.digest}, which was not written")
