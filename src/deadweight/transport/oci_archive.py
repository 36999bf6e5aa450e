"""``oci-archive:PATH[:REF]``: an OCI image layout in a tar archive, compressed or not."""

from __future__ import annotations

from pathlib import Path

from deadweight.transport.base import Access, Source
from deadweight.transport.layout import layout_source, split_digest
from deadweight.transport.location import split_location
from deadweight.transport.tar_files import TarFiles


def open_source(location: str, access: Access) -> Source:
    """The image at `location`; REF is a reference name or ``@DIGEST``. Its members are read in place.

    Raises `NotFound`, `InvalidDocument`, and `InvalidReference` where several images are there and none is named.
    """
    place, digest = split_digest(location)
    path, name = (Path(place), digest) if digest else split_location(place)
    files = TarFiles.at(path)
    try:
        return layout_source(files, name, f"oci-archive:{location}")
    except BaseException:
        files.close()
        raise
