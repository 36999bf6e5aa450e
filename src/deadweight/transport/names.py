"""Skopeo's transport names, and what a bare argument means."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple, cast

from deadweight.errors import DeadweightError, InvalidReference
from deadweight.transport.base import MODULES, Access, Destination, Source


class Reference(NamedTuple):
    """A transport and what it calls the image."""

    transport: str
    location: str

    def __str__(self) -> str:
        return f"{self.transport}:{self.location}"


def parse_reference(text: str, access: Access) -> Reference:
    """The transport and location in `text`; a bare argument is recognised (see `recognise`).

    Raises `InvalidReference` for an unknown transport or an empty location.
    """
    name, colon, location = text.partition(":")
    if colon and name in MODULES:
        if not location:
            raise InvalidReference(text, "names a transport but no image", f"write {name}:LOCATION")
        return Reference(name, location)
    from deadweight.transport.recognise import recognise  # a named transport needs none of it

    return Reference(*recognise(text, access))


def open_source(text: str, access: Access) -> Source:
    """The image named by `text`, for reading."""
    reference = parse_reference(text, access)
    if reference == ("docker", f"//{text}"):
        return _open_unnamed(reference, text, access)
    return cast("Source", _module(reference).open_source(reference.location, access))


def _open_unnamed(reference: Reference, text: str, access: Access) -> Source:
    """The image of a registry that `text` can only mean. If it is not there, the error names what is called so here."""
    source: Source | None = None
    try:
        source = cast("Source", _module(reference).open_source(reference.location, access))
        source.root()
    except DeadweightError as error:
        if source is not None:
            source.close()
        from deadweight.transport.recognise import nearby

        error.add_remedy(nearby(text))
        raise
    return source


def parse_destination(text: str) -> Reference:
    """The transport and location in `text`; for writing, the transport must be named. Raises `InvalidReference`."""
    name, colon, location = text.partition(":")
    if not colon or name not in MODULES or not location:
        known = ", ".join(f"{transport}:" for transport in MODULES)
        raise InvalidReference(text, "is no destination", f"write TRANSPORT:LOCATION with one of {known}")
    return Reference(name, location)


def open_destination(text: str, access: Access) -> Destination:
    """The place named by `text`, for writing."""
    reference = parse_destination(text)
    return cast("Destination", _module(reference).open_destination(reference.location, access))


def _module(reference: Reference):  # type: ignore[no-untyped-def]
    return import_module(f"deadweight.transport.{MODULES[reference.transport]}")
