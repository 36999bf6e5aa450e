"""Sample images through the two ends of a transport, and other people's tools beside them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from conftest import require, require_program
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document, Manifest, parse_document
from deadweight.transport.base import Destination, Source
from services.images import Blob, SampleImage, SampleIndex


def descriptor_of(blob: Blob) -> Descriptor:
    return Descriptor(blob.media_type, Digest(blob.digest), len(blob.data))


def document_of(blob: Blob) -> Document:
    return Document.verified(descriptor_of(blob), blob.data)


def push(destination: Destination, image: SampleImage | SampleIndex) -> None:
    """Writes all of `image` and commits it."""
    images = image.images if isinstance(image, SampleIndex) else (image,)
    for one in images:
        for layer in one.layers:
            destination.put_blob(iter([layer.data]), layer.media_type, descriptor_of(layer))
        destination.put_document(document_of(one.config))
        if isinstance(image, SampleIndex):
            destination.put_document(document_of(one.manifest))
    destination.commit(document_of(image.index if isinstance(image, SampleIndex) else image.manifest))


def read_blob(source: Source, descriptor: Descriptor) -> bytes:
    """The whole blob, as the source streams it."""
    with source.blob(descriptor) as stream:
        return stream.read()


def pulled(source: Source, root: Document | None = None) -> dict[str, bytes]:
    """Everything under the source's root, by digest."""
    root = root or source.root()
    found = {str(root.descriptor.digest): root.raw}
    parsed = parse_document(root)
    if not isinstance(parsed, Manifest):
        for entry in parsed.manifests:
            found |= pulled(source, source.document(entry))
        return found
    found[parsed.config.digest] = source.document(parsed.config).raw
    found |= {str(layer.digest): read_blob(source, layer) for layer in parsed.layers}
    return found


def contents(image: SampleImage | SampleIndex) -> dict[str, bytes]:
    """Everything that `pulled` should find."""
    return {blob.digest: blob.data for blob in image.blobs}


def skopeo(*arguments: str) -> str:
    """What skopeo prints."""
    command = [require_program("skopeo"), "--insecure-policy", *arguments]
    return _output(command)


def crane(*arguments: str) -> str:
    """What go-containerregistry's crane prints."""
    path = shutil.which("crane") or shutil.which("crane", path=str(Path.home() / "go/bin"))
    require(path, "the program crane")
    assert path is not None
    return _output([path, *arguments])


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
