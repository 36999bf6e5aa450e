"""What docker calls an image: ``[HOST[:PORT]/]NAME[:TAG][@DIGEST]`` (the grammar of distribution/reference)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deadweight.errors import DeadweightError, InvalidReference
from deadweight.oci.digest import Digest

DOCKER_HUB = "docker.io"
_HUB_ALIASES = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_HUB_ENDPOINT = "registry-1.docker.io"

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::(?P<port>[0-9]+))?")
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")
_LONGEST_NAME = 255
_LONGEST_TAG = 128


@dataclass(frozen=True, slots=True)
class RegistryReference:
    """An image in a registry. `tag` is empty where only a digest was given."""

    registry: str
    """Host and port as the user means it; ``docker.io`` for Docker Hub under any of its names."""
    repository: str
    tag: str = ""
    digest: Digest | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"

    @property
    def endpoint(self) -> str:
        """The host and port that answer for the registry."""
        return _HUB_ENDPOINT if self.registry == DOCKER_HUB else self.registry

    @property
    def familiar(self) -> str:
        """The reference as docker prints it, without the parts that go without saying."""
        return str(self).removeprefix(f"{DOCKER_HUB}/").removeprefix("library/")


def parse_reference(text: str) -> RegistryReference:
    """The reference in `text`, made whole as docker does: ``alpine`` is ``docker.io/library/alpine:latest``.

    A leading ``//`` is skipped. Raises `InvalidReference` naming the part that is wrong.
    """
    text = text.removeprefix("//")
    if "://" in text:
        raise InvalidReference(text, "has a scheme where a host is expected", "write HOST/NAME:TAG alone")
    rest, at, digest_text = text.partition("@")
    digest = _digest(digest_text, text) if at else None
    name, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        name, tag = rest, ""
    elif not _TAG.fullmatch(tag) or len(tag) > _LONGEST_TAG:
        rule = f"a tag has 1 to {_LONGEST_TAG} letters, digits, '_', '.' or '-', and starts with none of the last two"
        raise InvalidReference(text, f"the tag {tag[:140]!r} is not valid", rule)
    registry, repository = _split(name, text)
    return RegistryReference(registry, repository, tag or ("" if digest else "latest"), digest)


def canonical_registry(host: str) -> str:
    """`host`, or ``docker.io`` for any of Docker Hub's names."""
    return DOCKER_HUB if host in _HUB_ALIASES else host


def is_host(text: str) -> bool:
    """Whether `text` is a host name or address with or without a port, and nothing else."""
    match = _HOST.fullmatch(text)
    return match is not None and int(match["port"] or 0) <= 65535


def _digest(digest: str, text: str) -> Digest:
    try:
        return Digest(digest)
    except DeadweightError as error:
        raise InvalidReference(text, f"the digest {error}") from None


def _split(name: str, text: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    # Docker's rule: the first part is a host if it could not be the first part of a name on Docker Hub.
    if slash and (first == "localhost" or first != first.lower() or "." in first or ":" in first):
        registry, repository = canonical_registry(first), rest
    else:
        registry, repository = DOCKER_HUB, name
    if not is_host(registry):
        raise InvalidReference(text, f"the registry {registry[:100]!r} is not a host name or address")
    _check_repository(repository, text)
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    return registry, repository


def _check_repository(repository: str, text: str) -> None:
    if not repository:
        raise InvalidReference(text, "names no repository", "write HOST/NAME:TAG")
    if len(repository) > _LONGEST_NAME:
        raise InvalidReference(text[:100], f"the repository name is longer than {_LONGEST_NAME} characters")
    if repository != repository.lower():
        problem = f"the repository name {repository!r} has capital letters"
        raise InvalidReference(text, problem, f"write {repository.lower()}")
    if _IMAGE_ID.fullmatch(repository):
        raise InvalidReference(
            text, "is an image ID, which a registry does not know", "name the image instead"
        )
    for part in repository.split("/"):
        if not _COMPONENT.fullmatch(part):
            rule = "between slashes stand a-z and 0-9, joined by '.', '_', '__' or dashes"
            raise InvalidReference(text, f"the part {part!r} of the repository name is not valid", rule)
