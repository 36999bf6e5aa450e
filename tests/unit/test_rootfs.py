from __future__ import annotations

import gzip
import io
import os
import socket
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from archive_samples import ANYWHERE, tar_of
from conftest import require
from deadweight.errors import InvalidLayer, NotFound, TransportError, Unsupported
from deadweight.image import Image, open_image
from deadweight.oci.descriptor import Platform
from deadweight.oci.digest import Digest
from deadweight.transport import rootfs_archive
from deadweight.transport.names import open_destination
from services.images import zstd_frame

TAR = tar_of({"etc/passwd": b"root:x:0:0::/:/bin/sh\n", "bin/sh": b"\x7fELF"})


def stored_layer(image: Image) -> bytes:
    with image.open_layer(image.layers[0]) as stream:
        return stream.read()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd_frame])
def test_an_archive_is_a_layer_as_it_is(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    stored = pack(TAR)
    (tmp_path / "x").write_bytes(stored)
    with open_image(f"rootfs:{tmp_path / 'x'}") as image:
        (layer,) = image.layers
        assert stored_layer(image) == stored
        assert layer.descriptor.digest == Digest.of(stored)
        assert layer.diff_id == Digest.of(TAR)
        assert layer.wire_size == (None if stored == TAR else len(stored))
        assert image.platform == Platform.of_host()
        assert not image.source.traits.original_manifest


def test_the_image_does_not_depend_on_its_place(tmp_path: Path) -> None:
    digests = set()
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(TAR)
        with open_image(f"rootfs:{tmp_path / name}") as image:
            digests.add(image.digest)
    assert len(digests) == 1


def archived(folder: Path) -> tuple[list[tarfile.TarInfo], bytes]:
    with open_image(f"rootfs:{folder}") as image:
        data = stored_layer(image)
        assert image.layers[0].diff_id == Digest.of(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return archive.getmembers(), data


def test_a_folder_becomes_an_archive(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_bytes(b"root")
    (tmp_path / "etc/passwd").chmod(0o4640)
    os.utime(tmp_path / "etc/passwd", ns=(0, 1_600_000_000_999_999_999))
    (tmp_path / "etc-").touch()
    (tmp_path / "etc/mtab").symlink_to("../proc//self/./mounts")
    (tmp_path / "etc/loop").symlink_to("/etc")
    os.link(tmp_path / "etc/passwd", tmp_path / "etc/passwd-")
    os.mkfifo(tmp_path / "fifo")
    found, data = archived(tmp_path)
    shown = [(info.name, info.type, info.linkname) for info in found]
    assert shown == [
        (".", tarfile.DIRTYPE, ""),
        ("etc", tarfile.DIRTYPE, ""),
        ("etc/loop", tarfile.SYMTYPE, "/etc"),
        ("etc/mtab", tarfile.SYMTYPE, "../proc//self/./mounts"),
        ("etc/passwd", tarfile.REGTYPE, ""),
        ("etc/passwd-", tarfile.LNKTYPE, "etc/passwd"),
        ("etc-", tarfile.REGTYPE, ""),
        ("fifo", tarfile.FIFOTYPE, ""),
    ]
    passwd = found[4]
    assert (passwd.mode, passwd.mtime, passwd.uid, passwd.gid) == (
        0o4640,
        1_600_000_000,
        os.getuid(),
        os.getgid(),
    )
    assert data[passwd.offset_data :][:4] == b"root"


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, order in (("a", "xyz"), ("b", "zyx")):
        (tmp_path / name).mkdir()
        for file in order:
            (tmp_path / name / file).write_text(file)
            os.utime(tmp_path / name / file, (0, 0))
        os.utime(tmp_path / name, (0, 0))
    assert archived(tmp_path / "a")[1] == archived(tmp_path / "b")[1]


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff\xfe", "wb"):  # noqa: PTH123
        pass
    assert [os.fsencode(info.name) for info in archived(tmp_path)[0]] == [b".", b"\xff\xfe"]


def test_extended_attributes_are_kept(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    try:
        os.setxattr(tmp_path / "file", "user.test", b"\x00\xff")
    except OSError as error:
        require(False, f"a file system with user attributes ({error.strerror})")
    record = archived(tmp_path)[0][1].pax_headers["SCHILY.xattr.user.test"]
    assert record.encode("utf-8", "surrogateescape") == b"\x00\xff"


def test_sockets_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert [info.name for info in archived(tmp_path)[0]] == ["."]


def test_devices_keep_their_numbers() -> None:
    file = io.BytesIO()
    null = Path("/dev/null")
    rootfs_archive._add(file, null, "null", null.lstat(), {})
    found = tarfile.TarInfo.frombuf(file.getvalue(), "utf-8", "strict")
    assert (found.ischr(), found.devmajor, found.devminor) == (True, 1, 3)


def test_a_file_that_changes_meanwhile_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 100)
    before = (tmp_path / "log").stat()
    (tmp_path / "log").write_bytes(b"x" * 50)
    with pytest.raises(TransportError, match="log: became shorter while it was read"):
        rootfs_archive._add_content(io.BytesIO(), tmp_path / "log", before)
    (tmp_path / "log").write_bytes(b"x" * 150)
    with pytest.raises(TransportError, match="log: changed while it was read"):
        rootfs_archive._add_content(io.BytesIO(), tmp_path / "log", before)


def test_a_file_that_turns_into_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = (tmp_path / "file").stat()
    (tmp_path / "file").unlink()
    (tmp_path / "file").symlink_to("/etc/passwd")
    with pytest.raises(TransportError, match="file: too many levels of symbolic links"):
        rootfs_archive._add_content(io.BytesIO(), tmp_path / "file", before)


def test_an_unpacked_archive_packs_into_the_same_files(tmp_path: Path) -> None:
    subprocess.run(["tar", "-x", "-C", str(tmp_path)], input=TAR, check=True)
    found, data = archived(tmp_path)
    files = {info.name: data[info.offset_data :][: info.size] for info in found if info.isreg()}
    assert files == {"etc/passwd": b"root:x:0:0::/:/bin/sh\n", "bin/sh": b"\x7fELF"}


def test_a_broken_compressed_archive(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(gzip.compress(TAR)[:-10])
    with pytest.raises(InvalidLayer), open_image(f"rootfs:{tmp_path / 'x'}"):
        pass


def test_a_missing_root_file_system(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="gone: does not exist"), open_image(f"rootfs:{tmp_path / 'gone'}"):
        pass


def test_an_empty_file_is_no_root_file_system(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with (
        pytest.raises(Unsupported, match="x: is empty; expected a tar"),
        open_image(f"rootfs:{tmp_path / 'x'}"),
    ):
        pass


def test_it_takes_no_layers(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match=r"takes no layers; .*deadweight copy IMAGE rootfs:FILE"):
        open_destination(f"rootfs:{tmp_path / 'x.tar'}", ANYWHERE)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    (tmp_path / "root").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    before = len(list(Path("/proc/self/fd").iterdir()))
    archived(tmp_path / "root")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert not list((tmp_path / "temporary").iterdir())
