"""Broken and hostile images: exit code 2 and one line that says where, within bounded time and memory, nothing written."""

from __future__ import annotations

import errno
import gzip
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from backports import zstd

from archive_samples import docker_members, link, tar_of
from conftest import require_program
from hostile_images import (
    END,
    MAX_RSS,
    Layer,
    blob_path,
    dumps,
    entry,
    finish,
    layout,
    layout_of,
    layout_with,
    leftovers,
    one_line,
    pax,
    put,
    refused,
    run,
    sha256,
    start,
    write_index,
)
from services.images import OCI, sample_image

GOOD = entry(b"app", b"#!/bin/sh\n") + END
GZIP = f"{OCI}layer.v1.tar+gzip"
ZSTD = f"{OCI}layer.v1.tar+zstd"
ESCAPE = "\x1b[31m\x07\x9b2J\u202e"
"""What terminals obey: colour, bell, an 8-bit control sequence, text from right to left."""

BROKEN_TARS = {
    "climbing": (entry(b"a/../../etc/passwd", b"x"), "climbs with '..'"),
    "climbing hard link": (entry(b"a", kind=b"1", link=b"../../etc/passwd"), "climbs with '..'"),
    "NUL in a name": (pax(path="a\0b") + entry(b"a"), "NUL"),
    "name of 64 KiB": (entry(b"L", b"n" * 65536 + b"\0", kind=b"L") + entry(b"a"), "at most 4096"),
    "sparse file of GNU tar": (entry(b"a", kind=b"S"), "sparse"),
    "sparse file in pax": (pax(GNU__sparse__major="1") + entry(b"a"), "sparse"),
    "global header": (pax(b"g", path="etc/shadow") + entry(b"a"), "global header"),
    "unknown type": (entry(b"a", kind=b"Z"), "unknown type"),
    "negative size": (entry(b"a", size=b"\xff" * 12), "claims a size of -1 bytes"),
    "huge size in base 256": (entry(b"a", size=b"\x80" + b"\x7f" * 11), "claims a size"),
    "huge size in octal": (entry(b"a", size=b"77777777777"), "cut off in the content of 'a'"),
    "huge size in pax": (pax(size="9" * 19) + entry(b"a"), "claims a size"),
    "size that is no number": (entry(b"a", size=b"12x4"), "octal number"),
    "hard link to nothing": (entry(b"a", kind=b"1", link=b"nothing"), "where nothing is"),
    "hard link to itself": (entry(b"a", kind=b"1", link=b"a"), "where nothing is"),
    "hard link to a directory": (entry(b"d", kind=b"5") + entry(b"a", kind=b"1", link=b"d"), "where a directory is"),
    "circle of links above an entry": (
        entry(b"a", kind=b"2", link=b"b") + entry(b"b", kind=b"2", link=b"a") + entry(b"a/x", b"1"),
        "circle",
    ),
    "wrong checksum": (GOOD[:200] + b"\1" + GOOD[201:], "checksum"),
    "noise": (bytes(range(1, 256)) * 100, "checksum"),
    "cut off in a header": (GOOD[:1024] + GOOD[:100], "cut off in a tar header"),
    "cut off in a content": (entry(b"a", size=b"%011o" % 5000) + b"x" * 600, "cut off in the content"),
    "announced entry that never comes": (pax(path="x") + END, "announces another entry"),
}  # fmt: skip
FINE_TARS = {
    "absolute names": entry(b"/etc/x", b"1") + END,
    "devices": entry(b"dev/null", kind=b"3") + entry(b"dev/sda", kind=b"4") + entry(b"p", kind=b"6") + END,
    "loops of links": entry(b"a", kind=b"2", link=b"b") + entry(b"b", kind=b"2", link=b"a") + END,
    "link out of the image": entry(b"a", kind=b"2", link=b"../../../etc") + entry(b"a/x", b"1") + END,
    "comment of git": pax(b"g", comment="0123") + entry(b"a", b"1") + END,
    "nothing at all": END,
    "no bytes": b"",
    "bytes that are not UTF-8": entry(b"caf\xe9", b"1") + END,
    "numbers in base 256": entry(b"a", b"x" * 5, size=b"\x80" + bytes(10) + b"\5") + END,
}


@pytest.mark.parametrize("name", BROKEN_TARS)
def test_broken_tars(name: str, tmp_path: Path) -> None:
    data, problem = BROKEN_TARS[name]
    layer = Layer(data)
    refused(run("analyze", layout(tmp_path / "image", layer), cwd=tmp_path), layer.stated, problem, "at byte")
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("name", FINE_TARS)
def test_odd_tars_that_are_fine(name: str, tmp_path: Path) -> None:
    done = run("analyze", layout(tmp_path / "image", Layer(FINE_TARS[name])), "--json", "-", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.rss < MAX_RSS


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


_NOISE = b"".join(sha256(b"%d" % number).encode() for number in range(4000))
_TAR = entry(b"noise", _NOISE) + END
_GZIP, _ZSTD = gzip.compress(_TAR, mtime=0), zstd.compress(_TAR)

BROKEN_STREAMS = {
    "gzip cut off": (Layer(_GZIP[:-5000], GZIP, diff_id=sha256(_TAR)), "gzip stream is truncated"),
    "gzip of a damaged block": (Layer(_flipped(_GZIP, 9000), GZIP, diff_id=sha256(_TAR)), ""),
    "gzip with a wrong checksum": (Layer(_flipped(_GZIP, len(_GZIP) - 8), GZIP, diff_id=sha256(_TAR)), "corrupt"),
    "gzip and junk": (Layer(_GZIP + b"junk", GZIP, diff_id=sha256(_TAR)), "gzip stream"),
    "zstd cut off": (Layer(_ZSTD[:-5000], ZSTD, diff_id=sha256(_TAR)), "zstd stream is truncated"),
    "zstd of a damaged block": (Layer(_flipped(_ZSTD, 9000), ZSTD, diff_id=sha256(_TAR)), ""),
    "zstd and junk": (Layer(_ZSTD + b"junk", ZSTD, diff_id=sha256(_TAR)), "zstd stream is corrupt"),
    "gzip in gzip": (Layer(gzip.compress(_GZIP, mtime=0), GZIP, diff_id=sha256(_GZIP)), "at byte 0"),
    "wrong digest": (Layer(_GZIP, GZIP, digest=sha256(b"other"), diff_id=sha256(_TAR)), "has the digest sha256:"),
    "wrong diff ID": (Layer(_GZIP, GZIP, diff_id=sha256(b"other")), "uncompressed layer has the digest"),
    "more bytes than stated": (Layer(_GZIP, GZIP, size=len(_GZIP) - 1, diff_id=sha256(_TAR)), "longer than the"),
    "fewer bytes than stated": (Layer(_GZIP, GZIP, size=len(_GZIP) + 1, diff_id=sha256(_TAR)), "it is truncated"),
    "size beyond all numbers": (Layer(_GZIP, GZIP, size=10**30, diff_id=sha256(_TAR)), "it is truncated"),
}  # fmt: skip
NOT_SEEN_BY_COPY = {"gzip in gzip"}
"""A copy changes the compression of whatever bytes there are: it does not read tars."""


@pytest.mark.parametrize("name", BROKEN_STREAMS)
def test_broken_streams(name: str, tmp_path: Path) -> None:
    layer, problem = BROKEN_STREAMS[name]
    image = layout(tmp_path / "image", layer)
    refused(run("ls", image, cwd=tmp_path), layer.stated, problem)
    if name not in NOT_SEEN_BY_COPY:
        target = tmp_path / "copy"
        refused(run("copy", image, f"oci:{target}", "--compression", "zstd:1", cwd=tmp_path), layer.stated)
        assert not target.exists()
        assert leftovers(tmp_path) == []


def _bomb(compress: str) -> bytes:
    """64 GiB of zeros: a thousand gzip members or zstd frames."""
    zeros = bytes(64 << 20)
    part = gzip.compress(zeros, 9, mtime=0) if compress == "gzip" else zstd.compress(zeros)
    return part * (1000 if compress == "zstd" else 100)


@pytest.mark.parametrize(("compression", "media_type"), [("gzip", GZIP), ("zstd", ZSTD)])
def test_bombs(compression: str, media_type: str, tmp_path: Path) -> None:
    layer = Layer(_bomb(compression), media_type, diff_id=sha256(b""))
    image = layout(tmp_path / "image", layer)
    limit = max(4 << 30, 100 * len(layer.data))
    refused(run("analyze", image, cwd=tmp_path), layer.stated, f"expands to more than {limit} bytes")
    if compression == "zstd":
        done = run("copy", image, f"oci:{tmp_path / 'copy'}", "--compression", "zstd:1", cwd=tmp_path)
        refused(done, layer.stated, "expands to more than")
        assert not (tmp_path / "copy").exists()
        assert leftovers(tmp_path) == []


def test_a_bomb_around_an_archive_is_bounded_by_the_disk(tmp_path: Path) -> None:
    (tmp_path / "image.tar.gz").write_bytes(_bomb("zstd"))
    process = start(
        "analyze", "docker-archive:image.tar.gz", cwd=tmp_path, limits=[(resource.RLIMIT_FSIZE, 64 << 20)]
    )
    refused(finish(process, tmp_path), "temporary files", os.strerror(errno.EFBIG).lower())
    assert leftovers(tmp_path) == []


def test_an_endless_layer_is_read_no_further_than_its_size(tmp_path: Path) -> None:
    layer = Layer(entry(b"endless", size=b"%011o" % (4 << 30)), size=1 << 20)
    image = layout(tmp_path / "image", layer)
    os.truncate(blob_path(tmp_path / "image", layer.stated), 1 << 41)
    refused(run("ls", image, cwd=tmp_path), layer.stated, "longer than the 1048576 bytes")


def test_long_paths_do_not_add_up_to_a_bomb(tmp_path: Path) -> None:
    """Each entry of 5 KB would need two thousand directories, and they compress a thousandfold."""
    entries = [
        entry(b"L", b"%d/" % number + b"d/" * 2040 + b"\0", kind=b"L") + entry(b"f") for number in range(120)
    ]
    raw = b"".join(entries) + END
    layer = Layer(gzip.compress(raw, mtime=0), GZIP, diff_id=sha256(raw))
    done = run("analyze", layout(tmp_path / "image", layer), cwd=tmp_path)
    refused(done, layer.stated, "characters of paths that its entries do not have")


def test_a_deep_tree_is_shown(tmp_path: Path) -> None:
    raw = entry(b"L", b"d/" * 2000 + b"f\0", kind=b"L") + entry(b"f", b"content") + END
    image = layout(tmp_path / "image", Layer(raw))
    done = run("analyze", image, "--json", "j.json", "--html", "h.html", "--markdown", "m.md", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    done = run("tree", "--depth", "100000", image, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.count("\n") == 2002


DOCUMENTS = {
    "huge": (b'{"schemaVersion":2,"a":"' + b"x" * (17 << 20) + b'"}', "bytes are more than"),
    "deep": (b'{"schemaVersion":2,"a":' + b"[" * 500_000 + b"]" * 500_000 + b"}", "nests deeper than 64"),
    "an endless string after brackets": (b"[" * 60 + b"{}" * 10 + b'"' + b'\\"' * 4_000_000, "not valid JSON"),
    "a name twice": (b'{"schemaVersion":2,"config":{},"config":{}}', "stands twice"),
    "Latin-1": (b'{"schemaVersion":2,"a":"\xe9"}', "not UTF-8 at byte 24"),
    "UTF-16": ('{"schemaVersion":2}'.encode("utf-16"), "not UTF-8 at byte 0"),
    "half a surrogate pair": (b'{"schemaVersion":2,"annotations":{"a":"\\ud800"}}', "half a surrogate pair"),
    "NaN": (b'{"schemaVersion":NaN}', "NaN is not a JSON number"),
    "a number of 5,000 digits": (b'{"schemaVersion":' + b"1" * 5000 + b"}", "not valid JSON"),
    "cut off": (b'{"schemaVersion":2,"layers":[', "not valid JSON"),
    "empty": (b"", "not valid JSON"),
    "null": (b"null", "not an object"),
    "an array": (b"[]", "not an object"),
    "a manifest and an index": (b'{"schemaVersion":2,"manifests":[],"layers":[]}', "of a manifest and of an index"),
    "100,000 layers": (
        dumps({"schemaVersion": 2, "config": {}, "layers": [Layer(b"").descriptor()] * 100_000}),
        "names 100000 layers",
    ),
    "schema 1": (b'{"schemaVersion":1}', "schema 1"),
    "types that are wrong": (b'{"schemaVersion":2,"config":[],"layers":{"a":1}}', "must be an array"),
    "a negative size": (
        dumps({"schemaVersion": 2, "config": {"digest": sha256(b""), "size": -1}, "layers": []}),
        "non-negative",
    ),
    "a digest with a path": (
        dumps({"schemaVersion": 2, "config": {"digest": "sha256:../../../etc/passwd", "size": 1}, "layers": []}),
        "not a digest",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_manifests(name: str, tmp_path: Path) -> None:
    raw, problem = DOCUMENTS[name]
    image = layout_with(tmp_path / "image", raw)
    named = "" if name == "a digest with a path" else sha256(raw)
    refused(run("analyze", image, cwd=tmp_path), named, problem)
    refused(run("copy", image, f"oci:{tmp_path / 'copy'}", cwd=tmp_path), problem)
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    "name", ["huge", "deep", "a name twice", "Latin-1", "half a surrogate pair", "cut off", "null"]
)
def test_index_files_and_configs(name: str, tmp_path: Path) -> None:
    raw, problem = DOCUMENTS[name]
    refused(run("ls", write_index(tmp_path / "index", raw), cwd=tmp_path), "index.json", problem)
    layer = Layer(GOOD)
    image = layout_of(tmp_path / "config", [layer.descriptor()], raw, [layer])
    refused(run("ls", image, cwd=tmp_path), sha256(raw), problem)


CONFIGS = [
    {"config": {"Env": "PATH=/bin"}},
    {"config": {"Env": [1]}},
    {"config": {"Labels": {"a": 1}}},
    {"config": {"Entrypoint": {"a": 1}}},
    {"config": {"ExposedPorts": ["80"]}},
    {"config": {"User": 0}},
    {"config": [], "os": []},
    {"history": {"a": 1}},
    {"history": [None]},
    {"history": [{"created_by": 7}]},
    {"rootfs": {"type": "layers", "diff_ids": [1]}},
    {"rootfs": {"type": "windows", "diff_ids": []}},
    {"rootfs": {"type": "layers", "diff_ids": []}},
    {"architecture": 64},
    {"created": 2020},
]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_configs_of_wrong_types(config: dict[str, object], tmp_path: Path) -> None:
    refused(run("analyze", layout(tmp_path / "image", Layer(GOOD), config=config), cwd=tmp_path), "sha256:")


def test_configs_that_are_made_to_be_searched_for_long(tmp_path: Path) -> None:
    """Every search in what a stranger wrote takes time in proportion to it."""
    long = "A" * 3_000_000
    config = {
        "config": {"Env": [long, f"{long}_"], "Labels": {"a": long}, "Cmd": ["/app"]},
        "history": [{"created_by": long}, {"created_by": "_A_=" * 700_000}],
    }
    files = entry(b".env", b"\n" * 900_000) + entry(b"a.env", b"PASSWORD" * 100_000)
    files += entry(b"specifications/a-1.gemspec", b"  s.name = " + b'"\\' * 400_000)
    done = run("analyze", layout(tmp_path / "image", Layer(files + END), config=config), cwd=tmp_path)
    assert (done.code, done.err) == (0, "")


def test_indexes_in_indexes(tmp_path: Path) -> None:
    folder = tmp_path / "image"
    raw = dumps({"schemaVersion": 2, "manifests": []})
    for _ in range(12):
        put(folder, sha256(raw), raw)
        inner = {"mediaType": f"{OCI}index.v1+json", "digest": sha256(raw), "size": len(raw)}
        raw = dumps({"schemaVersion": 2, "manifests": [inner]})
    refused(run("ls", write_index(folder, raw), cwd=tmp_path), "index sha256:", "nests deeper than 8")


def test_an_index_that_claims_to_be_in_itself(tmp_path: Path) -> None:
    folder = tmp_path / "image"
    claimed = sha256(b"whatever")
    raw = dumps(
        {
            "schemaVersion": 2,
            "manifests": [{"mediaType": f"{OCI}index.v1+json", "digest": claimed, "size": 191}],
        }
    )
    put(folder, claimed, b" " * len(raw))
    refused(run("ls", write_index(folder, raw), cwd=tmp_path), claimed, "another digest")


ARCHIVES = {
    "climbing member": (entry(b"../../x", b"1"), "climbs with '..'"),
    "no archive": (b"noise" * 1000, "no tar archive"),
    "nothing": (b"", "no tar archive"),
    "no manifest": (tar_of({"x": b"1"}), "no manifest.json"),
    "manifest of another shape": (tar_of({"manifest.json": b'{"a":1}'}), "not an array"),
    "manifest of wrong types": (tar_of({"manifest.json": b'[{"Config":1,"Layers":"x"}]'}), "must be"),
    "manifest of 100,000 layers": (
        tar_of({"manifest.json": dumps([{"Config": "c", "Layers": ["l"] * 100_000}])}),
        "names 100000 layers",
    ),
    "manifest twice": (entry(b"manifest.json", b"[]") * 2, "more than once"),
    "manifest that is a circle of links": (
        tar_of([link("manifest.json", "b"), link("b", "manifest.json")]),
        "more than 40 links",
    ),
    "manifest outside": (tar_of([link("manifest.json", "../../../../etc/passwd")]), "leads out of the archive"),
    "config outside": (tar_of({"manifest.json": dumps([{"Config": "/etc/passwd", "Layers": []}])}), "holds no"),
    "member larger than the archive": (entry(b"manifest.json", size=b"77777777777"), "is cut off"),
    "member of a negative size": (entry(b"manifest.json", size=b"\xff" * 12), "claims a size of -1"),
}  # fmt: skip


@pytest.mark.parametrize("name", ARCHIVES)
def test_docker_archives(name: str, tmp_path: Path) -> None:
    data, problem = ARCHIVES[name]
    (tmp_path / "image.tar").write_bytes(data)
    refused(run("analyze", "docker-archive:image.tar", cwd=tmp_path), "image.tar", problem)
    assert leftovers(tmp_path) == []


def test_a_docker_archive_whose_layer_was_changed(tmp_path: Path) -> None:
    image = sample_image(compression="uncompressed", family="docker")
    members = docker_members({"app:1": image})
    place = next(name for name in members if name.endswith("/layer.tar"))
    members[place] = GOOD
    (tmp_path / "image.tar").write_bytes(tar_of(members))
    refused(run("analyze", "docker-archive:image.tar", cwd=tmp_path), image.diff_ids[0], "has the digest")
    done = run("copy", "docker-archive:image.tar", "oci:copy", cwd=tmp_path)
    refused(done, image.diff_ids[0])
    assert not (tmp_path / "copy").exists()


def test_a_manifest_file_that_claims_to_be_huge(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(entry(b"manifest.json", size=b"%011o" % (8 << 30)))
    os.truncate(path, 9 << 30)
    refused(
        run("ls", "docker-archive:image.tar", cwd=tmp_path), "manifest.json", "more than a document may have"
    )


def test_control_characters_reach_no_terminal(tmp_path: Path) -> None:
    name = f"a{ESCAPE}"
    history = [{"created_by": f"RUN {ESCAPE}"}]
    config = {
        "config": {"Labels": {name: ESCAPE}, "Env": [f"API_TOKEN{ESCAPE}=abcdefghij"], "Cmd": [name]},
        "history": history,
        "architecture": f"amd64{ESCAPE}",
        "author": ESCAPE,
    }
    raw = entry(name.encode(), b"1" * 50_000) + entry(b"l", kind=b"2", link=name.encode())
    raw += entry(f"usr/lib/python3/site-packages/{ESCAPE}.dist-info/METADATA".encode(), b"Name: \x1b[31m")
    raw += entry(b"lib/apk/db/installed", f"P:x{ESCAPE}\nV:1{ESCAPE}\n\nP:y\nV:1{ESCAPE}\n\n".encode())
    raw += entry(f"root/{ESCAPE}/.npmrc".encode(), b"_authToken=abcdefghijk") + entry(b"\xff\xfe", b"2") + END
    image = layout(tmp_path / "image", Layer(raw), config=config)
    for command in (
        ("analyze", image),
        ("analyze", image, "--markdown", "-"),
        ("ls", image),
        ("tree", image),
        ("check", image, "--secrets", "0", "--dead", "0", "--largest-file", "1"),
        ("diff", image, image),
        ("analyze", image, "--platform", "linux/s390x"),
        ("ls", image, f"/{name}/x"),
        ("cat", image, f"/{name}x"),
        ("analyze", f"{image}:{ESCAPE}"),
        ("analyze", f"./missing{ESCAPE}"),
        ("nonsense" + ESCAPE,),
    ):
        done = run(*command, cwd=tmp_path)
        assert done.code in (0, 1, 2), done
        assert "Traceback" not in done.err
        for text in (done.out, done.err):
            odd = {character for character in text if not character.isprintable()} - {"\n"}
            assert not odd, (command, odd)
    assert run("cat", image, f"/{name}", cwd=tmp_path).out == "1" * 50_000


def test_interrupted(tmp_path: Path) -> None:
    size = 1 << 40
    layer = Layer(entry(b"big", size=b"\x80" + (size - 512).to_bytes(11, "big")), size=size)
    image = layout(tmp_path / "image", layer)
    os.truncate(blob_path(tmp_path / "image", layer.stated), size)  # sparse: it takes no room, but an hour
    for command in (("analyze", image), ("copy", image, "oci:copy", "--compression", "gzip")):
        process = start(*command, cwd=tmp_path)
        while _bytes_read(process.pid) < 64 << 20:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        done = finish(process, tmp_path)
        assert (done.code, done.out, done.err) == (130, "", "deadweight: interrupted\n")
        assert leftovers(tmp_path) == []
    assert not (tmp_path / "copy").exists()


def _bytes_read(pid: int) -> int:
    """What the process has read so far, from files and pipes alike (proc(5), /proc/PID/io)."""
    return int(Path(f"/proc/{pid}/io").read_text().split()[1])


@pytest.fixture
def image(tmp_path: Path) -> str:
    raw = b"".join(entry(b"file-%04d" % number, b"x" * 600) for number in range(3000)) + END
    return layout(tmp_path / "image", Layer(raw))


@pytest.mark.parametrize("command", ["ls", "tree", "analyze"])
def test_a_reader_that_has_seen_enough(command: str, image: str, tmp_path: Path) -> None:
    line = f'"{sys.executable}" -m deadweight {command} "{image}" | head -n 1 >&2'
    done = subprocess.run(["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True)
    assert done.stderr.count("\n") == 1
    assert "Error" not in done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("ls",),
        ("tree",),
        ("cat", "/file-0001"),
        ("analyze",),
        ("analyze", "--json", "-"),
        ("analyze", "--markdown", "-"),
    ],
    ids="-".join,
)
def test_a_full_disk(arguments: tuple[str, ...], image: str, tmp_path: Path) -> None:
    command, *rest = arguments
    process = start(command, image, *rest, cwd=tmp_path, stdout=Path("/dev/full"))
    (tmp_path / "run" / "out").touch()
    refused(finish(process, tmp_path), os.strerror(errno.ENOSPC))


def test_a_report_on_a_full_disk(image: str, tmp_path: Path) -> None:
    process = start(
        "analyze", image, "--html", "report.html", cwd=tmp_path, limits=[(resource.RLIMIT_FSIZE, 4096)]
    )
    refused(finish(process, tmp_path))
    assert [path.name for path in tmp_path.iterdir() if "report" in path.name] == []


def _unprivileged() -> list[str]:
    """A command that runs another without root's right to read everything."""
    if os.geteuid() != 0:
        return []
    setpriv = require_program("setpriv")
    return [
        setpriv,
        "--bounding-set=-dac_override,-dac_read_search",
        "--inh-caps=-dac_override,-dac_read_search",
    ]


@pytest.mark.parametrize("place", ["image", "image/index.json", "image/blobs/sha256", "archive.tar"])
def test_what_may_not_be_read(place: str, image: str, tmp_path: Path) -> None:
    (tmp_path / "archive.tar").write_bytes(GOOD)
    reference = "archive.tar" if place == "archive.tar" else image
    path = tmp_path / place
    path.chmod(0)
    try:
        done = finish(start("analyze", reference, cwd=tmp_path, prefix=_unprivileged()), tmp_path)
    finally:
        path.chmod(0o755)
    refused(
        done, Path(place).name.partition(".")[0] if "sha256" not in place else "sha256", "permission denied"
    )


def test_what_may_not_be_written(image: str, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    for command in (("copy", image, "oci:closed/copy"), ("analyze", image, "--html", "closed/report.html")):
        done = finish(start(*command, cwd=tmp_path, prefix=_unprivileged()), tmp_path)
        assert done.code == 2
        one_line(done)
        assert "ermission denied" in done.err
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "reference", ["oci:missing", "docker-archive:missing.tar", "dir:missing", "rootfs:missing", "./missing"]
)
def test_what_is_not_there(reference: str, tmp_path: Path) -> None:
    refused(run("analyze", reference, cwd=tmp_path), "missing", "does not exist")


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.tar")
    for reference in ("docker-archive:fifo.tar", "rootfs:fifo.tar", "./fifo.tar", "docker-archive:/dev/zero"):
        refused(run("analyze", reference, cwd=tmp_path), "no regular file")


def test_a_layer_that_is_not_there(image: str, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "image" / "blobs")
    refused(run("analyze", image, cwd=tmp_path), "sha256", "does not exist")


def test_a_blob_of_a_media_type_that_is_none(tmp_path: Path) -> None:
    """The bytes decide, not what they are called."""
    layer = Layer(GOOD, media_type="text/plain")
    assert run("ls", layout(tmp_path / "image", layer), cwd=tmp_path).code == 0
