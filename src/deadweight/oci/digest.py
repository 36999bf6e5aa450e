"""Digests (OCI image-spec v1.1, descriptor.md, "Digests")."""

from __future__ import annotations

import hashlib
import re

from deadweight.errors import InvalidDocument, Unsupported

_FORM = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+")
_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+")


class Digest(str):
    """A digest such as ``sha256:2c26…``: a string that was checked.

    Raises `InvalidDocument` for a malformed one and `Unsupported` for an algorithm that is not registered.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Digest:
        if not _FORM.fullmatch(text):
            raise InvalidDocument(repr(text[:100]), "is not a digest", "expected sha256: and 64 hex digits")
        algorithm, _, encoded = text.partition(":")
        length = _LENGTHS.get(algorithm)
        if length is None:
            raise Unsupported(
                text[:100], f"unknown digest algorithm {algorithm!r}", "known: sha256, sha384, sha512"
            )
        if len(encoded) != length or not _HEX.fullmatch(encoded):
            raise InvalidDocument(text[:200], f"a {algorithm} digest has {length} lower-case hex digits")
        return super().__new__(cls, text)

    @property
    def algorithm(self) -> str:
        return self.partition(":")[0]

    @property
    def hex(self) -> str:
        return self.partition(":")[2]

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """The sha256 digest of `data`."""
        return cls("sha256:" + hashlib.sha256(data).hexdigest())
