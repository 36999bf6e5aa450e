"""Small images with packages for the tests of what goes with slimming, and slimmed copies of them made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deadweight.image import open_image
from deadweight.passes.databases.rewrite import rewrite_databases
from deadweight.passes.write import NO_LABELS, write_filtered
from deadweight.slimming.labels import labels_of
from deadweight.slimming.subject import Subject, read_subject
from deadweight.transport.base import Access
from deadweight.transport.names import open_destination
from debian_by_hand import Debian
from layers_by_hand import Member, directory, file, image_of, link, program, whiteout
from services.images import write_layout

ORIGINAL: list[Mapping[str, Any]] = [
    {"created_by": "RUN install"},
    {"created_by": "ENV A=b", "empty_layer": True},
    {"created_by": "COPY app"},
]


def packages() -> Debian:
    """A web server with a library, documentation and a configuration; a tool; data that the tool's package asks for."""
    return (
        Debian()
        .add(
            "web",
            program("usr/sbin/web", "libweb.so.1"),
            file("usr/share/doc/web/README", 500),
            file("usr/share/web/pages", 40),
            depends="libweb1",
        )
        .add("libweb1", program("usr/lib/libweb.so.1.2"), link("usr/lib/libweb.so.1", "libweb.so.1.2"))
        .add("tool", program("usr/bin/tool", "libtool.so"), depends="libtool, tool-data")
        .add("libtool", program("usr/lib/libtool.so"))
        .add("tool-data", file("usr/share/tool/table", 3000))
    )


def layers() -> list[Sequence[Member]]:
    base = [directory("usr"), directory("usr/lib"), *packages().layer, file("opt/old/data", 700)]
    script = file("srv/app/start", b"#!/usr/bin/tool\n", 0o755)
    top = [whiteout("opt/old"), script, link("srv/app/gone", "/nowhere"), file("usr/share/web/pages", 45)]
    return [base, top]


def original(folder: Path, **config: Any) -> str:
    """The image in `folder`; the reference of it."""
    write_layout(folder, image_of(layers(), ORIGINAL, {"Entrypoint": ["/usr/sbin/web"], **config}))
    return f"oci:{folder}:latest"


@contextmanager
def subject_of(reference: str) -> Iterator[Subject]:
    with open_image(reference) as image:
        yield read_subject(image)


def write_without(
    subject: Subject,
    place: Path,
    goes: Callable[[str], bool],
    base: int = 0,
    labels: Mapping[str, str] = NO_LABELS,
) -> None:
    """Writes `subject` without the paths that go into the layout `place`, as ``slim``; the first `base` layers stay."""
    with open_destination(f"oci:{place}:slim", Access()) as destination:
        books = rewrite_databases(
            subject.image,
            subject.indexes,
            subject.view.merged,
            subject.view.inventory,
            lambda node: not goes(node.path),
            base,
        )
        write_filtered(
            subject.image,
            subject.indexes,
            subject.view.merged,
            books.kept,
            books.replaced,
            destination,
            keep_layers=base,
            labels=labels,
        )


def slimmed(reference: str, folder: Path, goes: Callable[[str], bool], level: str = "files") -> str:
    """`reference` without the paths that go, in `folder`; the reference of it."""
    with subject_of(reference) as subject:
        write_without(subject, folder, goes, labels=labels_of(subject.image, level))
    return f"oci:{folder}:slim"
