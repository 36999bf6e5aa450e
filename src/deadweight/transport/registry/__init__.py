"""``docker://``: images in registries (OCI distribution-spec v1.1).

The parts are imported where used, since an HTTP client costs more to import than most archives to read.
"""

from __future__ import annotations

from deadweight.transport.base import Access, Destination, Source


def open_source(location: str, access: Access) -> Source:
    """The image or index at ``[//]HOST[:PORT]/NAME[:TAG][@DIGEST]``. Nothing is asked before `root`."""
    from deadweight.transport.registry.reference import parse_reference
    from deadweight.transport.registry.source import RegistrySource

    return RegistrySource(parse_reference(location), access)


def open_destination(location: str, access: Access) -> Destination:
    """The place ``[//]HOST[:PORT]/NAME[:TAG][@DIGEST]``; with a digest, only that content may be written there."""
    from deadweight.transport.registry.destination import RegistryDestination
    from deadweight.transport.registry.reference import parse_reference

    return RegistryDestination(parse_reference(location), access)
