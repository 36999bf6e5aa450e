"""Whom to trust: the system's CAs, the user's, and docker's folders of certificates (``certs.d``)."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path

from deadweight.errors import TransportError
from deadweight.transport.base import Access
from deadweight.transport.registry.origin import Origin
from deadweight.transport.registry.reference import is_host

CERTIFICATE_FOLDERS = (Path("/etc/containers/certs.d"), Path("/etc/docker/certs.d"))
"""Folders with a folder for each HOST[:PORT]: CAs in ``*.crt``, a certificate of ours in ``*.cert`` and ``*.key``."""

_BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/ca-bundle.pem"),
    Path("/etc/ssl/cert.pem"),
)


def tls_context(origin: Origin, access: Access, folders: Iterable[Path]) -> ssl.SSLContext:
    """What to trust and to show when speaking with `origin`. Raises `TransportError` for an unusable file."""
    context = ssl.create_default_context()
    if access.insecure_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    system = ssl.get_default_verify_paths()
    if not system.cafile and not system.capath:
        # A Python that was built elsewhere does not know where this system keeps its CAs.
        _trust(context, next(filter(Path.is_file, _BUNDLES), None))
    _trust(context, access.ca_file)
    if is_host(origin.authority):
        for folder in folders:
            _use_folder(context, folder / origin.authority)
    return context


def _use_folder(context: ssl.SSLContext, folder: Path) -> None:
    try:
        names = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise TransportError(str(folder), f"cannot be read: {error.strerror}") from None
    for path in names:
        if path.suffix == ".crt":
            _trust(context, path)
        elif path.suffix == ".cert":
            _show(context, path)


def _trust(context: ssl.SSLContext, path: Path | None) -> None:
    if path is None:
        return
    try:
        context.load_verify_locations(path)
    except OSError as error:
        raise TransportError(
            str(path), f"holds no CA certificate that can be read: {_reason(error)}"
        ) from None


def _show(context: ssl.SSLContext, path: Path) -> None:
    try:
        # Without a password here, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(path, path.with_suffix(".key"), password="")
    except OSError as error:
        problem = f"is no certificate with its key in {path.with_suffix('.key').name}: {_reason(error)}"
        raise TransportError(str(path), problem) from None


def _reason(error: OSError) -> str:
    # An ssl.SSLError is an OSError.
    return str(getattr(error, "reason", None) or error.strerror or "unknown format")
