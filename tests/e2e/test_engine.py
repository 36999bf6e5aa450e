"""A real Docker engine, over its socket and over TLS: what we load it has, what it has we read."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from conftest import require_program
from deadweight.errors import DeadweightError, InvalidReference, NotFound, TransportError, Unsupported
from deadweight.image import open_image
from deadweight.transport import engine as transport
from deadweight.transport.base import Access
from deadweight.transport.engine.api import first_answering, parse_address, usual_sockets
from deadweight.transport.names import open_destination, open_source, parse_reference
from services.engine import Engine
from services.images import Blob, SampleImage, sample_image, with_manifest
from services.transfer import descriptor_of, document_of, push, read_blob
from services.web import Request, respond, serving

pytestmark = pytest.mark.engine
IMAGE = sample_image(compression="uncompressed", family="docker")


@pytest.fixture(autouse=True)
def no_engine_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def access(engine: Engine) -> Access:
    return Access(engine=engine.address)


def docker(engine: Engine, *arguments: str) -> str:
    command = [require_program("docker"), "--host", engine.address, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def loaded(name: str, access: Access, image: SampleImage = IMAGE) -> None:
    with open_destination(f"docker-daemon:{name}", access) as destination:
        push(destination, image)


def test_the_engine_has_what_we_wrote(engine: Engine, access: Access, repository: str) -> None:
    loaded(f"{repository}:v1", access)
    shown = json.loads(docker(engine, "image", "inspect", f"{repository}:v1"))[0]
    assert shown["Id"] == IMAGE.config.digest
    assert shown["RootFS"]["Layers"] == list(IMAGE.diff_ids)
    assert shown["RepoTags"] == [f"{repository}:v1"]


def test_what_was_written_is_read(access: Access, repository: str) -> None:
    loaded(f"{repository}:v1", access)
    with open_image(f"docker-daemon:{repository}:v1", access=access) as image:
        assert image.reference == f"docker-daemon:{repository}:v1"
        assert image.config_document.raw == IMAGE.config.data
        assert image.digest == IMAGE.config.digest
        assert [layer.diff_id for layer in image.layers] == list(IMAGE.diff_ids)
        assert [layer.wire_size for layer in image.layers] == [None] * len(IMAGE.layers)
        assert image.source.traits.verified
        assert not image.source.traits.moves_blobs
        for layer, diff_id in zip(image.layers, IMAGE.diff_ids, strict=True):
            with image.open_layer(layer) as stream:
                assert "sha256:" + hashlib.sha256(stream.read()).hexdigest() == diff_id


def test_what_docker_loaded_is_read(engine: Engine, access: Access, repository: str, tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    with open_destination(f"docker-archive:{archive}:{repository}:v2", access) as destination:
        push(destination, IMAGE)
    docker(engine, "load", "--input", str(archive))
    with open_source(f"docker-daemon:{repository}:v2", access) as source:
        assert read_blob(source, descriptor_of(IMAGE.layers[0])) == IMAGE.layers[0].data


def test_by_image_id(access: Access, repository: str) -> None:
    image = sample_image([{"only": repository.encode()}], compression="uncompressed")
    loaded(repository, access, image)
    for name in (image.config.digest, image.config.digest.removeprefix("sha256:")):
        with open_image(f"docker-daemon:{name}", access=access) as opened:
            assert opened.digest == image.config.digest


def test_without_a_tag_it_is_latest_alone(engine: Engine, access: Access, repository: str) -> None:
    old = sample_image([{"old": repository.encode()}], compression="uncompressed")
    loaded(f"{repository}:old", access, old)
    loaded(repository, access)
    with open_image(f"docker-daemon:{repository}", access=access) as image:
        assert image.digest == IMAGE.config.digest


def test_registry_of_the_name_is_kept(engine: Engine, access: Access, repository: str) -> None:
    loaded(f"registry.example:5000/{repository}:v1", access)
    assert docker(engine, "image", "inspect", "--format", "{{.Id}}", f"registry.example:5000/{repository}:v1")
    loaded(f"docker.io/library/{repository.rpartition('/')[2]}", access)
    assert docker(engine, "image", "inspect", "--format", "{{.Id}}", repository.rpartition("/")[2])


def test_blobs_are_read_after_the_source_is_closed(access: Access, repository: str) -> None:
    loaded(repository, access)
    with open_source(f"docker-daemon:{repository}", access) as source:
        stream = source.blob(descriptor_of(IMAGE.layers[0]))
    with stream:
        assert stream.read() == IMAGE.layers[0].data


def test_unknown_image(access: Access, repository: str) -> None:
    with pytest.raises(NotFound, match="has no such image; see `docker image ls`, or read docker://"):
        open_source(f"docker-daemon:{repository}", access)


def test_bare_arguments_ask_the_engine(access: Access, repository: str) -> None:
    assert not transport.has_image(repository, access)
    assert parse_reference(repository, access).transport == "docker"
    loaded(repository, access)
    assert transport.has_image(repository, access)
    assert transport.has_image(IMAGE.config.digest, access)
    assert not transport.has_image("../containers", access)
    assert parse_reference(repository, access) == ("docker-daemon", repository)


def test_the_engine_refuses_an_image_with_other_layers(
    engine: Engine, access: Access, repository: str
) -> None:
    config = json.loads(IMAGE.config.data)
    config["rootfs"]["diff_ids"][0] = "sha256:" + "0" * 64
    wrong = replace(IMAGE, config=Blob(IMAGE.config.media_type, json.dumps(config).encode()))
    with pytest.raises(
        TransportError, match="the engine does not take the image: invalid diffID for layer 0"
    ):
        loaded(repository, access, with_manifest(wrong, "docker"))
    assert docker(engine, "image", "ls", "--quiet", repository) == ""


def test_nothing_is_loaded_before_commit(engine: Engine, access: Access, repository: str) -> None:
    origin = open_source(f"docker://registry.invalid/{repository}", access)
    with open_destination(f"docker-daemon:{repository}", access) as destination:
        for layer in IMAGE.layers:
            destination.put_blob(iter([layer.data]), layer.media_type, descriptor_of(layer))
            assert destination.holds(descriptor_of(layer), origin)
        destination.put_document(document_of(IMAGE.config))
    assert docker(engine, "image", "ls", "--quiet", repository) == ""


def test_digest_as_a_destination(access: Access, repository: str) -> None:
    with pytest.raises(InvalidReference, match="an engine names images by tags alone"):
        open_destination(f"docker-daemon:{repository}@sha256:{'0' * 64}", access)


def test_tls(engine: Engine, repository: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{engine.port}")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(engine.certificates))
    loaded(repository, Access())
    with open_source(f"docker-daemon:{repository}", Access()) as source:
        assert source.document(descriptor_of(IMAGE.config)).raw == IMAGE.config.data


def test_tls_without_certificates(
    engine: Engine, repository: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address = f"tcp://127.0.0.1:{engine.port}"
    with pytest.raises(
        TransportError, match="answers with status 400: Client sent an HTTP request to an HTTPS"
    ):
        open_source(f"docker-daemon:{repository}", Access(engine=address))
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    with pytest.raises(TransportError, match=r"ca\.pem, cert\.pem or key\.pem cannot be used: No such file"):
        open_source(f"docker-daemon:{repository}", Access(engine=address))
    (tmp_path / "ca.pem").write_bytes(engine.authority.certificate.read_bytes())
    with pytest.raises(TransportError, match=r"the TLS connection failed: .*; check DOCKER_CERT_PATH"):
        open_source(f"docker-daemon:{repository}", Access(engine=address))


# No engine, or something else in its place


def test_no_engine(tmp_path: Path) -> None:
    access = Access(engine=f"unix://{tmp_path}/none.sock")
    assert not transport.has_image("alpine", access)
    with pytest.raises(
        TransportError, match=r"none\.sock: no engine answers there; start it, or name another"
    ):
        open_source("docker-daemon:alpine", access)
    with pytest.raises(TransportError, match="no engine answers there"):
        open_destination("docker-daemon:alpine", access)


def test_the_first_engine_that_answers(engine: Engine, tmp_path: Path) -> None:
    stale = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(stale))
    found = first_answering([tmp_path / "none.sock", stale, engine.socket])
    assert found.address.path == str(engine.socket)
    with pytest.raises(TransportError, match=rf"unix://{stale}: no engine answers there"):
        first_answering([tmp_path / "none.sock", stale])
    with pytest.raises(TransportError, match="no Docker engine runs here; start it, or name another"):
        first_answering([tmp_path / "none.sock"])


def test_where_engines_usually_listen() -> None:
    rootless = [str(path) for path in usual_sockets({"XDG_RUNTIME_DIR": "/run/user/5"})]
    assert rootless == [
        "/var/run/docker.sock",
        "/run/user/5/docker.sock",
        "/run/user/5/podman/podman.sock",
        "/run/podman/podman.sock",
    ]
    assert str(usual_sockets({})[0]) == "/var/run/docker.sock"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("ssh://host", Unsupported),
        ("unix://", InvalidReference),
        ("tcp://", InvalidReference),
        ("tcp://[::1", InvalidReference),
        ("tcp://host:99999", InvalidReference),
        ("nonsense", InvalidReference),
    ],
)
def test_senseless_address(address: str, kind: type[DeadweightError]) -> None:
    with pytest.raises(kind):
        parse_address(address, {})
    assert not transport.has_image("alpine", Access(engine=address))


class Impostor:
    """Something that answers like an engine, but only so far."""

    def __init__(self) -> None:
        self.known: dict[str, object] = {"Id": "sha256:" + "0" * 64, "Size": 1000}
        self.export = b"not an archive"

    def answer(self, request: Request, handler: BaseHTTPRequestHandler) -> None:
        if request.path == "/_ping":
            respond(handler, 200, b"OK", {"Api-Version": "1.41"})
        elif request.path == "/v1.41/images/alpine/json":
            respond(handler, 200, json.dumps(self.known).encode())
        elif request.path == f"/v1.41/images/{self.known['Id']}/get":
            respond(handler, 200, self.export)
        else:
            respond(handler, 500, b'{"message":"out of\\nluck\\u001b[31m"}')


@pytest.fixture
def impostor() -> Iterator[tuple[Impostor, Access]]:
    it = Impostor()
    with serving(it.answer) as web:
        yield it, Access(engine=f"tcp://{web.host}")


def test_export_larger_than_the_disk(impostor: tuple[Impostor, Access]) -> None:
    it, access = impostor
    it.known["Size"] = 1 << 60
    with pytest.raises(TransportError, match="free some, or set TMPDIR to a larger disk"):
        open_source("docker-daemon:alpine", access)


def test_export_that_is_no_archive(impostor: tuple[Impostor, Access]) -> None:
    it, access = impostor
    for export in (b"not an archive", b"", bytes(10240)):
        it.export = export
        with pytest.raises(DeadweightError, match="docker-daemon:alpine"):
            open_source("docker-daemon:alpine", access)


def test_failure_of_the_engine(impostor: tuple[Impostor, Access]) -> None:
    it, access = impostor
    it.known["Id"] = "another"
    it.known.pop("Size")
    with pytest.raises(DeadweightError):
        open_source("docker-daemon:alpine", access)
    with pytest.raises(TransportError, match=r"status 500: out of luck\[31m$"):
        open_source("docker-daemon:busybox", access)


def test_export_that_breaks_off(impostor: tuple[Impostor, Access]) -> None:
    def answer(request: Request, handler: BaseHTTPRequestHandler) -> None:
        if request.path.endswith("/get"):
            respond(handler, 200, b"part", {"Content-Length": "100000", "Connection": "close"})
        else:
            Impostor().answer(request, handler)

    with serving(answer) as web, pytest.raises(TransportError, match="the connection broke"):
        open_source("docker-daemon:alpine", Access(engine=f"tcp://{web.host}"))


def test_a_server_that_is_no_engine() -> None:
    with serving(lambda request, handler: void(handler.wfile.write(b"SSH-2.0\r\n"))) as web:
        access = Access(engine=f"tcp://{web.host}")
        assert not transport.has_image("alpine", access)
        with pytest.raises(TransportError, match="what answers is no engine"):
            open_source("docker-daemon:alpine", access)


def void(_: object) -> None:
    """For what is written and not counted."""
