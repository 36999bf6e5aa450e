"""Readers of language packages against oracles, slow models, and content that nobody should write."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deadweight.errors import InvalidLayer
from deadweight.inventory import jar, java, node, python, ruby
from deadweight.inventory.golang import GoReader
from deadweight.inventory.java import JavaReader
from deadweight.inventory.node import NodeReader
from deadweight.inventory.python import PythonReader
from deadweight.inventory.reader import Facts, Reader
from deadweight.inventory.ruby import RubyReader
from deadweight.inventory.take import take_inventory
from deadweight.inventory.zip_members import Archive, BadZip
from deadweight.layer.collect import Collector, ContentGap, ends
from deadweight.layer.content import Kept, Space, Whole
from deadweight.tree.merge import merge
from language_samples import index, inventory_of, layer_tar

READERS: tuple[Reader, ...] = (PythonReader(), NodeReader(), GoReader(), JavaReader(), RubyReader())
METHODS = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
PROJECTS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", fullmatch=True)


@settings(deadline=None)
@given(PROJECTS)
def test_names_are_normalised_as_packaging_does(name: str) -> None:
    assert python.normalised(name) == canonicalize_name(name)


@settings(deadline=None)
@given(
    PROJECTS,
    st.sampled_from(["", "[a]", " [a, b]"]),
    st.sampled_from(["", ">=1", " (~=1.2,!=1.5)", " @ https://example.com/x.zip"]),
    st.sampled_from(
        ["", " ; python_version < '3'", ' ; extra == "x"', " ; os_name == 'nt' and extra == 'y'"]
    ),
)
def test_requirements_are_read_as_packaging_does(name: str, extras: str, version: str, marker: str) -> None:
    line = name + extras + version + marker
    expected = Requirement(line)
    of_extra = expected.marker is not None and "extra" in str(expected.marker)
    assert python.requirement(line) == ("" if of_extra else canonicalize_name(expected.name))


@settings(deadline=None)
@given(
    st.dictionaries(st.text("ab/é", min_size=1, max_size=6), st.binary(max_size=300), max_size=6),
    METHODS,
    st.binary(max_size=40),
    st.binary(max_size=40).filter(lambda comment: b"PK" not in comment),
)
def test_members_are_read_as_zipfile_does(
    members: dict[str, bytes], method: int, before: bytes, comment: bytes
) -> None:
    data = before + _zipped(members, method, comment)
    archive = Archive(Whole(data), lambda _: True)
    assert {member.name: archive.read(member, 1000) for member in archive.members} == members


@settings(deadline=None)
@given(st.data(), METHODS)
def test_a_broken_archive_is_told_and_nothing_else(data: st.DataObject, method: int) -> None:
    inner = _zipped({"META-INF/maven/g/b/pom.properties": b"groupId=g\nartifactId=b\n"}, method)
    content = bytearray(_zipped({"META-INF/MANIFEST.MF": b"Bundle-Version: 1\n", "lib/b.jar": inner}, method))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    for broken in (bytes(content), cut):
        fact = jar.COLLECTOR.collect("a.jar", Whole(broken))
        assert isinstance(fact, dict)
        json.dumps(fact)
        try:
            archive = Archive(Whole(broken), lambda _: True)
            for member in archive.members:
                assert len(archive.read(member, 50)) <= 50
        except BadZip:
            pass


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(1, 100))
def test_gaps_are_gaps(data: bytes, limit: int) -> None:
    content = Kept(len(data), ends(len(data), limit), Space())
    content.append(memoryview(data))
    with pytest.raises((BadZip, ContentGap)):
        Archive(content, lambda _: True)


COLLECTED: list[tuple[Collector, str]] = [
    *((python.COLLECTOR, f"s/a-1.dist-info/{name}") for name in sorted(python.COLLECTOR.names)),
    (node.COLLECTOR, "node_modules/a/package.json"),
    (ruby.COLLECTOR, "specifications/a-1.gemspec"),
    (jar.COLLECTOR, "a.jar"),
    (java.RELEASES, "release"),
]
LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "Name: a",
                "Version: 1",
                "Requires-Dist: b",
                '  s.name = "a".freeze',
                '  s.version = "1"',
                '  s.files = ["x", "../y"]',
                "  s.add_dependency(%q<b>)",
                '{"name": "a", "dependencies": {"b": "1"}}',
                "../../../etc/passwd,,",
                '"a',
                'JAVA_VERSION="1"',
                "[extra]",
            ]
        ),
        st.text(max_size=20),
    ),
    max_size=8,
).map("\n".join)


@pytest.mark.parametrize(("collector", "path"), COLLECTED, ids=[path for _, path in COLLECTED])
@settings(deadline=None)
@given(
    content=st.one_of(st.binary(max_size=100), LINES.map(lambda text: text.encode("utf-8", "surrogatepass")))
)
def test_any_content_is_a_fact(collector: Collector, path: str, content: bytes) -> None:
    assert collector.wants(path, len(content))
    fact = collector.collect(path, Whole(content))
    assert json.loads(json.dumps(fact)) == fact


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                *(path for _, path in COLLECTED),
                "s/a-1.egg-info/PKG-INFO",
                "s/a-1.egg-info/top_level.txt",
                "s/b.egg-info",
                "s/a.py",
                "s/__pycache__/a.cpython-311.pyc",
                "node_modules/a/node_modules/b/package.json",
                "node_modules/a",
                "gems/a-1/x",
                "gems",
                "bin/java",
                "s",
            ]
        ),
        st.one_of(
            LINES.map(lambda text: text.encode("utf-8", "surrogatepass")),
            st.sampled_from(["-> .", "-> ..", "-> gems", "-> /s", "-> ../../../.."]),
        ),
        max_size=8,
    )
)
def test_any_image_has_an_inventory(files: dict[str, bytes | str]) -> None:
    layer = index(layer_tar(files), READERS)
    try:
        tree = merge([layer]).tree
    except InvalidLayer:
        reject()  # such as a file below a link to itself
    inventory = take_inventory(tree, Facts(tree, [layer]), READERS)
    for package in inventory.packages:
        assert list(package.paths) == sorted(set(package.paths))
        for path in package.paths:
            found = tree.find(path)
            assert found is not None
            assert not found.is_directory
            assert found.path == path


PLACES = st.lists(
    st.sampled_from(["node_modules", "node_modules/a", "node_modules/@s/c", "lib", ".b", "@s"]), max_size=6
).map("/".join)


@settings(deadline=None)
@given(st.sets(PLACES.filter(bool), max_size=12), st.sets(PLACES.filter(bool), max_size=6))
def test_a_file_belongs_to_the_nearest_package_above_it(directories: set[str], roots: set[str]) -> None:
    files: dict[str, bytes | str] = {f"{directory}/file": "x" for directory in directories}
    files |= {f"{root}/package.json": "{}" for root in roots}
    owners = inventory_of(NodeReader(), layer_tar(files)).owners
    owned = {path: owner.source for path, owner in owners.items()}
    assert owned == {path: source for path in files if (source := _nearest(path, roots))}


def _nearest(path: str, roots: set[str]) -> str:
    """The manifest of the nearest package above `path`; empty for none."""
    while path:
        path = path.rpartition("/")[0]
        *above, name = path.split("/")
        if above and above[-1] == "@s":
            above.pop()
        if path in roots and above[-1:] == ["node_modules"] and name not in (".b", "@s"):
            return f"{path}/package.json"
    return ""


def _zipped(members: dict[str, bytes], method: int, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.comment = comment
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()
