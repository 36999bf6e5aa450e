"""``docker-daemon:``: images of a Docker engine, or of podman's compatible one (Docker Engine API v1.41).

The parts are imported where used: most commands need no engine.
"""

from __future__ import annotations

from deadweight.transport.base import Access, Destination, Source


def open_source(location: str, access: Access) -> Source:
    """The image ``NAME[:TAG]`` or image ID, exported to a temporary file. Raises `NotFound`, `TransportError`."""
    from deadweight.transport.engine.source import export_image

    return export_image(location, access)


def open_destination(location: str, access: Access) -> Destination:
    """The name ``NAME[:TAG]`` in the engine. Raises `TransportError` where no engine answers."""
    from deadweight.transport.engine.destination import EngineDestination

    return EngineDestination(location, access)


def has_image(name: str, access: Access) -> bool:
    """Whether an engine runs and has the image `name`; where none answers soon, the answer is no."""
    from deadweight.transport.engine.source import is_known

    return is_known(name, access)
