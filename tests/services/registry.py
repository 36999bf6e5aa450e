"""Debian's docker-registry (distribution 2.8) on a free port of loopback."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conftest import require_program
from services.certificates import Authority
from services.process import running
from services.token_server import TokenServer, token_server

USERNAME = "reader"
PASSWORD = "s3cret: pass"

_LISTENING = re.compile(rb"listening on [^ ]*?:([0-9]+)")


@dataclass(frozen=True, slots=True)
class Registry:
    """A running registry. `root` is where it stores blobs; `log` is what it says."""

    port: int
    root: Path
    log: Path
    authority: Authority | None = None
    tokens: TokenServer | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def requests(self, method: str, path: str) -> int:
        """How many requests of `method` began with `path`, as its log has it."""
        wanted = f'"{method} {path}'.encode()
        return sum(wanted in line for line in self.log.read_bytes().splitlines())


@contextmanager
def plain_registry(folder: Path, *settings: str) -> Iterator[Registry]:
    """A registry without TLS and without authentication; `settings` are more lines of its configuration."""
    with _registry(folder, "\n".join(settings)) as registry:
        yield registry


@contextmanager
def basic_registry(folder: Path) -> Iterator[Registry]:
    """A registry that wants `USERNAME` and `PASSWORD` by Basic."""
    folder.mkdir(parents=True, exist_ok=True)
    users = folder / "htpasswd"
    made = subprocess.run(
        [require_program("htpasswd"), "-Bbn", USERNAME, PASSWORD], capture_output=True, check=True
    )
    users.write_bytes(made.stdout)
    with _registry(folder, f"auth: {{htpasswd: {{realm: tests, path: {users}}}}}") as registry:
        yield registry


@contextmanager
def tls_registry(folder: Path, *, client_certificates: bool = False) -> Iterator[Registry]:
    """A registry with a certificate of an authority that was made for this run, which may ask for one of ours too."""
    authority = Authority.create(folder / "ca")
    certificate, key = authority.issue("127.0.0.1")
    clients = f", clientcas: [{authority.certificate}]" if client_certificates else ""
    with _registry(folder, tls=f"tls: {{certificate: {certificate}, key: {key}{clients}}}") as registry:
        yield Registry(registry.port, registry.root, registry.log, authority)


@contextmanager
def token_registry(folder: Path) -> Iterator[Registry]:
    """A registry that accepts the tokens of a token server, which runs as long."""
    authority = Authority.create(folder / "signer")
    with token_server(authority, {USERNAME: PASSWORD}) as tokens:
        auth = (
            f"auth: {{token: {{realm: '{tokens.realm}', service: {tokens.service}, "
            f"issuer: {tokens.issuer}, rootcertbundle: {authority.certificate}}}}}"
        )
        with _registry(folder, auth) as registry:
            yield Registry(registry.port, registry.root, registry.log, tokens=tokens)


@contextmanager
def _registry(folder: Path, settings: str = "", tls: str = "") -> Iterator[Registry]:
    program = require_program("docker-registry")
    folder.mkdir(parents=True, exist_ok=True)
    root, log, config = folder / "storage", folder / "registry.log", folder / "config.yml"
    root.mkdir()
    # Port 0: the system gives a free one, and the log tells which.
    config.write_text(
        f"version: 0.1\n"
        f"log: {{level: info, accesslog: {{disabled: false}}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {root}}}, delete: {{enabled: true}}}}\n"
        f"http:\n  addr: 127.0.0.1:0\n  secret: of-the-tests\n  {tls}\n"
        f"{settings}\n"
    )
    with running([program, "serve", str(config)], log, lambda: _port(log) is not None):
        port = _port(log)
        assert port is not None
        yield Registry(port, root, log)


def _port(log: Path) -> int | None:
    match = _LISTENING.search(log.read_bytes())
    return int(match[1]) if match else None
