"""Image configs (OCI image-spec v1.1, config.md; Docker image-spec v1.2 for `Healthcheck` and `Shell`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deadweight.errors import InvalidDocument
from deadweight.oci import fields, strict_json
from deadweight.oci.descriptor import Platform
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document

MAX_HISTORY = 8192


@dataclass(frozen=True, slots=True)
class History:
    """One step that made the image. An `empty_layer` step changed only the config."""

    created: str = ""
    created_by: str = ""
    comment: str = ""
    empty_layer: bool = False


@dataclass(frozen=True, slots=True)
class Execution:
    """How a container of the image starts: the `config` object of the config."""

    user: str = ""
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str = ""
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = ""
    shell: tuple[str, ...] = ()
    healthcheck: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """The variables of `env`; one without ``=`` is empty."""
        return {name: value for name, _, value in (item.partition("=") for item in self.env)}


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The config of an image. `diff_ids` are the sha256 digests of the uncompressed layers, base first."""

    platform: Platform
    diff_ids: tuple[Digest, ...]
    history: tuple[History, ...] = ()
    execution: Execution = field(default_factory=Execution)
    created: str = ""
    author: str = ""

    def instructions(self) -> list[str]:
        """For each layer the instruction that made it, cleaned of Docker's ``/bin/sh -c #(nop)``.

        Empty strings where the history does not tell, as when its count of layers is another one.
        """
        made = [clean_instruction(step.created_by) for step in self.history if not step.empty_layer]
        return made if len(made) == len(self.diff_ids) else [""] * len(self.diff_ids)


def clean_instruction(created_by: str) -> str:
    """`created_by` as the Dockerfile has it, on one line."""
    text = " ".join(created_by.split())
    if "#(nop)" in text:
        return text.partition("#(nop)")[2].strip()
    text = text.removesuffix("# buildkit").strip()
    for shell in ("RUN /bin/sh -c ", "/bin/sh -c "):
        if text.startswith(shell):
            return "RUN " + text.removeprefix(shell)
    return text


def parse_config(document: Document) -> ImageConfig:
    """The config in `document`. Raises `InvalidDocument` for one that breaks the specification."""
    subject = f"config {document.descriptor.digest}"
    value = strict_json.loads(document.raw, subject)
    rootfs = fields.mapping(value, "rootfs", subject)
    if rootfs and rootfs.get("type") != "layers":
        raise InvalidDocument(subject, f"rootfs.type must be 'layers', but is {rootfs.get('type')!r}")
    return ImageConfig(
        platform=Platform.from_json(value, subject),
        diff_ids=tuple(Digest(text) for text in fields.texts(rootfs, "diff_ids", subject)),
        history=tuple(
            _history(step, subject) for step in fields.objects(value, "history", subject, MAX_HISTORY)
        ),
        execution=_execution(fields.mapping(value, "config", subject), subject),
        created=fields.text(value, "created", subject),
        author=fields.text(value, "author", subject),
    )


def _history(step: Mapping[str, Any], subject: str) -> History:
    return History(
        created=fields.text(step, "created", subject),
        created_by=fields.text(step, "created_by", subject),
        comment=fields.text(step, "comment", subject),
        empty_layer=step.get("empty_layer") is True,
    )


def _execution(value: Mapping[str, Any], subject: str) -> Execution:
    return Execution(
        user=fields.text(value, "User", subject),
        env=fields.texts(value, "Env", subject),
        entrypoint=_command(value, "Entrypoint", subject),
        cmd=_command(value, "Cmd", subject),
        working_dir=fields.text(value, "WorkingDir", subject),
        exposed_ports=tuple(sorted(fields.mapping(value, "ExposedPorts", subject))),
        volumes=tuple(sorted(fields.mapping(value, "Volumes", subject))),
        labels=fields.texts_by_name(value, "Labels", subject),
        stop_signal=fields.text(value, "StopSignal", subject),
        shell=fields.texts(value, "Shell", subject),
        healthcheck=fields.texts(fields.mapping(value, "Healthcheck", subject), "Test", subject),
    )


def _command(value: Mapping[str, Any], name: str, subject: str) -> tuple[str, ...]:
    # Docker images from before 1.10 may hold a plain string.
    command = value.get(name)
    if isinstance(command, str):
        return (command,)
    return fields.texts(value, name, subject)
