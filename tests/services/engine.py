"""A Docker engine of its own: other data, other socket, no network, no trace afterwards."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conftest import require, require_program
from services.certificates import Authority
from services.process import running

_LISTENING = re.compile(rb"API listen on 127\.0\.0\.1:([0-9]+)")


@dataclass(frozen=True, slots=True)
class Engine:
    """A running dockerd."""

    socket: Path
    log: Path
    port: int
    """Of its TLS on loopback, for clients with a certificate."""
    authority: Authority
    certificates: Path
    """A folder for DOCKER_CERT_PATH."""

    @property
    def address(self) -> str:
        """As in DOCKER_HOST."""
        return f"unix://{self.socket}"


@contextmanager
def private_engine(folder: Path) -> Iterator[Engine]:
    """A dockerd with its containerd, which needs root; stopped by its process id."""
    program = require_program("dockerd")
    require_program("containerd")
    require(os.geteuid() == 0, "root, which dockerd needs,")
    log = folder / "dockerd.log"
    # A socket's path has at most 107 bytes, and pytest's folders are long.
    short = Path(tempfile.mkdtemp(prefix="dw-"))
    address = short / "docker.sock"
    config = folder / "daemon.json"
    config.write_text("{}")
    authority = Authority.create(folder / "ca")
    certificate, key = authority.issue("127.0.0.1")
    command = [
        *(program, "--config-file", str(config), "--host", f"unix://{address}"),
        *("--data-root", str(folder / "data"), "--exec-root", str(short / "exec")),
        *("--pidfile", str(short / "docker.pid"), "--iptables=false", "--ip6tables=false", "--bridge=none"),
        *("--host", "tcp://127.0.0.1:0", "--tlsverify", "--tlscacert", str(authority.certificate)),
        *("--tlscert", str(certificate), "--tlskey", str(key)),
    ]
    try:
        with running(command, log, lambda: _answers(address) and _port(log) > 0, seconds=120):
            yield Engine(address, log, _port(log), authority, _for_clients(authority, folder / "client"))
    finally:
        shutil.rmtree(short, ignore_errors=True)
        shutil.rmtree(folder / "data", ignore_errors=True)


def _for_clients(authority: Authority, folder: Path) -> Path:
    """The files that docker looks for in DOCKER_CERT_PATH."""
    folder.mkdir()
    certificate, key = authority.issue("127.0.0.1")
    for name, path in (("ca.pem", authority.certificate), ("cert.pem", certificate), ("key.pem", key)):
        shutil.copy(path, folder / name)
    return folder


def _port(log: Path) -> int:
    match = _LISTENING.search(log.read_bytes())
    return int(match[1]) if match else 0


def _answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        try:
            connection.connect(str(address))
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            return b" 200 " in connection.recv(100)
        except OSError:
            return False
