"""What is fuzzed. A target takes any bytes; whatever it raises is a bug.

Readers of tars and documents may raise a `DeadweightError`, which a target takes for an answer. Collectors and readers
of package databases never raise: what is broken is a fact of its own.
"""

from __future__ import annotations

import io
import json
import os
import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deadweight.accounting.analyze import analysis_collectors
from deadweight.accounting.ledger import open_ledger
from deadweight.accounting.secrets import find_secrets
from deadweight.errors import DeadweightError
from deadweight.evidence.closure.node_names import imported, quoted
from deadweight.evidence.closure.script_texts import FORMATS
from deadweight.evidence.closure.shell_commands import uses
from deadweight.evidence.closure.shell_text import MAX_VALUES
from deadweight.evidence.closure.shell_text import parse as parse_shell
from deadweight.image import manifests, read_image, select
from deadweight.inventory import elf, jar
from deadweight.inventory.model import Inventory
from deadweight.inventory.reader import Facts
from deadweight.inventory.take import take_inventory
from deadweight.layer.collect import ends
from deadweight.layer.content import Kept, Space
from deadweight.layer.cursor import Cursor
from deadweight.layer.index import LayerIndex, WireMap
from deadweight.layer.indexer import index_layer
from deadweight.layer.scanner import Scanner
from deadweight.oci import media_types
from deadweight.oci.config import parse_config
from deadweight.oci.descriptor import Descriptor
from deadweight.oci.digest import Digest
from deadweight.oci.manifest import Document, Index, parse_document
from deadweight.passes.carried import CarriedContents
from deadweight.passes.databases.rewrite import database_files
from deadweight.passes.databases.rewrite import rewritten as rewritten_databases
from deadweight.passes.filtering import plan_image
from deadweight.passes.rewrite import rewritten
from deadweight.passes.same_tree import difference
from deadweight.trace import Reader, from_json, observe
from deadweight.transport.base import Access
from deadweight.transport.docker_archive import open_source as open_docker_archive
from deadweight.transport.oci_archive import open_source as open_oci_archive
from deadweight.tree.merge import Merged, merge
from fuzz import seeds
from layer_stacks import index_of

_COLLECTORS = analysis_collectors()
_TRACED = merge([index_of(seeds.TRACED)]).tree
_KEPT = 256
"""How much of either end of a program or a Java archive its collector is shown, when it is shown only the ends."""


@dataclass(frozen=True)
class Target:
    """One thing to fuzz and the inputs to start from."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


def tar(data: bytes) -> None:
    """A layer's tar stream in pieces of any size, and the tree that it makes, twice over."""
    step = 1 + data[0] * 7 if data else 1
    pieces = (memoryview(data)[at : at + step] for at in range(0, len(data), step))
    scanner = Scanner(pieces, _COLLECTORS, "layer")
    try:
        scanner.scan()
        index = _index(scanner, len(data))
        merged = merge([index, index])
    except DeadweightError:
        return
    ledger = open_ledger(merged, [index, index], [True, True])
    assert sum(ledger.classes().values()) == 2 * index.unpacked
    assert sum(index.wire_shares()) == (len(data) if index.entries else 0)
    for path, node in merged.tree.walk():
        assert ".." not in path.split("/")
        assert node.path == path
    _filter(data, index, merged)


def layer(data: bytes) -> None:
    """A stored layer: sniffed, inflated, verified, on three threads."""
    descriptor = Descriptor(media_types.OCI_LAYER, Digest.of(data), len(data))
    try:
        index_layer(io.BytesIO(data), descriptor, Digest.of(b""), _COLLECTORS)
    except DeadweightError:
        return


def document(data: bytes) -> None:
    """The same bytes as a manifest or index, and as a config."""
    digest = Digest.of(data)
    for media_type in ("", media_types.OCI_INDEX, media_types.DOCKER_MANIFEST):
        try:
            parsed = parse_document(Document(Descriptor(media_type, digest, len(data)), data))
        except DeadweightError:
            continue
        again = Document.of(json.dumps(parsed.to_json()).encode(), parsed.media_type)
        assert type(parse_document(again)) is type(parsed)
        assert isinstance(parsed, Index) or parsed.config.size >= 0
    try:
        config = parse_config(Document.of(data, media_types.OCI_CONFIG))
    except DeadweightError:
        return
    assert len(config.instructions()) == len(config.diff_ids)
    find_secrets(open_ledger(merge([]), [], []), config)


def archive(data: bytes) -> None:
    """A docker archive or an OCI archive, as far as its images' layers."""
    descriptor = os.memfd_create("archive")
    try:
        os.write(descriptor, data)
        path = f"/proc/self/fd/{descriptor}"
        for open_source in (open_docker_archive, open_oci_archive):
            try:
                with open_source(path, Access()) as source:
                    manifests(source)
                    image = read_image(source, select(source, None))
                    for part in image.layers:
                        with image.open_layer(part) as stream:
                            assert len(stream.read(1)) <= 1
            except DeadweightError:
                continue
    finally:
        os.close(descriptor)


def trace(data: bytes) -> None:
    """A log of strace in pieces of any size; the first byte says whether it is of a sandbox. And a list of paths."""
    tree = _TRACED
    step = 1 + data[0] * 7 if data else 1
    pieces = (data[at : at + step] for at in range(1, len(data), step))
    try:
        observed = observe(Reader("log").read(pieces), tree, "/image" if step % 2 else "")
    except DeadweightError:
        return
    for path in observed.paths():
        assert tree.find(path) is not None
    assert from_json(json.loads(json.dumps(observed.to_json())), "log") == observed


def script(data: bytes) -> None:
    """A text for a shell, and what each of its commands uses."""
    text = data.decode("utf-8", "surrogateescape")
    found = parse_shell(text, {"PATH": "/bin"})
    for command in found.commands:
        assert all(len(word) <= MAX_VALUES for word in command.words)
        for use in uses(command):
            assert isinstance(use.value, str)
    for _, extract in FORMATS:
        list(extract(text))


def javascript(data: bytes) -> None:
    """Names of packages in any text."""
    text = data.decode("utf-8", "surrogateescape")
    assert not any(set(name) & set("\"'` \n") for name in (*quoted(text), *imported(text)))


def files(*paths: str) -> Callable[[bytes], None]:
    """A target that puts the input at one of `paths`, the first byte says which, and takes the image's inventory."""

    def run(data: bytes) -> None:
        path, content = paths[data[0] % len(paths) if data else 0], data[1:]
        if path.endswith((".jar", "program")):
            kept = Kept(len(content), ends(len(content), _KEPT), Space())
            for at in range(0, len(content), 100):
                kept.append(memoryview(content)[at : at + 100])
            for collector in (elf.COLLECTOR, jar.COLLECTOR):
                _storable(collector.collect(path, kept))
        tree = b"".join(_member(*item) for item in (_COMPANY | {path: content}).items())
        scanner = Scanner(iter([memoryview(tree)]), _COLLECTORS, "layer")
        scanner.scan()
        for facts in scanner.facts.values():
            for fact in facts.values():
                _storable(fact)
        index = _index(scanner, len(tree))
        merged = merge([index])
        inventory = take_inventory(merged.tree, Facts(merged.tree, [index]))
        for owned in inventory.owners:
            assert merged.tree.find(owned) is not None
        for half in (0, 1):
            _rewrite_databases(merged, inventory, tree, half)

    return run


def _rewrite_databases(merged: Merged, inventory: Inventory, tar: bytes, half: int) -> None:
    """Every second file goes; what is rewritten is a file that stays."""
    databases = database_files(merged.tree, inventory)
    starts = {node.path: node.entry.start + 512 for node in databases}  # as `_member` has it
    read = {node.path: tar[starts[node.path] :][: node.entry.size] for node in databases}
    new = rewritten_databases(merged, inventory, lambda node: len(node.path) % 2 == half, read)
    for path in new.replaced:
        node = merged.tree.find(path)
        assert node is not None
        assert new.kept(node)


def _filter(data: bytes, index: LayerIndex, merged: Merged) -> None:
    """Every second name stays, of both layers or of the upper one; what is written then merges into just that."""
    for keep_layers in (0, 1):
        try:
            plan = plan_image(
                "it", [index, index], merged, lambda node: len(node.path) % 2 == 0, {}, keep_layers
            )
        except DeadweightError:
            if keep_layers:
                continue  # base layers that cannot be kept
            raise
        layers = []
        with CarriedContents() as carried:
            for position, part in enumerate(plan.layers):
                tar = rewritten(Cursor(iter([data]), "layer"), position, index.entries, part, carried)
                scanner = Scanner(iter([memoryview(b"".join(map(bytes, tar)))]), (), "layer")
                scanner.scan()
                layers.append(_index(scanner, 0))
        assert difference(merge(layers).tree, plan.staying, {}) == ""


def _storable(fact: object) -> None:
    """A cache keeps facts as JSON."""
    assert json.loads(json.dumps(fact)) == fact


def _index(scanner: Scanner, size: int) -> LayerIndex:
    digest = Digest.of(b"")
    wire = WireMap(array("Q", [0, size]), array("Q", [0, size]))
    facts = scanner.facts
    return LayerIndex(digest, digest, size, size, "uncompressed", scanner.entries, wire, facts)


_DIST = "usr/lib/python3/site-packages/a-1.dist-info"
_COMPANY = {
    "usr/bin/tool": b"x",
    "lib/libc.so": b"x",
    "usr/lib/python3/site-packages/a/__init__.py": b"x",
    f"{_DIST}/METADATA": b"Name: a",
    "var/lib/dpkg/status": seeds.dpkg()[0],
    "lib/apk/db/installed": seeds.apk()[0],
    "app/node_modules/x/package.json": seeds.package_json()[0],
}
"""What else the image holds."""


def _member(path: str, content: bytes) -> bytes:
    fields = struct.pack(
        "100s8s8s8s12s12s8sc100s8s247x",
        path.encode(), b"0000644", b"0", b"0", b"%011o" % len(content), b"0", b" " * 8, b"0", b"", b"ustar\x0000",
    )  # fmt: skip
    block = fields[:148] + b"%06o\0 " % sum(fields) + fields[156:]
    return block + content + bytes(-len(content) % 512)


def _at_each(contents: Sequence[bytes], count: int) -> list[bytes]:
    return [bytes([number]) + content for content in contents for number in range(count)]


def _files(contents: Callable[[], list[bytes]], *paths: str) -> Target:
    return Target(files(*paths), lambda: _at_each(contents(), len(paths)))


TARGETS: dict[str, Target] = {
    "javascript": Target(javascript, seeds.javascript),
    "script": Target(script, seeds.scripts),
    "trace": Target(trace, seeds.traces),
    "tar": Target(tar, seeds.tars),
    "layer": Target(layer, seeds.compressed_layers),
    "document": Target(document, seeds.documents),
    "archive": Target(archive, seeds.docker_archives),
    "apk": _files(seeds.apk, "lib/apk/db/installed", "etc/apk/world"),
    "dpkg": _files(
        seeds.dpkg,
        "var/lib/dpkg/status",
        "var/lib/dpkg/info/libc6.list",
        "var/lib/dpkg/status.d/libc6",
        "var/lib/dpkg/status.d/libc6.md5sums",
        "var/lib/dpkg/diversions",
        "var/lib/apt/extended_states",
    ),
    "rpm": _files(seeds.rpm, "var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages.db", "var/lib/rpm/Packages"),
    "elf": _files(seeds.elf, "usr/bin/program"),
    "python": _files(
        seeds.metadata,
        f"{_DIST}/METADATA",
        f"{_DIST}/RECORD",
        "srv/lib/a.egg-info/PKG-INFO",
        "srv/lib/a.egg-info/requires.txt",
        "srv/lib/a.egg-info",
    ),
    "npm": _files(seeds.package_json, "srv/node_modules/x/package.json"),
    "rewritten": _files(
        lambda: [*seeds.tars(), *seeds.dpkg(), *seeds.package_lists()],
        "lib/apk/db/scripts.tar",
        "lib/apk/db/triggers",
        "app/node_modules/.package-lock.json",
        "var/lib/dpkg/info/libc6.conffiles",
        "var/lib/dpkg/triggers/File",
        "var/lib/dpkg/diversions",
        f"{_DIST}/RECORD",
    ),
    "jar": _files(seeds.jars, "srv/lib/a-1.jar"),
    "gem": _files(
        seeds.gemspecs, "srv/specifications/a-1.gemspec", "usr/lib/ruby/gems/3/specifications/default/a-1.gemspec"
    ),
    "text": _files(
        seeds.texts, "etc/os-release", "opt/java/release", "bin/script", "root/.docker/config.json", "srv/.env",
        "root/.netrc", "root/.npmrc", "srv/tls.key", "srv/a.jks", "root/.aws/credentials", "root/.pgpass",
    ),
}  # fmt: skip
"""Name -> target."""
