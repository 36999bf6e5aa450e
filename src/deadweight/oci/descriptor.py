"""Descriptors and platforms (OCI image-spec v1.1, descriptor.md and image-index.md)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deadweight.errors import InvalidReference
from deadweight.oci import fields
from deadweight.oci.digest import Digest

_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "i686": "386",
    "i386": "386",
    "x86-64": "amd64",
}


@dataclass(frozen=True, slots=True)
class Platform:
    """What an image runs on: GOOS, GOARCH and, for arm, the variant."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @classmethod
    def parse(cls, text: str) -> Platform:
        """The platform in ``os/arch[/variant]``, or ``arch`` alone for Linux. Raises `InvalidReference`."""
        parts = text.split("/")
        if not all(parts) or len(parts) > 3:
            raise InvalidReference(
                text, "is not a platform", "write os/arch or os/arch/variant, as linux/amd64"
            )
        if len(parts) == 1:
            parts = ["linux", parts[0]]
        architecture = _ARCHITECTURES.get(parts[1], parts[1])
        return cls(parts[0], architecture, parts[2] if len(parts) == 3 else "")

    @classmethod
    def of_host(cls) -> Platform:
        """This machine's architecture, for Linux, in which containers run."""
        machine = os.uname().machine
        return cls("linux", _ARCHITECTURES.get(machine, machine))

    def accepts(self, other: Platform) -> bool:
        """Whether an image for `other` is one for this platform; a variant counts where both name one."""
        if (self.os, self.architecture) != (other.os, other.architecture):
            return False
        ours, theirs = (_default_variant(p) for p in (self, other))
        return not self.variant or ours == theirs

    @classmethod
    def from_json(cls, value: Mapping[str, Any], subject: str) -> Platform:
        return cls(
            fields.text(value, "os", subject),
            fields.text(value, "architecture", subject),
            fields.text(value, "variant", subject),
            fields.text(value, "os.version", subject),
        )

    def to_json(self) -> dict[str, Any]:
        value = {"architecture": self.architecture, "os": self.os}
        if self.variant:
            value["variant"] = self.variant
        if self.os_version:
            value["os.version"] = self.os_version
        return value


def _default_variant(platform: Platform) -> str:
    if platform.architecture == "arm64":
        return platform.variant or "v8"
    return platform.variant


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Where content is and what it must be. `size` is in stored bytes."""

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Platform | None = None
    urls: tuple[str, ...] = ()
    artifact_type: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any], subject: str) -> Descriptor:
        """Raises `InvalidDocument` naming `subject` for what is no descriptor."""
        platform = fields.mapping(value, "platform", subject)
        return cls(
            media_type=fields.text(value, "mediaType", subject),
            digest=Digest(fields.text(value, "digest", subject)),
            size=fields.natural(value, "size", subject),
            annotations=fields.texts_by_name(value, "annotations", subject),
            platform=Platform.from_json(platform, subject) if platform else None,
            urls=fields.texts(value, "urls", subject),
            artifact_type=fields.text(value, "artifactType", subject),
        )

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        if self.urls:
            value["urls"] = list(self.urls)
        if self.annotations:
            value["annotations"] = dict(self.annotations)
        if self.platform:
            value["platform"] = self.platform.to_json()
        if self.artifact_type:
            value["artifactType"] = self.artifact_type
        return value
