"""Registries over their real protocol: Debian's docker-registry, and others' clients beside ours."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from deadweight.errors import (
    AuthenticationError,
    DeadweightError,
    DigestMismatch,
    InvalidReference,
    NotFound,
    TransportError,
)
from deadweight.image import open_image, open_images
from deadweight.oci.descriptor import Platform
from deadweight.oci.digest import Digest
from deadweight.transport.base import Access, Traits
from deadweight.transport.names import open_destination, open_source
from deadweight.transport.registry.destination import RegistryDestination
from deadweight.transport.registry.reference import RegistryReference, parse_reference
from deadweight.transport.registry.session import Session
from deadweight.transport.registry.source import RegistrySource
from services.hostile_registry import hostile_registry
from services.images import FILES, SampleImage, sample_image, sample_index, with_manifest, write_layout
from services.proxy import proxy_to
from services.registry import PASSWORD, USERNAME, Registry, plain_registry, tls_registry
from services.transfer import contents, crane, descriptor_of, document_of, pulled, push, read_blob, skopeo
from services.web import Request, respond, serving

pytestmark = pytest.mark.registry
ANYONE = Access()
PROXIES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
)


@pytest.fixture(autouse=True)
def no_credentials_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG", *PROXIES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def auth_file(folder: Path, host: str, username: str = USERNAME, password: str = PASSWORD) -> Path:
    path = folder / "auth.json"
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    path.write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    return path


def pushed(name: str, image: SampleImage, access: Access = ANYONE) -> None:
    with open_destination(name, access) as destination:
        push(destination, image)


# Push and pull


@pytest.mark.parametrize("family", ["oci", "docker"])
@pytest.mark.parametrize("compression", ["gzip", "zstd", "uncompressed"])
def test_what_was_pushed_is_pulled(
    registry: Registry, repository: str, compression: str, family: str
) -> None:
    image = sample_image(compression=compression, family=family)
    name = f"docker://{registry.host}/{repository}:v1"
    pushed(name, image)
    with open_source(name, ANYONE) as source:
        assert pulled(source) == contents(image)
        assert source.root().descriptor == descriptor_of(image.manifest)
        assert source.reference == name
        assert source.traits == Traits(original_manifest=True, moves_blobs=True, verified=True)


def test_other_clients_find_what_we_pushed(registry: Registry, repository: str, tmp_path: Path) -> None:
    image = sample_image()
    pushed(f"docker://{registry.host}/{repository}:v1", image)
    assert crane("digest", f"{registry.host}/{repository}:v1") == image.manifest.digest
    assert crane("validate", "--remote", f"{registry.host}/{repository}:v1").startswith("PASS")
    skopeo(
        *("copy", "--src-tls-verify=false", f"docker://{registry.host}/{repository}:v1"),
        f"oci:{tmp_path / 'layout'}:v1",
    )
    stored = tmp_path / "layout/blobs/sha256" / image.manifest.digest.removeprefix("sha256:")
    assert stored.read_bytes() == image.manifest.data


def test_we_find_what_other_clients_pushed(registry: Registry, repository: str, tmp_path: Path) -> None:
    image = sample_image(compression="zstd")
    layout = write_layout(tmp_path / "layout", image, "v1")
    skopeo(
        *("copy", "--dest-tls-verify=false", f"oci:{layout}:v1"), f"docker://{registry.host}/{repository}:v1"
    )
    with open_source(f"docker:{registry.host}/{repository}:v1", ANYONE) as source:
        assert pulled(source) == contents(image)


def test_index_and_platform(registry: Registry, repository: str) -> None:
    images = [sample_image(architecture=name) for name in ("amd64", "arm64", "s390x")]
    index = sample_index(*images)
    name = f"docker://{registry.host}/{repository}:multi"
    with open_destination(name, ANYONE) as destination:
        push(destination, index)
    assert crane("digest", f"{registry.host}/{repository}:multi") == index.index.digest
    with open_source(name, ANYONE) as source:
        assert pulled(source) == contents(index)
    with open_image(name, Platform("linux", "arm64")) as image:
        assert image.digest == images[1].manifest.digest
        assert [layer.wire_size for layer in image.layers] == [len(layer.data) for layer in images[1].layers]
    with open_images(name) as found:
        assert [image.platform.architecture for image in found] == ["amd64", "arm64", "s390x"]
    with pytest.raises(NotFound, match=r"has no image for linux/riscv64; choose with --platform from"):  # noqa: SIM117
        with open_image(name, Platform("linux", "riscv64")):
            pass


def test_docker_index(registry: Registry, repository: str) -> None:
    index = sample_index(sample_image(family="docker"), family="docker")
    name = f"docker://{registry.host}/{repository}"
    with open_destination(name, ANYONE) as destination:
        push(destination, index)
    with open_source(f"{name}@{index.index.digest}", ANYONE) as source:
        assert pulled(source) == contents(index)
        assert source.root().descriptor == descriptor_of(index.index)


def test_by_digest(registry: Registry, repository: str) -> None:
    image = sample_image()
    name = f"docker://{registry.host}/{repository}@{image.manifest.digest}"
    pushed(name, image)
    with open_source(name, ANYONE) as source:
        assert pulled(source) == contents(image)


def test_another_image_is_not_written_under_a_digest(registry: Registry, repository: str) -> None:
    other = "sha256:" + "0" * 64
    with pytest.raises(DigestMismatch, match="cannot be written under another one; name a tag"):
        pushed(f"docker://{registry.host}/{repository}@{other}", sample_image())


def test_blob_of_unknown_size_and_digest(registry: Registry, repository: str) -> None:
    data = bytes(range(256)) * 3000
    pieces = (data[start : start + 100_000] for start in range(0, len(data), 100_000))
    with open_destination(f"docker://{registry.host}/{repository}", ANYONE) as destination:
        descriptor = destination.put_blob(pieces, "application/vnd.oci.image.layer.v1.tar", None)
        with open_source(f"docker://{registry.host}/{repository}", ANYONE) as source:
            assert descriptor.size == len(data)
            assert read_blob(source, descriptor) == data
            assert destination.holds(descriptor, source)


@pytest.mark.parametrize(
    "change", [lambda data: data[:-1], lambda data: data + b"!", lambda data: b"!" + data[1:]]
)
def test_wrong_content_is_not_stored(registry: Registry, repository: str, change: object) -> None:
    assert callable(change)
    layer = sample_image().layers[0]
    with open_destination(f"docker://{registry.host}/{repository}", ANYONE) as destination:
        with pytest.raises(DigestMismatch):
            destination.put_blob(iter([change(layer.data)]), layer.media_type, descriptor_of(layer))
        with open_source(f"docker://{registry.host}/{repository}", ANYONE) as source:
            assert not destination.holds(descriptor_of(layer), source)
    assert registry.requests("DELETE", f"/v2/{repository}/blobs/uploads/") >= 1


def test_failing_input_comes_through(registry: Registry, repository: str) -> None:
    def broken() -> Iterator[bytes]:
        yield b"first"
        raise NotFound("the input", "went away")

    with open_destination(f"docker://{registry.host}/{repository}", ANYONE) as destination:  # noqa: SIM117
        with pytest.raises(NotFound, match="the input: went away"):
            destination.put_blob(broken(), "application/vnd.oci.image.layer.v1.tar", None)


def test_no_tag_before_commit(registry: Registry, repository: str) -> None:
    image = sample_image()
    name = f"docker://{registry.host}/{repository}:v1"
    with open_destination(name, ANYONE) as destination:
        for layer in image.layers:
            destination.put_blob(iter([layer.data]), layer.media_type, None)
        destination.put_document(document_of(image.config))
        destination.put_document(document_of(image.manifest))
    with open_source(name, ANYONE) as source, pytest.raises(NotFound):
        source.root()


def test_manifest_without_its_blobs_is_refused(registry: Registry, repository: str) -> None:
    with open_destination(f"docker://{registry.host}/{repository}:v1", ANYONE) as destination:  # noqa: SIM117
        with pytest.raises(TransportError, match=r"status 400 \(MANIFEST_BLOB_UNKNOWN"):
            destination.commit(document_of(sample_image().manifest))


def test_blob_is_read_in_parts_and_left_early(registry: Registry, repository: str) -> None:
    image = sample_image([{"big": bytes(3 << 20)}], compression="uncompressed")
    name = f"docker://{registry.host}/{repository}"
    pushed(name, image)
    with open_source(name, ANYONE) as source:
        buffer = bytearray(1 << 20)
        stream = source.blob(descriptor_of(image.layers[0]))
        assert stream.readinto(buffer) == len(buffer)  # type: ignore[attr-defined]
        assert buffer == image.layers[0].data[: len(buffer)]
        stream.close()
        assert stream.closed
        assert pulled(source) == contents(image)


# What is not there


def test_unknown_tag_lists_near_ones(registry: Registry, repository: str) -> None:
    for tag in ("1.2.3", "1.2.4", "latest"):
        pushed(f"docker://{registry.host}/{repository}:{tag}", sample_image())
    with open_source(f"docker://{registry.host}/{repository}:1.2.5", ANYONE) as source:  # noqa: SIM117
        with pytest.raises(NotFound, match=r"there is no tag '1\.2\.5'; tags like it: 1\.2\.4, 1\.2\.3"):
            source.root()


def test_unknown_repository(registry: Registry, repository: str) -> None:
    with open_source(f"docker://{registry.host}/{repository}", ANYONE) as source:  # noqa: SIM117
        with pytest.raises(
            NotFound, match=r"the registry does not have it \(MANIFEST_UNKNOWN.*check the name"
        ):
            source.root()


def test_unknown_digest(registry: Registry, repository: str) -> None:
    name = f"docker://{registry.host}/{repository}@sha256:{'1' * 64}"
    with open_source(name, ANYONE) as source, pytest.raises(NotFound, match="no manifest with this digest"):
        source.root()


def test_unknown_blob(registry: Registry, repository: str) -> None:
    pushed(f"docker://{registry.host}/{repository}", sample_image())
    missing = descriptor_of(sample_image([{"other": b"x"}]).layers[0])
    with open_source(f"docker://{registry.host}/{repository}", ANYONE) as source:  # noqa: SIM117
        with pytest.raises(NotFound, match="BLOB_UNKNOWN"):
            source.blob(missing)


def test_foreign_layer_is_not_fetched_from_its_addresses(tmp_path: Path, repository: str) -> None:
    image = sample_image()
    foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    with (
        serving(lambda request, handler: respond(handler, 200, image.layers[0].data)) as elsewhere,
        plain_registry(
            tmp_path / "registry", "validation: {manifests: {urls: {allow: ['^http://127.0.0.1']}}}"
        ) as registry,
    ):
        urls = [f"{elsewhere.url}/layer"]
        layers = [
            {**layer.descriptor(), **({"mediaType": foreign, "urls": urls} if position == 0 else {})}
            for position, layer in enumerate(image.layers)
        ]
        image = with_manifest(
            image, "docker", layers=layers, config=sample_image(family="docker").config.descriptor()
        )
        name = f"docker://{registry.host}/{repository}"
        with open_destination(name, ANYONE) as destination:
            for layer in image.layers[1:]:
                destination.put_blob(iter([layer.data]), layer.media_type, None)
            destination.put_document(document_of(image.config))
            destination.commit(document_of(image.manifest))
        with open_image(name) as opened:
            assert [layer.foreign for layer in opened.layers] == [True, False, False]
            with pytest.raises(NotFound, match="does not hold the foreign layer sha256:"):
                opened.open_layer(opened.layers[0])
        assert elsewhere.requests == []


# Mounts and uploads


def test_blobs_are_mounted_from_a_repository_beside(registry: Registry, repository: str) -> None:
    image = sample_image()
    pushed(f"docker://{registry.host}/{repository}/from", image)
    target = f"{repository}/to"
    with (
        open_source(f"docker://{registry.host}/{repository}/from", ANYONE) as source,
        open_destination(f"docker://{registry.host}/{target}", ANYONE) as destination,
    ):
        for blob in (*image.layers, image.config):
            assert destination.holds(descriptor_of(blob), source)
        destination.commit(document_of(image.manifest))
    assert (
        registry.requests("PATCH", f"/v2/{target}/") == registry.requests("PUT", f"/v2/{target}/blobs/") == 0
    )
    assert (
        registry.requests("POST", f"/v2/{target}/blobs/uploads/?from=")
        + registry.requests("POST", f"/v2/{target}/blobs/uploads/?mount=")
        == len(image.blobs) - 1
    )
    with open_source(f"docker://{registry.host}/{target}", ANYONE) as source:
        assert pulled(source) == contents(image)


def test_an_upload_offered_for_a_mount_is_used(registry: Registry, repository: str) -> None:
    layer = sample_image([{"unique": repository.encode()}]).layers[0]
    target = f"{repository}/to"
    with (
        open_source(f"docker://{registry.host}/{repository}/nothing", ANYONE) as source,
        open_destination(f"docker://{registry.host}/{target}", ANYONE) as destination,
    ):
        assert not destination.holds(descriptor_of(layer), source)
        destination.put_blob(iter([layer.data]), layer.media_type, descriptor_of(layer))
        assert destination.holds(descriptor_of(layer), source)
    assert registry.requests("POST", f"/v2/{target}/") == 1


def test_no_mount_from_another_registry(
    registry: Registry, registry_with_basic: Registry, repository: str
) -> None:
    layer = sample_image([{"unique": repository.encode()}]).layers[0]
    with (
        open_source(f"docker://{registry_with_basic.host}/{repository}", ANYONE) as source,
        open_destination(f"docker://{registry.host}/{repository}", ANYONE) as destination,
    ):
        assert not destination.holds(descriptor_of(layer), source)
    assert registry.requests("POST", f"/v2/{repository}/") == 0


# Credentials


def test_basic(registry_with_basic: Registry, repository: str, tmp_path: Path) -> None:
    host = registry_with_basic.host
    access = Access(auth_file=auth_file(tmp_path, host))
    image = sample_image()
    pushed(f"docker://{host}/{repository}", image, access)
    with open_source(f"docker://{host}/{repository}", access) as source:
        assert pulled(source) == contents(image)


def test_basic_with_the_wrong_password(
    registry_with_basic: Registry, repository: str, tmp_path: Path
) -> None:
    host = registry_with_basic.host
    path = auth_file(tmp_path, host, password="not the one")
    with open_source(f"docker://{host}/{repository}", Access(auth_file=path)) as source:  # noqa: SIM117
        with pytest.raises(AuthenticationError) as caught:
            source.root()
    assert f"the credentials from {path} are refused; run `docker login {host}`" in str(caught.value)
    assert "not the one" not in repr(caught.value)


def test_basic_without_credentials(registry_with_basic: Registry, repository: str) -> None:
    host = registry_with_basic.host
    with open_source(f"docker://{host}/{repository}", ANYONE) as source:  # noqa: SIM117
        with pytest.raises(
            AuthenticationError, match=r"asks for credentials; run `docker login 127\.0\.0\.1:"
        ):
            source.root()


def test_credential_helper_that_really_runs(
    registry_with_basic: Registry, repository: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = registry_with_basic.host
    helper = tmp_path / "bin" / "docker-credential-tests"
    helper.parent.mkdir()
    answer = json.dumps({"ServerURL": host, "Username": USERNAME, "Secret": PASSWORD})
    helper.write_text(f"#!/bin/sh\nread -r server\n[ \"$1 $server\" = 'get {host}' ] && echo '{answer}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{helper.parent}:/usr/bin:/bin")
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"credHelpers": {host: "tests"}, "auths": {host: {}}}))
    pushed(f"docker://{host}/{repository}", sample_image(), Access(auth_file=path))
    path.write_text(json.dumps({"credsStore": "tests"}))
    with open_source(f"docker://{host}/{repository}", Access(auth_file=path)) as source:
        assert pulled(source) == contents(sample_image())


def test_tokens(registry_with_tokens: Registry, repository: str, tmp_path: Path) -> None:
    registry = registry_with_tokens
    assert registry.tokens is not None
    access = Access(auth_file=auth_file(tmp_path, registry.host))
    image = sample_image()
    before = len(registry.tokens.granted)
    pushed(f"docker://{registry.host}/{repository}", image, access)
    assert registry.tokens.granted[before:] == [[f"repository:{repository}:pull,push"]]
    with open_source(f"docker://{registry.host}/{repository}", access) as source:
        assert pulled(source) == contents(image)
    assert registry.tokens.granted[before + 1 :] == [[f"repository:{repository}:pull"]]


def test_token_for_a_mount(registry_with_tokens: Registry, repository: str, tmp_path: Path) -> None:
    registry = registry_with_tokens
    assert registry.tokens is not None
    access = Access(auth_file=auth_file(tmp_path, registry.host))
    image = sample_image([{"unique": repository.encode()}])
    pushed(f"docker://{registry.host}/{repository}/from", image, access)
    with (
        open_source(f"docker://{registry.host}/{repository}/from", access) as source,
        open_destination(f"docker://{registry.host}/{repository}/to", access) as destination,
    ):
        assert destination.holds(descriptor_of(image.layers[0]), source)
    asked = {f"repository:{repository}/to:pull,push", f"repository:{repository}/from:pull"}
    assert asked in [set(scopes) for scopes in registry.tokens.granted]
    assert registry.requests("POST", f"/v2/{repository}/to/") == 1
    assert registry.requests("PATCH", f"/v2/{repository}/to/") == 0


def test_anonymous_token_for_a_public_repository(
    registry_with_tokens: Registry, repository: str, tmp_path: Path
) -> None:
    host = registry_with_tokens.host
    pushed(
        f"docker://{host}/public/{repository}",
        sample_image(),
        Access(auth_file=auth_file(tmp_path, host)),
    )
    with open_source(f"docker://{host}/public/{repository}", ANYONE) as source:
        assert pulled(source) == contents(sample_image())
    with open_destination(f"docker://{host}/public/{repository}", ANYONE) as destination:  # noqa: SIM117
        with pytest.raises(
            AuthenticationError, match=r"needs credentials, and none are known; run `docker login"
        ):
            push(destination, sample_image())


def test_wrong_password_at_the_token_server(
    registry_with_tokens: Registry, repository: str, tmp_path: Path
) -> None:
    host = registry_with_tokens.host
    access = Access(auth_file=auth_file(tmp_path, host, password="wrong"))
    with open_source(f"docker://{host}/{repository}", access) as source:  # noqa: SIM117
        with pytest.raises(AuthenticationError, match="are refused"):
            source.root()


def test_identity_token(registry_with_tokens: Registry, repository: str, tmp_path: Path) -> None:
    registry = registry_with_tokens
    assert registry.tokens is not None
    registry.tokens.refresh["an identity token"] = USERNAME
    path = tmp_path / "auth.json"
    path.write_text(json.dumps({"auths": {registry.host: {"identitytoken": "an identity token"}}}))
    pushed(f"docker://{registry.host}/{repository}", sample_image(), Access(auth_file=path))
    with open_source(f"docker://{registry.host}/{repository}", Access(auth_file=path)) as source:
        assert pulled(source) == contents(sample_image())
    assert [request.method for request in registry.tokens.web.requests[-2:]] == ["POST", "POST"]


def test_a_token_that_ended_is_replaced(
    registry_with_tokens: Registry, repository: str, tmp_path: Path
) -> None:
    host = registry_with_tokens.host
    access = Access(auth_file=auth_file(tmp_path, host))
    pushed(f"docker://{host}/{repository}", sample_image(), access)
    target = parse_reference(f"{host}/{repository}")
    session = Session(target, access)
    with RegistrySource(target, access, session) as source:
        source.root()
        authenticator = session._authenticator
        for scopes, token in authenticator._tokens.items():
            authenticator._tokens[scopes] = replace(token, header="Bearer no.longer.valid")
        assert pulled(source) == contents(sample_image())


# TLS


def test_tls_with_a_ca_of_its_own(registry_with_tls: Registry, repository: str) -> None:
    assert registry_with_tls.authority is not None
    access = Access(ca_file=registry_with_tls.authority.certificate)
    name = f"docker://{registry_with_tls.host}/{repository}"
    pushed(name, sample_image(), access)
    with open_source(name, access) as source:
        assert pulled(source) == contents(sample_image())


def test_tls_with_an_unknown_ca(registry_with_tls: Registry, repository: str) -> None:
    host = registry_with_tls.host
    with open_source(f"docker://{host}/{repository}", ANYONE) as source:  # noqa: SIM117
        with pytest.raises(TransportError) as caught:
            source.root()
    assert "its certificate is not trusted: " in str(caught.value)
    assert f"name its CA with --ca-file or in /etc/docker/certs.d/{host}/ca.crt" in str(caught.value)


def test_tls_that_is_not_checked(registry_with_tls: Registry, repository: str) -> None:
    access = Access(insecure_tls=True)
    pushed(f"docker://{registry_with_tls.host}/{repository}", sample_image(), access)
    with open_source(f"docker://{registry_with_tls.host}/{repository}", access) as source:
        assert pulled(source) == contents(sample_image())


def test_plain_http_to_a_tls_registry(registry_with_tls: Registry, repository: str) -> None:
    name = f"docker://{registry_with_tls.host}/{repository}"
    with (
        open_source(name, Access(plain_http=True)) as source,
        pytest.raises(DeadweightError, match="status 400"),
    ):
        source.root()


def test_folder_of_certificates(tmp_path: Path, repository: str) -> None:
    with tls_registry(tmp_path / "registry", client_certificates=True) as registry:
        assert registry.authority is not None
        target = parse_reference(f"{registry.host}/{repository}")
        folder = tmp_path / "certs.d"
        mine = folder / registry.host
        mine.mkdir(parents=True)
        (mine / "ca.crt").write_bytes(registry.authority.certificate.read_bytes())
        with with_folder(target, folder) as destination:  # noqa: SIM117
            with pytest.raises(TransportError, match=r"without a client certificate; put client\.cert"):
                push(destination, sample_image())
        certificate, key = registry.authority.issue("127.0.0.1")
        (mine / "client.cert").write_bytes(certificate.read_bytes())
        (mine / "client.key").write_bytes(key.read_bytes())
        with with_folder(target, folder) as destination:
            push(destination, sample_image())
            assert destination.holds(descriptor_of(sample_image().layers[0]), RegistrySource(target, ANYONE))
        (mine / "client.key").write_text("no key")
        with with_folder(target, folder) as destination:  # noqa: SIM117
            with pytest.raises(
                TransportError, match=r"client\.cert: is no certificate with its key in client\.key"
            ):
                push(destination, sample_image())


def with_folder(target: RegistryReference, folder: Path) -> RegistryDestination:
    session = Session(target, ANYONE, certificate_folders=(folder,))
    return RegistryDestination(target, ANYONE, session)


# Redirects


def test_redirected_blobs(tmp_path: Path, repository: str) -> None:
    """The registry sends blob downloads to where its storage is published, as those behind a CDN do."""
    root = tmp_path / "registry" / "storage"

    def published(request: Request, handler: BaseHTTPRequestHandler) -> None:
        assert request.headers["Authorization"] is None
        respond(handler, 200, (root / request.path.lstrip("/")).read_bytes())

    with serving(published) as storage:
        settings = f"middleware: {{storage: [{{name: redirect, options: {{baseurl: '{storage.url}'}}}}]}}"
        with plain_registry(tmp_path / "registry", settings) as registry:
            name = f"docker://{registry.host}/{repository}"
            pushed(name, sample_image())
            with open_source(name, ANYONE) as source:
                assert pulled(source) == contents(sample_image())
            assert len(storage.requests) == len(FILES) + 1


# Proxies


def test_tunnel_through_a_proxy(
    registry_with_tls: Registry, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name exists nowhere: only the proxy can have got us there."""
    name = f"docker://registry.invalid:5000/{repository}"
    access = Access(insecure_tls=True)
    with proxy_to(registry_with_tls.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass@{proxy.host}")
        pushed(name, sample_image(), access)
        with open_source(name, access) as source:
            assert pulled(source) == contents(sample_image())
        assert {request.path for request in proxy.requests} == {"registry.invalid:5000"}
        assert {request.headers["Proxy-Authorization"] for request in proxy.requests} == {
            "Basic dXNlcjpwYXNz"
        }
        monkeypatch.setenv("NO_PROXY", "registry.invalid")
        with open_source(name, access) as source, pytest.raises(TransportError, match="no such host"):
            source.root()


def test_proxy_for_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    image = sample_image()
    with hostile_registry(image) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.web.url)
        with open_source("docker://registry.invalid/name", Access(plain_http=True)) as source:
            assert pulled(source) == contents(image)
        assert proxy.web.requests[0].path == "http://registry.invalid/v2/name/manifests/latest"


def test_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@127.0.0.1:1")
    with open_source("docker://registry.invalid/name", ANYONE) as source:  # noqa: SIM117
        with pytest.raises(TransportError, match=r"registry\.invalid: the proxy failed; check HTTP_PROXY"):
            source.root()


# Not there at all


def test_nothing_listens() -> None:
    with open_source("docker://127.0.0.1:1/name", ANYONE) as source:  # noqa: SIM117
        with pytest.raises(
            TransportError, match="cannot be reached: connection refused; check host and port"
        ):
            source.root()


def test_unknown_host() -> None:
    with open_source("docker://registry.invalid/name", ANYONE) as source:  # noqa: SIM117
        with pytest.raises(TransportError, match=r"https://registry\.invalid: no such host; check the name"):
            source.root()


def test_not_a_reference() -> None:
    with pytest.raises(InvalidReference, match="capital letters"):
        open_source("docker://localhost:5000/Name", ANYONE)


def test_sha512(registry: Registry, repository: str) -> None:
    """docker-registry stores sha256 alone; asking it for more is answered, not obeyed."""
    digest = Digest("sha512:" + "0" * 128)
    with open_source(f"docker://{registry.host}/{repository}@{digest}", ANYONE) as source:  # noqa: SIM117
        with pytest.raises(DeadweightError):
            source.root()
