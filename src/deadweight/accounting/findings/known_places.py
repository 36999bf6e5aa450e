"""Known places: data. ``~`` is a home directory, ``**/NAME`` a directory of that name anywhere.

Sources: the Filesystem Hierarchy Standard 3.0; Debian Policy 12 (documentation) and the manuals of apt, dpkg, apk, dnf,
pip, npm, Yarn, Go, Cargo, Maven, Gradle, Composer and Conda for where each keeps what it can fetch again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding by place."""

    id: str
    title: str
    reason: str
    remedy: str


KINDS = (
    Kind(
        "package-lists",
        "Package lists and downloaded packages",
        "Indexes and archives that the package manager fetches again when it needs them.",
        "In the RUN that installs: rm -rf /var/lib/apt/lists/* after apt-get install; apk add --no-cache; dnf clean all.",
    ),
    Kind(
        "caches",
        "Caches of tools",
        "What a tool keeps to be faster the next time, and makes or fetches again without it.",
        "Use a cache mount (RUN --mount=type=cache), or the tool's option: pip --no-cache-dir, npm ci && npm cache clean.",
    ),
    Kind(
        "logs",
        "Logs",
        "Logs of the build. What a container writes there lies in its own layer.",
        "Delete /var/log/* in the RUN that writes it.",
    ),
    Kind(
        "temporary",
        "Temporary files",
        "Left in a directory for temporary files, and nothing in the image's config refers to it.",
        "Delete it in the RUN that makes it, or mount a tmpfs there: RUN --mount=type=tmpfs,target=/tmp.",
    ),
    Kind(
        "documentation",
        "Documentation",
        "Documentation for people; copyright and licence files are not counted.",
        "dpkg: path-exclude=/usr/share/doc/* (and path-include=*/copyright) in /etc/dpkg/dpkg.cfg.d; dnf: tsflags=nodocs.",
    ),
    Kind(
        "man-pages",
        "Manual pages",
        "Manual and info pages; programs do not read them.",
        "dpkg: path-exclude=/usr/share/man/*; apk: leave the -doc packages out.",
    ),
    Kind(
        "locales",
        "Translations and sources of locales",
        "Message catalogues of other languages and sources that locales are compiled from. The compiled locales stay.",
        "dpkg: path-exclude=/usr/share/locale/*; keep the languages that are served.",
    ),
    Kind(
        "development",
        "Development files",
        "Headers, static libraries and build descriptions: needed to compile, not to run.",
        "Compile in a build stage and copy only the result; install no -dev packages in the last stage.",
    ),
    Kind(
        "version-control",
        "Version control data",
        "The history of a source tree.",
        "Add .git to .dockerignore, or copy only what is needed; git clone --depth 1 in a build stage.",
    ),
    Kind(
        "leftovers",
        "Leftovers of package managers and build tools",
        "Backups of databases and settings that a package manager made, and by-products of builds.",
        "Delete them in the RUN that makes them.",
    ),
)

PLACES: dict[str, str] = {
    "var/lib/apt/lists": "package-lists",
    "var/cache/apt": "package-lists",
    "var/lib/aptitude": "package-lists",
    "var/cache/apk": "package-lists",
    "var/cache/yum": "package-lists",
    "var/cache/dnf": "package-lists",
    "var/cache/libdnf5": "package-lists",
    "var/cache/zypp": "package-lists",
    "var/cache/PackageKit": "package-lists",
    "~/.cache": "caches",
    "~/.npm/_cacache": "caches",
    "~/.npm/_logs": "logs",
    "~/.yarn/cache": "caches",
    "~/.yarn-cache": "caches",
    "~/.gradle/caches": "caches",
    "~/.composer/cache": "caches",
    "~/.bundle/cache": "caches",
    "~/.cargo/registry": "caches",
    "~/.cargo/git": "caches",
    "~/.nuget/packages": "caches",
    "~/go/pkg/mod/cache": "caches",
    "go/pkg/mod/cache": "caches",
    "usr/local/cargo/registry": "caches",
    "usr/local/share/.cache": "caches",
    "opt/conda/pkgs": "caches",
    "var/cache/ldconfig": "caches",
    "var/cache/fontconfig": "caches",
    "var/cache/man": "caches",
    "**/.pytest_cache": "caches",
    "**/.mypy_cache": "caches",
    "**/.ruff_cache": "caches",
    "var/log": "logs",
    "tmp": "temporary",
    "var/tmp": "temporary",
    "usr/share/doc": "documentation",
    "usr/share/doc-base": "documentation",
    "usr/share/gtk-doc": "documentation",
    "usr/share/lintian": "documentation",
    "usr/share/bug": "documentation",
    "usr/local/share/doc": "documentation",
    "usr/share/man": "man-pages",
    "usr/share/info": "man-pages",
    "usr/local/share/man": "man-pages",
    "usr/local/man": "man-pages",
    "usr/share/locale": "locales",
    "usr/share/i18n": "locales",
    "usr/local/share/locale": "locales",
    "usr/include": "development",
    "usr/local/include": "development",
    "usr/share/pkgconfig": "development",
    "usr/share/aclocal": "development",
    "usr/share/cmake": "development",
    "usr/lib/cmake": "development",
    "usr/local/lib/cmake": "development",
    "**/pkgconfig": "development",
    "**/.git": "version-control",
    "**/.svn": "version-control",
    "**/.hg": "version-control",
    "**/CMakeFiles": "leftovers",
    "**/.gradle": "leftovers",
}
"""Directory -> id of its kind; what lies below it is of that kind, too."""

_LIBRARIES = re.compile(r"(?:usr/|usr/local/)?lib(?:32|64|x32)?(?:/.*)?")
_BACKUPS = re.compile(r"etc|var/lib/dpkg(?:/.*)?|var/cache/debconf")

KEPT = re.compile(r"usr/share/doc/[^/]+/copyright|usr/share/licenses/.*|usr/share/locale/locale\.alias")
"""In known places, but wanted: licences ask for their texts to go along, and glibc reads the aliases of locales."""


class Names:
    """Kinds by base name, where the directory says nothing."""

    _SUFFIXES: ClassVar = {
        ".dpkg-old": "leftovers",
        ".dpkg-new": "leftovers",
        ".dpkg-dist": "leftovers",
        ".dpkg-tmp": "leftovers",
        ".apk-new": "leftovers",
        ".rpmsave": "leftovers",
        ".rpmnew": "leftovers",
        ".rpmorig": "leftovers",
    }
    _WHOLE: ClassVar = {
        "CMakeCache.txt": "leftovers",
        "config.log": "leftovers",
        "config.status": "leftovers",
    }
    _LIBRARY_SUFFIXES = (".a", ".la")

    def of(self, name: str, directory: str) -> str | None:
        """The id of the kind of the file `name` in `directory`, or None."""
        dot = name.rfind(".")
        if dot > 0:
            suffix = name[dot:]
            if suffix in self._LIBRARY_SUFFIXES and _LIBRARIES.fullmatch(directory):
                return "development"
            if suffix in self._SUFFIXES:
                return self._SUFFIXES[suffix]
        if name.endswith(("-old", "-")) and _BACKUPS.fullmatch(directory):
            return "leftovers"
        return self._WHOLE.get(name)


NAMES = Names()
