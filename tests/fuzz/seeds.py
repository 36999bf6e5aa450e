"""Small valid inputs to start from, made by code."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from layer_stacks import Item
from services.images import sample_image, sample_index, with_manifest, zstd_frame

_EMPTY = "sha256:" + "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def tars() -> list[bytes]:
    """Layers in each of the three formats, with every kind of entry, long names and attributes."""
    return [_tar(kind) for kind in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)]


def compressed_layers() -> list[bytes]:
    """The same, compressed."""
    return [packed for raw in tars() for packed in (gzip.compress(raw, mtime=0), zstd_frame(raw), raw)]


def documents() -> list[bytes]:
    """Manifests, indexes and configs of OCI and of Docker."""
    found = []
    for family in ("oci", "docker"):
        image = with_manifest(sample_image(family=family), family, annotations={"a": "b"})
        found += [image.manifest.data, image.config.data, sample_index(image, family=family).index.data]
    full = {
        "os": "linux",
        "architecture": "arm",
        "variant": "v7",
        "created": "2020-01-01T00:00:00Z",
        "author": "a",
        "config": {
            "User": "1",
            "Env": ["PATH=/bin", "API_TOKEN=abcdefgh"],
            "Entrypoint": ["/bin/sh", "-c"],
            "Cmd": "text",
            "WorkingDir": "/w",
            "ExposedPorts": {"80/tcp": {}},
            "Volumes": {"/v": {}},
            "Labels": {"k": "v"},
            "StopSignal": "9",
            "Shell": ["/bin/sh"],
            "Healthcheck": {"Test": ["CMD", "true"]},
        },
        "rootfs": {"type": "layers", "diff_ids": [_EMPTY]},
        "history": [
            {"created_by": '/bin/sh -c #(nop) CMD ["x"]', "empty_layer": True},
            {"created_by": "RUN /bin/sh -c make TOKEN=abcdef # buildkit"},
        ],
    }
    return [*found, json.dumps(full).encode()]


def docker_archives() -> list[bytes]:
    """A classic docker archive, and one of a layout."""
    image = sample_image(({"f": b"1"},), compression="uncompressed", family="docker")
    layer, config = f"{image.layers[0].digest[7:]}/layer.tar", f"{image.config.digest[7:]}.json"
    item = {"Config": config, "RepoTags": ["a:b"], "Layers": [layer]}
    classic = {
        config: image.config.data,
        layer: image.layers[0].data,
        "manifest.json": json.dumps([item]).encode(),
    }
    layout = {f"blobs/sha256/{blob.digest[7:]}": blob.data for blob in image.blobs} | {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": json.dumps({"schemaVersion": 2, "manifests": [image.manifest.descriptor()]}).encode(),
    }
    return [_archive(classic), _archive(layout), _archive(classic | layout)]


def apk() -> list[bytes]:
    """apk's database of two packages."""
    return [
        (
            b"P:musl\nV:1.2-r0\nA:x86_64\no:musl\nL:MIT\nD:so:libc.so>=1 !x\np:so:libc.musl=1\ni:a b\nF:lib\n"
            b"R:libc.so\nZ:Q1abc\nF:\nR:top\n\nP:tool\nV:2\nF:usr/bin\nM:0:0:755\nR:tool\na:0:0:755\n\n"
        ),
        b"musl>=1\n!busybox tool@edge\n",
    ]


def dpkg() -> list[bytes]:
    """dpkg's files: status, a list, sums, diversions and apt's marks."""
    return [
        (
            b"Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36\nSource: glibc (2)\n"
            b"Depends: libgcc-s1, a (>= 1) | b:any [amd64] <!x>\nProvides: x (= 1)\nEssential: yes\nConffiles:\n"
            b" /etc/a 0123 obsolete\n /etc/b 456\n\nPackage: old\nStatus: deinstall ok config-files\n\n"
        ),
        b"/.\n/usr\n/usr/bin\n/usr/bin/tool\n",
        b"d41d8cd98f00b204e9800998ecf8427e  usr/bin/tool\n",
        b"/usr/bin/tool\n/usr/bin/tool.real\n:\n",
        b"Package: libc6\nArchitecture: amd64\nAuto-Installed: 1\n\n",
    ]


def rpm() -> list[bytes]:
    """rpm's database as SQLite, ndb and a bare header, each of one package."""
    header = _rpm_header()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rpmdb.sqlite"
        database = sqlite3.connect(path)
        database.execute("PRAGMA page_size = 512")
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
        database.executemany("INSERT INTO Packages VALUES (?, ?)", [(1, header), (2, header * 3)])
        database.commit()
        database.close()
        sqlite = path.read_bytes()
    blocks = (len(header) + 16 + 15) // 16
    slots = struct.pack("<4s3I", b"Slot", 1, 256, blocks).ljust(4096 - 32, b"\0")
    slots = b"".join(slots[at : at + 16] if slots[at] else b"Slot" + bytes(12) for at in range(0, 4064, 16))
    ndb = struct.pack("<4s4I12x", b"RpmP", 0, 1, 1, 2) + slots
    ndb += struct.pack("<4s3I", b"BlbS", 1, 1, len(header)) + header.ljust(blocks * 16, b"\0")
    return [sqlite, ndb, header]


def elf() -> list[bytes]:
    """A position-independent program of 64 bits and a library of 32: segments, a dynamic section, debug sections."""
    return [_elf64()]


def metadata() -> list[bytes]:
    """Files of Python distributions."""
    return [
        (
            b"Metadata-Version: 2.1\nName: A.b_c\nVersion: 1.0\nLicense: MIT\nClassifier: License :: OSI :: MIT\n"
            b"Requires-Dist: d (>=1) ; extra == 'x'\nRequires-Dist: e[f]>=2\n\nName: no\n"
        ),
        b'a/__init__.py,sha256=x,1\n../../../bin/a,,\n"a,b.py",,\n/etc/a,,\n',
        b"a\nb/c\n\n[x]\nd\n[:python_version<'3']\ne\n",
    ]


def package_json() -> list[bytes]:
    """Manifests of npm."""
    return [
        (
            b'{"name":"@a/b","version":"1.0.0","license":{"type":"MIT"},"dependencies":{"c":"^1"},'
            b'"optionalDependencies":{"d":"1"}}'
        ),
        b'{"name":"x","licenses":[{"type":"MIT"},"BSD"],"dependencies":[]}',
    ]


def package_lists() -> list[bytes]:
    """What names packages or files beside the databases themselves."""
    lock = {"lockfileVersion": 3, "packages": {"node_modules/x": {}, "node_modules/gone": {"version": "1"}}}
    return [
        json.dumps(lock).encode(),
        b"Q1abc= /bin /usr/bin\n",
        b"/etc/ld.so.conf\nremove-on-upgrade /etc/gone\n",
        b"/usr/lib libc6\n/usr/share gone:amd64/noawait\n",
        b'a/__init__.py,sha256=x,1\r\n"b,c.py",,\r\n../../bin/tool,,\r\n',
    ]


def jars() -> list[bytes]:
    """A Java archive with another in it."""
    inner = _zip(
        {"META-INF/MANIFEST.MF": b"Implementation-Version: 2\r\nBundle-License: MIT\r\n very\r\n\r\n"}
    )
    properties = b"groupId=g\nartifactId = a\nversion:1.0\n"
    outer = {"META-INF/maven/g/a/pom.properties": properties, "BOOT-INF/lib/b-2.jar": inner}
    return [inner, _zip(outer), b"#!/bin/sh\n" + _zip(outer, zipfile.ZIP_STORED)]


def gemspecs() -> list[bytes]:
    """A specification as RubyGems writes it."""
    return [
        (
            b'Gem::Specification.new do |s|\n  s.name = "a".freeze\n  s.version = "1"\n  s.licenses = ["MIT".freeze]\n'
            b'  s.files = ["lib/a.rb".freeze, "b\\"c"]\n  if s.respond_to? :x then\n'
            b"    s.add_runtime_dependency(%q<rake>.freeze, [\">= 0\"])\n  else\n    s.add_dependency('x')\n  end\nend\n"
        )
    ]


def texts() -> list[bytes]:
    """Small files that are looked into: os-release, a Java release, scripts, secrets."""
    return [
        b'ID=a\nPRETTY_NAME="A \\"1\\""\n',
        b'JAVA_VERSION="21.0.1"\nIMPLEMENTOR="x"\n',
        b"#!/usr/bin/env python3 -u\n",
        b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n" + b"A" * 64,
        b'{"auths":{"h":{"auth":"dXNlcjpwYXNz"}}}',
        b"machine h login u password secret123\nexport API_TOKEN=abcdefgh\n_authToken=npm_" + b"a" * 36,
    ]


TRACED = (
    Item("bin/sh", "f", b"x"),
    Item("etc/a", "f", b"x"),
    Item("srv/b", "l", link="../etc"),
    Item("srv/c", "l", link="/srv/c/b"),
)
"""The image that `traces` are of."""


def scripts() -> list[bytes]:
    """Shell scripts, and texts with commands in them."""
    return [
        b'#!/bin/bash\nset -e\nA=(tool -x)\nB=${C:-other}\n. "$(dirname "$0")/part"\n"${A[@]}" | $B >/x 2>&1\n',
        b"f() { \"$@\"; }\nf sh -c 'tool; echo $(date)' <<'END'\ntext\nEND\ncase $1 in a) exec gosu me tool;; esac\n",
        b"for a in b c; do find . -exec $a {} +; done | xargs -n1 env A=b tool\ntrap 'rm x' EXIT; eval \"a $b\"\n",
        b"*/5 * * * * root tool % x\n@daily root other\n[program:x]\ncommand = tool\nExecStart=-tool\n postrotate\n a\nendscript\n",
    ]


def javascript() -> list[bytes]:
    """Imports of all kinds."""
    return [
        b"import a from 'a'; export * from \"@b/c/d\"; const e = require(`e/${f}`); import('g'); require.resolve('h-' + i)\n",
        b"// don't\nconst names = ['j', \"k\"]; new URL('./l', import.meta.url)\n",
    ]


def traces() -> list[bytes]:
    """Logs of strace: the first byte is the target's."""
    sandbox = (
        b'2 clone(child_stack=NULL, flags=SIGCHLD) = 2 /* 3 in strace\'s PID NS */\n3 chroot("/image") = 0\n'
        b'3 chdir("/srv") = 0\n3 execve("/bin/sh", [...], 0x7f /* 1 var */) = 0\n'
    )
    calls = (
        b'3 openat(AT_FDCWD</image/srv>, "b/a", O_RDONLY|O_CLOEXEC) = 3</image/etc/a>\n'
        b"3 getdents64(4</image/etc>, 0x5 /* 3 entries */, 32768) = 72\n"
        b"3 clone3({flags=CLONE_VM|CLONE_FS, exit_signal=0} <unfinished ...>\n"
        b'4 chdir("/etc") = 0\n3 <... clone3 resumed> => {parent_tid=[4]}, 88) = 4\n'
        b'4 renameat2(AT_FDCWD</image/etc>, "a", 5</image/srv>, "d\\303\\244\\n", RENAME_EXCHANGE) = -1 ENOENT (x)\n'
        b'3 symlink("../bin", "/srv/e") = 0\n3 rename("/srv/e", "/etc/f") = 0\n3 link("a", "/g") = 0\n'
        b'3 unlinkat(5</image/srv>(deleted), "g", 0) = ? ERESTARTSYS (To be restarted)\n'
        b'3 connect(5<socket:[1]>, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = -1 ENOENT (x)\n'
        b'3 openat(AT_FDCWD, "/srv/c", O_RDWR|O_CREAT, 0666) = -1 ELOOP (x)\n'
        b'4 execve("/bin/sh", [...], 0x7f /* 0 vars */ <unfinished ...>\n'
        b"3 +++ superseded by execve in pid 4 +++\n3 <... execve resumed>) = 0\n3 +++ killed by SIGKILL +++\n"
    )
    return [b"\0" + sandbox + calls, b"\1" + calls, b"\4" + sandbox]


def _tar(kind: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        for name, type_, link, data in (
            ("d", tarfile.DIRTYPE, "", b""),
            ("d/f", tarfile.REGTYPE, "", b"content"),
            ("d/" * 20 + "n" * 90, tarfile.REGTYPE, "", b"x" * 600),
            ("l", tarfile.SYMTYPE, "d/f", b""),
            ("loop", tarfile.SYMTYPE, "loop", b""),
            ("h", tarfile.LNKTYPE, "d/f", b""),
            ("c", tarfile.CHRTYPE, "", b""),
            ("d/.wh.f", tarfile.REGTYPE, "", b""),
            ("d/.wh..wh..opq", tarfile.REGTYPE, "", b""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = type_, link, len(data)
            if kind == tarfile.PAX_FORMAT:
                info.pax_headers = {"SCHILY.xattr.user.a": "b", "mtime": "1.5"}
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue().rstrip(b"\0") + bytes(1536)


def _archive(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _zip(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def _rpm_header() -> bytes:
    strings = {1000: b"pkg", 1001: b"1", 1002: b"2", 1014: b"MIT", 1022: b"x86_64", 1044: b"pkg-1.src.rpm"}
    index, data = b"", b""
    for tag, text in strings.items():
        index += struct.pack(">4I", tag, 6, len(data), 1)
        data += text + b"\0"
    for tag, texts in ((1047, b"pkg\0"), (1049, b"/bin/sh\0"), (1117, b"f\0"), (1118, b"/usr/\0")):
        index += struct.pack(">4I", tag, 8, len(data), 1)
        data += texts
    data += bytes(-len(data) % 4)
    index += struct.pack(">4I", 1116, 4, len(data), 1) + struct.pack(">4I", 1030, 3, len(data) + 4, 1)
    data += struct.pack(">IH", 0, 0o100644)
    return struct.pack(">2I", len(index) // 16, len(data)) + index + data


def _elf64() -> bytes:
    names = b"\0.debug_info\0.go.buildinfo\0.gnu_debuglink\0.symtab\0"
    strings = b"\0libc.so.6\0$ORIGIN\0"
    interpreter = b"/lib/ld.so\0"
    go = b"\xff Go buildinf:\x08\x02".ljust(32, b"\0") + b"\x06go1.22"
    module = bytes(16) + b'path\tx\nmod\tx\tv1\ndep\ty\tv2\n=>\tz\tv3\nbuild\t-ldflags="-s"\n' + bytes(16)
    go += bytes([len(module)]) + module
    at = 64 + 3 * 56
    body = b""
    places = []
    for part in (names, strings, interpreter, go):
        places.append(at + len(body))
        body += part + bytes(-len(part) % 8)
    dynamic = b"".join(
        struct.pack("<qQ", *pair)
        for pair in ((1, 1), (29, 11), (5, places[1]), (0x6FFFFFFB, 1 << 27), (0, 0))
    )
    dynamic_at = at + len(body)
    body += dynamic
    sections_at = at + len(body)
    sections = [(0, 0, 0, 0, 0), (1, 1, 0, 64, 10), (13, 1, 2, places[3], len(go)), (1, 3, 0, places[0], len(names)),
                (29, 1, 0, places[2], 11), (44, 2, 0, 64, 24)]  # fmt: skip
    table = b"".join(struct.pack("<2I4Q2I2Q", *s[:3], s[3], s[3], s[4], 3, 0, 0, 0) for s in sections)
    size = sections_at + len(table)
    segments = [(1, 0, size), (2, dynamic_at, len(dynamic)), (3, places[2], len(interpreter))]
    programs = b"".join(struct.pack("<2I6Q", k, 4, o, o, o, s, s, 8) for k, o, s in segments)
    counts = (0, 64, 56, len(segments), 64, len(sections), 3)
    ident = b"\x7fELF\2\1\1".ljust(16, b"\0")
    return ident + struct.pack("<2HI3QI6H", 3, 62, 1, 0, 64, sections_at, *counts) + programs + body + table
