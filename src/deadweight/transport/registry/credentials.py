"""Who we are to a registry: the auth files and credential helpers of docker and podman (containers-auth.json(5))."""

from __future__ import annotations

import base64
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deadweight.errors import AuthenticationError, InvalidDocument, TransportError
from deadweight.oci import fields, strict_json
from deadweight.transport.registry.reference import DOCKER_HUB, RegistryReference, canonical_registry

_HUB_SERVER = "https://index.docker.io/v1/"
_HELPER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HELPER_SECONDS = 60.0
_NO_CREDENTIALS = "credentials not found in native keychain"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a registry may be shown. `origin` says where it was found; the secrets are never printed."""

    origin: str
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    """Exchanged for a token at the realm (OAuth 2 refresh token)."""
    registry_token: str = field(default="", repr=False)
    """Shown to the registry as it is."""


def find_credentials(
    reference: RegistryReference, auth_file: Path | None, environment: Mapping[str, str]
) -> Credentials | None:
    """The first credentials for `reference` in podman's order of files; None where there are none.

    In a file the most specific key wins: the whole name, then shorter and shorter prefixes, then the host; for a key
    its credential helper comes before an inline entry, and `credsStore` comes last. Raises `InvalidDocument`,
    `TransportError` and `AuthenticationError` (a helper that fails).
    """
    for path in auth_files(auth_file, environment):
        raw = _read(path)
        if raw is None:
            continue
        found = _in_file(strict_json.loads(raw, str(path)), path, reference)
        if found is not None:
            return found
    return None


def auth_files(auth_file: Path | None, environment: Mapping[str, str]) -> list[Path]:
    """Where credentials may be, in the order in which they count; a file that the user named is the only one.

    Raises `TransportError` where the named file is missing.
    """
    named = auth_file or Path(environment.get("REGISTRY_AUTH_FILE", ""))
    if named != Path():
        if not named.exists():
            raise TransportError(
                str(named), "there is no such auth file", "check --authfile and REGISTRY_AUTH_FILE"
            )
        return [named]
    home = Path(environment.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 (Path.home raises)
    runtime = environment.get("XDG_RUNTIME_DIR")
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    docker = Path(environment.get("DOCKER_CONFIG") or home / ".docker")
    return [
        Path(runtime) / "containers/auth.json"
        if runtime
        else Path(f"/run/containers/{os.getuid()}/auth.json"),
        config / "containers/auth.json",
        docker / "config.json",
    ]


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as stream:
            return stream.read(strict_json.MAX_DOCUMENT + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise TransportError(str(path), f"the auth file cannot be read: {error.strerror}") from None


def _in_file(value: Mapping[str, Any], path: Path, reference: RegistryReference) -> Credentials | None:
    subject = str(path)
    helpers = _by_key(fields.texts_by_name(value, "credHelpers", subject))
    auths = value.get("auths") or {}
    if not isinstance(auths, dict):
        raise InvalidDocument(subject, "the field 'auths' is not an object")
    entries = _by_key(auths)
    for key in _keys(reference):
        if key in helpers:
            found = _from_helper(helpers[key], path, reference.registry)
        else:
            found = _from_entry(entries.get(key), subject, key)
        if found is not None:
            return found
    store = fields.text(value, "credsStore", subject)
    return _from_helper(store, path, reference.registry) if store else None


def _keys(reference: RegistryReference) -> Iterator[str]:
    key = f"{reference.registry}/{reference.repository}"
    while key:
        yield key
        key = key.rpartition("/")[0]


def _by_key(entries: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, entry in entries.items():
        result.setdefault(_normal(key), entry)
    return result


def _normal(key: str) -> str:
    """`key` as host or host/path: docker writes some as URLs of its API, podman as names."""
    bare = key.partition("://")[2] or key
    host, _, path = bare.strip("/").partition("/")
    of_docker = bare != key or path in ("v1", "v2")
    host = canonical_registry(host)
    return host if of_docker or not path else f"{host}/{path}"


def _from_entry(entry: object, subject: str, key: str) -> Credentials | None:
    if entry is None:
        return None
    if not isinstance(entry, dict):
        raise InvalidDocument(subject, f"the entry of {key} in auths is not an object")
    username, password = (_secret(entry, name, subject) for name in ("username", "password"))
    auth = _secret(entry, "auth", subject)
    if auth:
        username, password = _decoded(auth, subject, key)
    found = Credentials(
        origin=subject,
        username=username,
        password=password,
        identity_token=_secret(entry, "identitytoken", subject),
        registry_token=_secret(entry, "registrytoken", subject),
    )
    # Beside a credsStore, docker leaves empty entries behind.
    return found if found.password or found.identity_token or found.registry_token else None


def _secret(entry: Mapping[str, Any], name: str, subject: str) -> str:
    # Not `fields.text`: that one shows what it found.
    value = entry.get(name) or ""
    if not isinstance(value, str):
        raise InvalidDocument(subject, f"the field {name!r} of an entry is not a string")
    return value


def _decoded(auth: str, subject: str, key: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(auth, validate=True).decode()
    except ValueError:
        raise InvalidDocument(subject, f"the auth of {key} is not base64 of USER:PASSWORD") from None
    username, _, password = text.partition(":")
    return username, password.rstrip("\0")


def _from_helper(name: str, path: Path, registry: str) -> Credentials | None:
    program = f"docker-credential-{name}"
    if not _HELPER_NAME.fullmatch(name):
        raise InvalidDocument(str(path), f"{name[:60]!r} is not the name of a credential helper")
    server = _HUB_SERVER if registry == DOCKER_HUB else registry
    remedy = f"try `echo {server} | {program} get`, or remove the helper from {path}"
    try:
        done = subprocess.run(
            [program, "get"], input=server.encode(), capture_output=True, timeout=_HELPER_SECONDS, check=False
        )
    except FileNotFoundError:
        raise AuthenticationError(
            str(path), f"names the credential helper {program}, which is not installed", remedy
        ) from None
    except subprocess.TimeoutExpired:
        raise AuthenticationError(program, f"gave no answer in {_HELPER_SECONDS:.0f} s", remedy) from None
    except OSError as error:
        raise AuthenticationError(program, f"cannot be run: {error.strerror}", remedy) from None
    if done.returncode:
        if _NO_CREDENTIALS.encode() in done.stdout:
            return None
        # What it printed is not shown: it might be the secret.
        raise AuthenticationError(program, f"failed with exit code {done.returncode}", remedy)
    return _helper_answer(done.stdout, program)


def _helper_answer(output: bytes, program: str) -> Credentials | None:
    value = strict_json.loads(output, f"the answer of {program}")
    username, secret = (_secret(value, name, program) for name in ("Username", "Secret"))
    if not secret:
        return None
    if username == "<token>":
        return Credentials(program, identity_token=secret)
    return Credentials(program, username=username, password=secret)
