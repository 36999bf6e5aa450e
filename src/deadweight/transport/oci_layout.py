"""``oci:DIR[:REF]``: an OCI image layout in a folder."""

from __future__ import annotations

from pathlib import Path

from deadweight.transport.base import Access, Source
from deadweight.transport.files import Folder
from deadweight.transport.layout import layout_source, split_digest
from deadweight.transport.location import split_location


def open_source(location: str, access: Access) -> Source:
    """The image at `location`; REF is a reference name or ``@DIGEST``.

    Raises `NotFound`, `InvalidDocument`, and `InvalidReference` where several images are there and none is named.
    """
    place, digest = split_digest(location)
    path, name = (Path(place), digest) if digest else split_location(place)
    return layout_source(Folder(path), name, f"oci:{location}")
