from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from archive_samples import docker_members, entry, layout_members, tar_of, write_members
from deadweight.errors import DeadweightError, InvalidReference, NotFound, TransportError, Unsupported
from deadweight.transport.base import Access
from deadweight.transport.names import open_source, parse_reference
from services.images import sample_image, zstd_frame

NO_ENGINE = Access(engine="unix:///nonexistent/docker.sock")
IMAGE = sample_image()
LAYOUT = layout_members([IMAGE], [entry(IMAGE, "tag")])
DOCKER = docker_members({"a:1": sample_image(compression="uncompressed")})


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def recognised(text: str) -> str:
    return str(parse_reference(text, NO_ENGINE))


@pytest.mark.parametrize(
    ("members", "transport"),
    [
        (DOCKER, "docker-archive"),
        (LAYOUT, "oci-archive"),
        ({**LAYOUT, **DOCKER}, "docker-archive"),
        ({"./usr/bin/x": b"", "manifest.json": b""}, "rootfs"),
        ({".dockerenv": b""}, "rootfs"),
        ({"program": b""}, "rootfs"),
        ({"repositories": b"{}"}, "docker-archive"),
        ({f"{'a' * 64}/layer.tar": b""}, "docker-archive"),
        ({"repositories": b"", "x/layer.tar": b"", "manifest.json": b"null"}, "docker-archive"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd_frame])
def test_archives_by_their_members(members: dict[str, bytes], transport: str, pack: type[bytes]) -> None:
    Path("x").write_bytes(pack(tar_of(members)))
    assert recognised("./x") == f"{transport}:./x"


def test_folders_by_their_files() -> None:
    write_members(Path("layout"), LAYOUT)
    write_members(Path("skopeo"), {"manifest.json": b"", "version": b""})
    write_members(Path("tree"), {"etc/passwd": b""})
    write_members(Path("scratch"), {"program": b""})
    assert recognised("layout") == "oci:layout"
    assert recognised("skopeo") == "dir:skopeo"
    assert recognised("tree") == "rootfs:tree"
    assert recognised("tree:tag") == "docker://tree:tag"
    assert recognised("./scratch") == "rootfs:./scratch"


def test_an_empty_folder_is_no_image() -> None:
    Path("empty").mkdir()
    with pytest.raises(Unsupported, match="empty: is empty; expected an OCI layout or a root file system"):
        recognised("./empty")
    assert recognised("empty") == "docker://empty"


def test_names_after_paths() -> None:
    write_members(Path("layout"), LAYOUT)
    Path("x.tar").write_bytes(tar_of(DOCKER))
    assert recognised("layout:tag") == "oci:layout:tag"
    assert recognised(f"layout@{IMAGE.manifest.digest}") == f"oci:layout@{IMAGE.manifest.digest}"
    assert recognised("x.tar:a:1") == "docker-archive:x.tar:a:1"
    assert recognised("x.tar:@0") == "docker-archive:x.tar:@0"


def test_a_root_file_system_has_no_names() -> None:
    Path("x.tar").write_bytes(tar_of({"etc/passwd": b""}))
    with pytest.raises(InvalidReference, match=r"x\.tar is a root file system, without names"):
        recognised("x.tar:tag")


@pytest.mark.parametrize(
    "data", [b"", b"text", b"\x7fELF" + bytes(2000), gzip.compress(b"text", mtime=0), tar_of({})]
)
def test_a_file_that_is_no_image_is_refused(data: bytes) -> None:
    Path("x.tar").write_bytes(data)
    with pytest.raises(Unsupported, match=r"x\.tar: is no image; expected a docker archive, an OCI archive"):
        recognised("x.tar")


def test_a_broken_archive_says_how() -> None:
    data = bytearray(tar_of({"a": b"", "b": b""}))
    data[512] ^= 1
    Path("x.tar").write_bytes(data)
    with pytest.raises(DeadweightError, match="the member at byte 512 has a wrong header checksum"):
        recognised("x.tar")


def test_what_is_called_like_an_image_is_one() -> None:
    Path("nginx").mkdir()
    Path("team/app").mkdir(parents=True)
    Path("redis").write_bytes(b"\x7fELF")
    assert recognised("nginx") == "docker://nginx"
    assert recognised("redis:7") == "docker://redis:7"
    assert recognised("team/app:1") == "docker://team/app:1"
    assert recognised("team/app") == "docker://team/app"
    assert recognised("registry.example/team/app:1.0") == "docker://registry.example/team/app:1.0"
    assert recognised(f"app@{IMAGE.manifest.digest}") == f"docker://app@{IMAGE.manifest.digest}"


@pytest.mark.parametrize(
    "text", ["/no/such", "./no", "../no", "~/no", "no.tar", "no.tar.gz", "x/no.tgz", "no.tar:a"]
)
def test_a_path_that_is_not_there(text: str) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        recognised(text)


def test_the_nearest_path_is_suggested() -> None:
    Path("image.tar").touch()
    with pytest.raises(NotFound, match=r"imgae\.tar: does not exist; did you mean image\.tar\?"):
        recognised("imgae.tar")
    with pytest.raises(NotFound, match="the folder missing is not there"):
        recognised("missing/image.tar")


def test_what_is_called_nearly_so_here_is_suggested_when_the_registry_has_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    Path("demo/image").mkdir(parents=True)
    Path("Image.d").mkdir()
    Path("nginx").write_bytes(b"\x7fELF")
    with pytest.raises(TransportError, match=r"; did you mean demo/image\?$"):
        open_source("demo/imgae", NO_ENGINE)
    with pytest.raises(TransportError, match=r"; nginx is here, but is no image$"):
        open_source("nginx", NO_ENGINE)
    with pytest.raises(InvalidReference, match=r"has capital letters; .*; did you mean Image\.d\?$"):
        open_source("Imag.d", NO_ENGINE)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("dokcer-archive:x.tar", "docker-archive:x.tar"),
        ("oci-archiv:x.tar", "oci-archive:x.tar"),
        ("docker-deamon:alpine", "docker-daemon:alpine"),
        ("rootf:x", "rootfs:x"),
    ],
)
def test_a_misspelt_transport_is_corrected(text: str, meant: str) -> None:
    with pytest.raises(InvalidReference, match=f"there is no transport .*did you mean {meant}?"):
        recognised(text)


def test_a_transport_of_skopeo_that_is_not_ours() -> None:
    with pytest.raises(Unsupported, match="podman save --format oci-archive"):
        recognised("containers-storage:localhost/app")


def test_a_transport_without_an_image() -> None:
    with pytest.raises(InvalidReference, match="names a transport but no image"):
        recognised("oci:")
