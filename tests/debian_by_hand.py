"""Small images with a dpkg database, and what is said of their unused packages."""

from __future__ import annotations

from typing import Any

from deadweight.accounting.model import Analysis
from layers_by_hand import Member, analysis_of, file, link, program


class Debian:
    """A dpkg database with the files of its packages."""

    def __init__(self) -> None:
        self._status: list[str] = []
        self.members: list[Member] = []

    def add(
        self, name: str, *members: Member, depends: str = "", essential: bool = False, provides: str = ""
    ) -> Debian:
        fields = {
            "Package": name,
            "Status": "install ok installed",
            "Essential": "yes" if essential else "",
            "Architecture": "all",
            "Version": "1",
            "Depends": depends,
            "Provides": provides,
            "Description": name,
        }
        self._status.append("".join(f"{key}: {value}\n" for key, value in fields.items() if value) + "\n")
        listed = "".join(f"/{member.path}\n" for member in members).encode()
        self.members += [*members, file(f"var/lib/dpkg/info/{name}.list", listed)]
        self.members.append(file(f"var/lib/dpkg/info/{name}.postinst", b"#!/bin/sh\nperl -e 1\n", 0o755))
        return self

    @property
    def layer(self) -> list[Member]:
        """All that was added, with the database."""
        return [*self.members, file("var/lib/dpkg/status", "".join(self._status).encode())]

    def analysis(self, *more: Member, **config: Any) -> Analysis:
        return analysis_of([*self.layer, *more], **config)


def base() -> Debian:
    """A shell, a C library, a web server with its own library, and tools."""
    return (
        Debian()
        .add("libc6", file("usr/lib/libc.so.6", b"\x7fELF" + b"c" * 60))
        .add("dash", program("usr/bin/sh", "libc.so.6"), essential=True)
        .add(
            "libweb1",
            program("usr/lib/libweb.so.1.0", "libc.so.6"),
            link("usr/lib/libweb.so.1", "libweb.so.1.0"),
        )
        .add("web", program("usr/sbin/web", "libweb.so.1"), depends="libweb1")
        .add("tool", program("usr/bin/tool", "libtool.so.2", size=100), depends="libtool2")
        .add("libtool2", file("usr/lib/libtool.so.2", b"\x7fELF" + b"t" * 60))
    )


def named(analysis: Analysis) -> set[str]:
    return {
        cause.package.removeprefix("deb:")
        for finding in analysis.findings
        if finding.id == "unused-packages"
        for cause in finding.causes
    }


def remarks_of(analysis: Analysis) -> list[str]:
    assert {remark.finding for remark in analysis.remarks} <= {"unused-packages"}
    return [remark.text for remark in analysis.remarks]
