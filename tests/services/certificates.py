"""A certificate authority for one run, made by openssl."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from conftest import require_program


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates; `certificate` is what has to be trusted."""

    certificate: Path
    key: Path

    @classmethod
    def create(cls, folder: Path) -> Authority:
        folder.mkdir(parents=True, exist_ok=True)
        certificate, key = folder / "ca.crt", folder / "ca.key"
        _openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=deadweight tests"),
            *("-addext", "keyUsage=critical,keyCertSign,digitalSignature"),
            *("-keyout", str(key), "-out", str(certificate)),
        )
        return cls(certificate, key)

    def issue(self, address: str) -> tuple[Path, Path]:
        """A certificate for an IP address, for servers and clients, and its key."""
        stem = self.certificate.parent / address
        certificate, key, request = (stem.with_name(f"{stem.name}.{kind}") for kind in ("cert", "key", "csr"))
        extensions = stem.with_name(f"{stem.name}.ext")
        extensions.write_text(f"subjectAltName=IP:{address}\nextendedKeyUsage=serverAuth,clientAuth\n")
        _openssl(
            *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={address}"),
            *("-keyout", str(key), "-out", str(request)),
        )
        _openssl(
            *("x509", "-req", "-in", str(request), "-CA", str(self.certificate), "-CAkey", str(self.key)),
            *("-CAcreateserial", "-days", "2", "-extfile", str(extensions), "-out", str(certificate)),
        )
        return certificate, key

    def server_context(self) -> ssl.SSLContext:
        """What a server on 127.0.0.1 needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue("127.0.0.1"))
        return context

    def sign(self, message: bytes) -> bytes:
        """The RS256 signature of `message` by the authority's own key."""
        command = [require_program("openssl"), "dgst", "-sha256", "-sign", str(self.key)]
        return subprocess.run(command, input=message, capture_output=True, check=True).stdout


def _openssl(*arguments: str) -> None:
    done = subprocess.run([require_program("openssl"), *arguments], capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.decode(errors='replace')}")
