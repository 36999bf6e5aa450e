"""What a slimmed image says of its original: labels of its config, which every transport keeps (OCI image-spec v1.1,
config.md, "Labels").

The original is named by its image ID, the digest of its config: it is the same in an engine, a registry and an archive,
and with layers that were compressed anew. No reference is written: the same input gives the same bytes, and the name of a
registry may be nobody else's business.
"""

from __future__ import annotations

from collections.abc import Mapping

from deadweight.errors import UsageError
from deadweight.image import Image

ORIGINAL = "dev.deadweight.slim.original"
LEVEL = "dev.deadweight.slim.level"


def labels_of(original: Image, level: str) -> Mapping[str, str]:
    """The labels of what is made of `original` at `level`."""
    return {LEVEL: level, ORIGINAL: str(original.config_document.descriptor.digest)}


def level_of(slimmed: Image) -> str:
    """The level at which `slimmed` was made; empty where it does not say."""
    return slimmed.config.execution.labels.get(LEVEL, "")


def require_original(original: Image, slimmed: Image) -> None:
    """Raises `UsageError` where `slimmed` says that it was made of another image than `original`."""
    said = slimmed.config.execution.labels.get(ORIGINAL, "")
    known = str(original.config_document.descriptor.digest)
    if original.config.execution.labels.get(ORIGINAL) == str(slimmed.config_document.descriptor.digest):
        raise UsageError(original.reference, f"was made of {slimmed.reference}", "name that first")
    if said and said != known:
        problem = f"says that it was made of the image {said}, but {original.reference} is {known}"
        raise UsageError(slimmed.reference, problem, "name the original with that image ID")
