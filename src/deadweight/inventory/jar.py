"""What Java archives say of themselves (JAR file specification; Maven's archiver adds ``pom.properties``)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from deadweight.inventory.fields import one_line
from deadweight.inventory.zip_members import Archive, BadZip
from deadweight.layer.collect import Content, ContentGap, Fact, ends

MAX_MANIFEST = 64 << 10
MAX_PROPERTIES = 4 << 10

_MANIFEST = "META-INF/MANIFEST.MF"
_DESCRIPTION = re.compile(rb"META-INF/(?:MANIFEST\.MF|maven/[^/]+/[^/]+/pom\.properties)")
_ARCHIVE = re.compile(rb".*\.[jw]ar", re.DOTALL)
_COORDINATE = re.compile(r"[A-Za-z0-9_.+~-]+")
_PROPERTY = re.compile(
    r"^[ \t]*+(groupId|artifactId|version)[ \t]*+[=:][ \t]*+(\S*+)[ \t]*+\r?$", re.MULTILINE
)


class ArchiveCollector:
    """Collects the Maven coordinates and the manifest of each archive, and of the archives in it, one level deep.

    The fact has `modules` (lines of ``group:artifact version``), fields of the manifest, `inner` (the same for each
    archive in it, with its `path`) and `unread` (names of parts that could not be read); or else a `problem`.
    """

    name = "jar"
    version = 1
    names: frozenset[str] = frozenset()
    suffixes = frozenset({"jar", "war", "ear", "hpi", "jpi"})
    magics: frozenset[bytes] = frozenset()
    limit = 8 << 20

    def wants(self, path: str, size: int) -> bool:
        return "." in path.rpartition("/")[2]  # a file called just "jar" is none

    def parts(self, size: int, start: bytes) -> Iterable[range]:
        return ends(size, self.limit)

    def collect(self, path: str, content: Content) -> Fact:
        try:
            return _describe_with_inner(content)
        except BadZip as error:
            return {"problem": str(error)}
        except ContentGap:
            return {"unread": ["its directory"]}


COLLECTOR = ArchiveCollector()


def parse_manifest(content: bytes) -> dict[str, Fact]:
    """Version and licence from the main section of a ``MANIFEST.MF``, as far as they are there."""
    lines = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    main = lines.partition("\n\n")[0].replace("\n ", "")
    headers = dict(line.split(": ", 1) for line in main.split("\n") if ": " in line)
    fields = {
        "version": headers.get("Implementation-Version") or headers.get("Bundle-Version"),
        "license": headers.get("Bundle-License"),
    }
    return {name: found for name, value in fields.items() if (found := one_line(value))}


def parse_properties(content: bytes) -> str:
    """``group:artifact version`` of a ``pom.properties``, the version as far as it is there; empty for none."""
    values = dict(_PROPERTY.findall(content.decode("latin-1")))
    group, artifact, version = (
        value if _COORDINATE.fullmatch(value) else ""
        for value in (values.get(name, "") for name in ("groupId", "artifactId", "version"))
    )
    return one_line(f"{group}:{artifact} {version}") if group and artifact else ""


def _describe_with_inner(content: Content) -> Fact:
    archive = Archive(content, lambda name: _ARCHIVE.fullmatch(name) or _DESCRIPTION.fullmatch(name))
    fact, unread = _describe(archive)
    inner: list[Fact] = []
    for member in archive.members:
        if not _ARCHIVE.fullmatch(member.name.encode()):
            continue
        described: dict[str, Fact] = {}
        try:
            described, missed = _describe(Archive(archive.open(member), _DESCRIPTION.fullmatch))
            unread += missed
        except (BadZip, ContentGap):
            unread.append(one_line(member.name))
        inner.append({"path": member.name, **described})
    if inner:
        fact["inner"] = inner
    if unread:
        fact["unread"] = [*unread]
    return fact


def _describe(archive: Archive) -> tuple[dict[str, Fact], list[str]]:
    """The fields of one archive, and the names of its parts that could not be read."""
    fact: dict[str, Fact] = {}
    modules: set[str] = set()
    unread = []
    for member in archive.members:
        try:
            if member.name == _MANIFEST:
                fact.update(parse_manifest(archive.read(member, MAX_MANIFEST)))
            elif member.name.endswith("/pom.properties"):
                modules.add(parse_properties(archive.read(member, MAX_PROPERTIES)))
        except (BadZip, ContentGap):
            unread.append(one_line(member.name))
    if found := sorted(modules - {""}):
        fact["modules"] = [*found]
    return fact, unread
