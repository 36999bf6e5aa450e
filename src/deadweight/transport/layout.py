"""The OCI image layout, wherever its files are (image-spec v1.1, image-layout.md and annotations.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deadweight.errors import InvalidDocument, InvalidReference, LimitExceeded, NotFound, Unsupported
from deadweight.oci import fields, media_types, strict_json
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document, Index, parse_document
from deadweight.transport.base import Source
from deadweight.transport.files import Files
from deadweight.transport.layout_files import CONTAINERD_NAME, INDEX, LAYOUT, REF_NAME, VERSION, blob_path
from deadweight.transport.stored_image import StoredImage, read_verified

MAX_DEPTH = 8
"""How deep indexes may nest."""


def layout_source(files: Files, name: str, reference: str) -> Source:
    """The image `name` of the layout in `files`: a reference name, ``@DIGEST``, or empty for the only image.

    Raises `NotFound`, `InvalidDocument`, and `InvalidReference` where several images are there and none is named.
    """
    index = read_index(files)
    return StoredImage(reference, files, _root(files, index, name, reference), blob_path)


def read_index(files: Files) -> Document:
    """index.json of a layout of a known version. Raises `NotFound`, `InvalidDocument`, `Unsupported`."""
    subject = f"{files.subject}: {LAYOUT}"
    if not files.has(LAYOUT):
        remedy = f"read it as docker-archive:{files.subject}" if files.has("manifest.json") else ""
        raise NotFound(files.subject, f"is no OCI layout: it has no file {LAYOUT!r}", remedy)
    version = fields.text(strict_json.loads(files.read(LAYOUT), subject), "imageLayoutVersion", subject)
    if version != VERSION:
        raise Unsupported(subject, f"the layout's version is {version[:40]!r}; deadweight reads {VERSION}")
    return Document.of(files.read(INDEX), media_types.OCI_INDEX)


def parse_index(index: Document, subject: str) -> Index:
    """The index in index.json. Raises `InvalidDocument` naming `subject`."""
    try:
        parsed = parse_document(index)
    except (InvalidDocument, LimitExceeded) as error:
        raise type(error)(f"{subject}: {INDEX}", error.problem) from None
    if not isinstance(parsed, Index):
        raise InvalidDocument(f"{subject}: {INDEX}", "is a manifest, where an index is needed")
    return parsed


def layout_manifests(files: Files) -> Iterator[Document]:
    """All manifests of a layout that are there, those of nested indexes too. Each is read when it is asked for."""
    seen: set[Digest] = set()

    def below(entries: Sequence[Descriptor], depth: int) -> Iterator[Document]:
        for entry in entries:
            if entry.digest in seen or depth > MAX_DEPTH or not files.has(blob_path(entry.digest)):
                continue
            seen.add(entry.digest)
            document = read_verified(files, blob_path(entry.digest), entry)
            if entry.media_type in media_types.INDEXES:
                parsed = parse_document(document)
                yield from below(parsed.manifests if isinstance(parsed, Index) else (), depth + 1)
            elif entry.media_type in media_types.MANIFESTS:
                yield document

    yield from below(parse_index(read_index(files), files.subject).manifests, 1)


def ref_names(entry: Descriptor) -> list[str]:
    """The names that an entry of index.json can be asked for by."""
    return [entry.annotations[key] for key in (REF_NAME, CONTAINERD_NAME) if entry.annotations.get(key)]


def _root(files: Files, index: Document, name: str, reference: str) -> Document:
    entries = parse_index(index, files.subject).manifests
    if name.startswith("@"):
        return _by_digest(files, entries, Digest(name[1:]))
    wanted = [entry for entry in entries if not name or name in ref_names(entry)]
    if not wanted:
        problem = f"holds no image named {name!r}" if name else "the layout holds no image"
        raise NotFound(reference, problem, f"it holds {_choices(entries)}" if entries else "")
    if len({entry.digest for entry in wanted}) == 1:
        return read_verified(files, blob_path(wanted[0].digest), wanted[0])
    if not _one_image(wanted):
        raise InvalidReference(reference, f"holds {len(entries)} images", f"add one of {_choices(entries)}")
    if len(wanted) == len(entries):
        return index
    made = Index(media_types.OCI_INDEX, tuple(wanted))
    return Document.of(strict_json.canonical(made.to_json()), media_types.OCI_INDEX)


def _by_digest(files: Files, entries: Sequence[Descriptor], digest: Digest) -> Document:
    for entry in entries:
        if entry.digest == digest:
            return read_verified(files, blob_path(entry.digest), entry)
    # One inside a nested index is described there; its digest says enough.
    path = blob_path(digest)
    return read_verified(files, path, Descriptor("", digest, files.size(path)))


def _one_image(entries: Sequence[Descriptor]) -> bool:
    """Whether `entries` are one image for several platforms: none named differently, no platform twice."""
    platforms = {entry.platform for entry in entries}
    names = {tuple(ref_names(entry)) for entry in entries}
    return len(names) == 1 and len(platforms) == len(entries) and None not in platforms


def _choices(entries: Sequence[Descriptor]) -> str:
    shown = [f":{ref_names(entry)[-1]}" if ref_names(entry) else f"@{entry.digest}" for entry in entries[:20]]
    return ", ".join(sorted(set(shown))) + (" …" if len(entries) > 20 else "")
