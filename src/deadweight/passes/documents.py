"""The config of an image after its layers changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deadweight.oci import strict_json
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document


def with_diff_ids(config: Document, diff_ids: Sequence[Digest | None]) -> Document:
    """`config` with the diff IDs of its layers as they are now, None for one that is gone: its step of the history stays,
    as one without a layer. A history that tells of another number of layers stays as it is.
    """
    value = strict_json.loads(config.raw, f"config {config.descriptor.digest}")
    left = [str(diff_id) for diff_id in diff_ids if diff_id is not None]
    rootfs: dict[str, Any] = value.get("rootfs") or {}
    if rootfs.get("diff_ids") == left:
        return config
    value["rootfs"] = {**rootfs, "type": "layers", "diff_ids": left}
    made = [step for step in value.get("history") or () if step.get("empty_layer") is not True]
    if len(made) == len(diff_ids):
        for step, diff_id in zip(made, diff_ids, strict=True):
            if diff_id is None:
                step["empty_layer"] = True
    return Document.of(strict_json.canonical(value), config.descriptor.media_type)


def with_labels(config: Document, labels: Mapping[str, str]) -> Document:
    """`config` with `labels` among its own (OCI image-spec v1.1, config.md, "Labels")."""
    value = strict_json.loads(config.raw, f"config {config.descriptor.digest}")
    execution: dict[str, Any] = value.get("config") or {}
    known: dict[str, Any] = execution.get("Labels") or {}
    value["config"] = {**execution, "Labels": {**known, **labels}}
    return Document.of(strict_json.canonical(value), config.descriptor.media_type)


def with_history(config: Document, other: Document) -> Document:
    """`config` with the history of the config `other`: that of the layers that it is to get."""
    value = strict_json.loads(config.raw, f"config {config.descriptor.digest}")
    history = strict_json.loads(other.raw, f"config {other.descriptor.digest}").get("history")
    value.pop("history", None)
    if history is not None:
        value["history"] = history
    return Document.of(strict_json.canonical(value), config.descriptor.media_type)
