"""Places and names that are known to hold what a running container does not need, each with the reason: data.

Sources: the Filesystem Hierarchy Standard 3.0; Debian Policy 12; the manuals of the programs named, for where each keeps
what it can fetch or make again.
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A directory; what lies below it is of the kind `kind`.

    `where` is a path from the root, where ``~`` stands for a home directory and ``*`` for any characters but a slash;
    after ``**/`` comes a directory of that name anywhere.
    """

    where: str
    kind: str
    why: str
    unless: tuple[str, ...] = ()
    """Programs: where the config names one of them, nothing is said of the place."""
    having: tuple[str, ...] = ()
    """What must lie in the directory, as proof that it is what its name says."""
    keep: str = ""
    """A regular expression for base names that are not counted."""


class Name(NamedTuple):
    """A file by its name; ``*`` stands for any characters."""

    name: str
    kind: str
    why: str
    within: str = ""
    """A regular expression for the whole path of its directory; empty for any."""
    unless: tuple[str, ...] = ()
    having: tuple[str, ...] = ()
    """What must lie in its directory (``../x``: beside that)."""


_LICENCE = r"(?i:copyright|licen[cs]e|copying|notice|patents).*"
_GO = ("go",)
_CC = ("gcc", "cc", "g++", "c++", "clang", "make", "cmake", "ninja", "tcc")
_RUST = ("rustc", "cargo", "rustup")
_TS = (
    "ts-node",
    "ts-node-dev",
    "tsc",
    "tsx",
    "nodemon",
    "nest",
    "vite",
    "webpack",
    "next",
    "npm",
    "yarn",
    "pnpm",
    "npx",
)
_LIB = r"(?:.*/)?lib(?:32|64|x32)?"
_LIB_TOP = r"(?:usr/(?:local/)?)?lib(?:32|64|x32)?(?:/[^/]*-linux-[^/]*)?"
_NODE = r"(?:.*/)?node_modules/.*"
_SITE = r"(?:.*/)?(?:site|dist)-packages/(?:.*/)?tests?(?:/.*)?"

PLACES = (
    Place("var/lib/apt/lists", "package-lists", "fetched by apt-get update"),
    Place("var/cache/apt", "package-lists", "built from the lists; downloaded .deb files"),
    Place("var/lib/aptitude", "package-lists", "state of aptitude"),
    Place("var/cache/apk", "package-lists", "fetched by apk update"),
    Place("etc/apk/cache", "package-lists", "packages that apk downloaded"),
    Place("var/cache/dnf", "package-lists", "metadata and packages that dnf downloaded"),
    Place("var/cache/libdnf5", "package-lists", "metadata and packages that dnf downloaded"),
    Place("var/cache/yum", "package-lists", "metadata and packages that yum or microdnf downloaded"),
    Place("var/cache/tdnf", "package-lists", "metadata and packages that tdnf downloaded"),
    Place("var/cache/zypp", "package-lists", "metadata and packages that zypper downloaded"),
    Place("var/cache/pacman/pkg", "package-lists", "packages that pacman downloaded"),
    Place("var/lib/pacman/sync", "package-lists", "fetched by pacman -Sy"),
    Place("var/cache/PackageKit", "package-lists", "metadata that PackageKit downloaded"),
    Place("var/cache/swcatalog", "package-lists", "catalogue for software centres"),
    Place("var/cache/app-info", "package-lists", "catalogue for software centres"),
    Place("~/.cache/pip", "caches", "downloads and wheels of pip"),
    Place("~/.cache/uv", "caches", "downloads and wheels of uv"),
    Place("~/.cache/pipenv", "caches", "downloads of pipenv"),
    Place("~/.cache/pdm", "caches", "downloads of pdm"),
    Place("~/.cache/hatch", "caches", "downloads of hatch"),
    Place("~/.cache/pypoetry/cache", "caches", "downloads of Poetry"),
    Place("~/.cache/pypoetry/artifacts", "caches", "downloads of Poetry"),
    Place("~/.cache/virtualenv", "caches", "seed wheels of virtualenv"),
    Place("~/.cache/matplotlib", "caches", "list of fonts, made again"),
    Place("~/.cache/black", "caches", "results of black"),
    Place("~/.cache/mypy", "caches", "results of mypy"),
    Place("~/.cache/pylint", "caches", "results of pylint"),
    Place("~/.cache/yarn", "caches", "downloads of Yarn"),
    Place("~/.cache/pnpm", "caches", "metadata that pnpm downloaded"),
    Place("~/.cache/node-gyp", "development", "headers of Node.js, to compile addons", ("node-gyp",)),
    Place("~/.node-gyp", "development", "headers of Node.js, to compile addons", ("node-gyp",)),
    Place("~/.cache/typescript", "caches", "type declarations for editors"),
    Place("~/.cache/electron", "caches", "downloads of Electron"),
    Place("~/.cache/electron-builder", "caches", "downloads of electron-builder"),
    Place("~/.cache/turbo", "caches", "build results of turbo"),
    Place("~/.cache/composer", "caches", "downloads of Composer"),
    Place("~/.cache/go-build", "caches", "build results of Go"),
    Place("~/.cache/golangci-lint", "caches", "results of golangci-lint"),
    Place("~/.cache/bazel", "caches", "build results of Bazel", ("bazel",)),
    Place("~/.cache/ccache", "caches", "build results of ccache"),
    Place("~/.cache/sccache", "caches", "build results of sccache"),
    Place("~/.cache/fontconfig", "caches", "list of fonts, made again"),
    Place("~/.cache/mesa_shader_cache", "caches", "shaders, made again"),
    Place("~/.ccache", "caches", "build results of ccache"),
    Place("~/.npm/_cacache", "caches", "downloads of npm"),
    Place("~/.npm/_logs", "logs", "logs of npm"),
    Place("~/.npm/_prebuilds", "caches", "downloads of prebuild-install"),
    Place("~/.yarn-cache", "caches", "downloads of Yarn"),
    Place("~/.local/share/pnpm/store", "caches", "downloads of pnpm"),
    Place("~/.pnpm-store", "caches", "downloads of pnpm"),
    Place(
        "~/.gradle/caches", "caches", "downloads and build results of Gradle", ("gradle", "gradlew", "java")
    ),
    Place("~/.gradle/wrapper/dists", "caches", "downloads of the Gradle wrapper", ("gradlew",)),
    Place("~/.m2/repository", "caches", "downloads of Maven", ("mvn", "mvnw", "mvnd", "java", "jbang")),
    Place("~/.m2/wrapper/dists", "caches", "downloads of the Maven wrapper", ("mvnw",)),
    Place("~/.composer/cache", "caches", "downloads of Composer"),
    Place("~/.bundle/cache", "caches", "downloads of Bundler"),
    Place("~/.cargo/registry", "caches", "downloads of Cargo", _RUST),
    Place("~/.cargo/git", "caches", "downloads of Cargo", _RUST),
    Place("usr/local/cargo/registry", "caches", "downloads of Cargo", _RUST),
    Place("usr/local/cargo/git", "caches", "downloads of Cargo", _RUST),
    Place("~/.local/share/NuGet/v3-cache", "caches", "downloads of NuGet"),
    Place("~/.local/share/NuGet/http-cache", "caches", "downloads of NuGet"),
    Place("~/go/pkg/mod", "caches", "source of modules that Go downloaded", _GO),
    Place("go/pkg/mod", "caches", "source of modules that Go downloaded", _GO),
    Place("~/go/pkg/sumdb", "caches", "checksums that Go downloaded", _GO),
    Place("go/pkg/sumdb", "caches", "checksums that Go downloaded", _GO),
    Place("usr/local/share/.cache/yarn", "caches", "downloads of Yarn, run as root"),
    Place("**/pkgs", "caches", "packages that conda downloaded", having=("urls.txt", "../conda-meta")),
    Place("var/cache/ldconfig", "caches", "made again by ldconfig"),
    Place(
        "var/cache/fontconfig", "caches", "list of fonts; without it the first look-up of a font takes longer"
    ),
    Place("var/cache/man", "caches", "index of the manual pages"),
    Place("**/.pytest_cache", "caches", "results of pytest"),
    Place("**/.mypy_cache", "caches", "results of mypy"),
    Place("**/.ruff_cache", "caches", "results of ruff"),
    Place("**/.hypothesis", "caches", "examples of hypothesis"),
    Place("**/.ipynb_checkpoints", "caches", "backups of notebooks"),
    Place("**/.nyc_output", "caches", "coverage of tests"),
    Place("**/.parcel-cache", "caches", "build results of Parcel"),
    Place("**/.sass-cache", "caches", "build results of Sass"),
    Place("**/.angular/cache", "caches", "build results of Angular"),
    Place("**/.next/cache/webpack", "caches", "build results of Next.js"),
    Place("**/node_modules/.cache/babel-loader", "caches", "build results of Babel"),
    Place("**/node_modules/.cache/terser-webpack-plugin", "caches", "build results of webpack"),
    Place("**/node_modules/.vite", "caches", "build results of Vite", ("vite", "npm", "yarn", "pnpm", "npx")),
    Place("var/log", "logs", "what programs logged while the image was built"),
    Place("tmp", "temporary", "emptied by many systems when they start"),
    Place("var/tmp", "temporary", "for temporary files that outlive a restart"),
    Place("usr/share/doc", "documentation", "documentation of packages", keep=_LICENCE),
    Place("usr/share/doc-base", "documentation", "index of documentation"),
    Place("usr/share/gtk-doc", "documentation", "documentation of programming interfaces"),
    Place("usr/share/help", "documentation", "manuals for desktops", keep=_LICENCE),
    Place("usr/share/lintian", "documentation", "notes for the checker of Debian packages"),
    Place("usr/share/bug", "documentation", "what reportbug asks"),
    Place("usr/local/share/doc", "documentation", "documentation", keep=_LICENCE),
    Place("usr/share/man", "man-pages", "manual pages"),
    Place("usr/share/info", "man-pages", "info pages"),
    Place("usr/local/share/man", "man-pages", "manual pages"),
    Place("usr/local/man", "man-pages", "manual pages"),
    Place("usr/share/locale", "locales", "translated messages", keep=r"locale\.alias"),
    Place("usr/local/share/locale", "locales", "translated messages", keep=r"locale\.alias"),
    Place("usr/share/i18n", "locales", "what localedef compiles locales from", ("localedef", "locale-gen")),
    Place("usr/include", "development", "headers", _CC),
    Place("usr/local/include", "development", "headers", _CC),
    Place("usr/lib/*/pkgconfig", "development", "read by pkg-config"),
    Place("usr/lib/pkgconfig", "development", "read by pkg-config"),
    Place("usr/lib64/pkgconfig", "development", "read by pkg-config"),
    Place("usr/local/lib/pkgconfig", "development", "read by pkg-config"),
    Place("usr/share/pkgconfig", "development", "read by pkg-config"),
    Place("usr/lib/*/cmake", "development", "read by CMake", _CC),
    Place("usr/lib/cmake", "development", "read by CMake", _CC),
    Place("usr/lib64/cmake", "development", "read by CMake", _CC),
    Place("usr/local/lib/cmake", "development", "read by CMake", _CC),
    Place("usr/share/cmake*", "development", "modules of CMake", _CC),
    Place("usr/share/aclocal*", "development", "macros of aclocal"),
    Place("usr/share/autoconf*", "development", "macros of autoconf"),
    Place("usr/share/automake*", "development", "files of automake"),
    Place("usr/share/gir-1.0", "development", "descriptions that bindings are generated from"),
    Place("usr/share/vala*", "development", "descriptions of interfaces for Vala"),
    Place("usr/lib/gcc/*", "development", "the compilers themselves", _CC, keep=r".*\.so(?:\.[0-9.]+)?"),
    Place("usr/libexec/gcc/*", "development", "the compilers themselves", _CC, keep=r".*\.so(?:\.[0-9.]+)?"),
    Place("usr/lib/python3*/config-3*", "development", "static library and build settings of Python"),
    Place("usr/local/lib/python3*/config-3*", "development", "static library and build settings of Python"),
    Place("usr/src/linux-headers-*", "development", "headers of the kernel"),
    Place("usr/lib/linux-kbuild-*", "development", "build scripts of the kernel"),
    Place("usr/local/go", "development", "the Go toolchain", _GO, ("bin", "src"), r"zoneinfo\.zip"),
    Place("usr/lib/go-*", "development", "the Go toolchain", _GO, ("bin",), r"zoneinfo\.zip"),
    Place("usr/share/go-*", "development", "the source of Go's standard library", _GO, ("src",)),
    Place("usr/local/rustup/toolchains", "development", "the Rust toolchain", _RUST),
    Place("~/.rustup/toolchains", "development", "the Rust toolchain", _RUST),
    Place(
        "**/jmods",
        "development",
        "modules that jlink makes Java runtimes from",
        ("jlink",),
        ("java.base.jmod",),
    ),
    Place("usr/lib/python3*/test", "tests", "test suite of Python", having=("regrtest.py",)),
    Place("usr/local/lib/python3*/test", "tests", "test suite of Python", having=("regrtest.py",)),
    Place("usr/lib/python3*/idlelib/idle_test", "tests", "test suite of Python"),
    Place("usr/local/lib/python3*/idlelib/idle_test", "tests", "test suite of Python"),
    Place("usr/lib/python3*/lib2to3/tests", "tests", "test suite of Python"),
    Place("usr/local/lib/python3*/lib2to3/tests", "tests", "test suite of Python"),
    Place("usr/lib/python3*/unittest/test", "tests", "test suite of Python"),
    Place("usr/local/lib/python3*/unittest/test", "tests", "test suite of Python"),
    Place("**/.git", "version-control", "history of git", ("git",), ("HEAD", "objects")),
    Place("**/.hg", "version-control", "history of Mercurial", ("hg",), ("store",)),
    Place("**/.svn", "version-control", "state of Subversion", ("svn",), ("wc.db",)),
    Place("**/CMakeFiles", "leftovers", "by-products of CMake"),
    Place("**/__MACOSX", "leftovers", "by-products of archives made on a Mac"),
)
"""Directories. Of two that lie in each other the outer one counts."""

NAMES = (
    Name("*.a", "development", "static libraries", _LIB + r"(?:/.*)?", _CC),
    Name("*.la", "development", "read by libtool when it links", _LIB_TOP),
    Name("*.o", "development", "linked into programs", _LIB_TOP, _CC),
    Name("*.d.ts", "development", "type declarations for TypeScript", _NODE, _TS),
    Name("*.d.mts", "development", "type declarations for TypeScript", _NODE, _TS),
    Name("*.d.cts", "development", "type declarations for TypeScript", _NODE, _TS),
    Name("*.js.map", "development", "source maps, for debuggers", _NODE, _TS),
    Name("*.mjs.map", "development", "source maps, for debuggers", _NODE, _TS),
    Name("*.cjs.map", "development", "source maps, for debuggers", _NODE, _TS),
    Name("*.ts.map", "development", "source maps, for debuggers", _NODE, _TS),
    Name("*.css.map", "development", "source maps, for debuggers", _NODE, _TS),
    Name(
        "src.zip", "development", "source of the Java runtime, for debuggers", r".*/lib", having=("modules",)
    ),
    Name(
        "*.gem", "caches", "downloads of RubyGems", r"(?:.*/)?cache", having=("../specifications", "../gems")
    ),
    Name("README*.md", "documentation", "documentation of packages", _NODE),
    Name("CHANGELOG*.md", "documentation", "documentation of packages", _NODE),
    Name("HISTORY*.md", "documentation", "documentation of packages", _NODE),
    Name("test_*.py", "tests", "test suites in Python packages", _SITE),
    Name("test_*.pyc", "tests", "test suites in Python packages", _SITE),
    Name("*.test.js", "tests", "test suites in Node.js packages", _NODE),
    Name("*.spec.js", "tests", "test suites in Node.js packages", _NODE),
    Name("*.dpkg-old", "leftovers", "settings that dpkg replaced"),
    Name("*.dpkg-new", "leftovers", "settings that dpkg did not use"),
    Name("*.dpkg-dist", "leftovers", "settings that dpkg did not use"),
    Name("*.dpkg-tmp", "leftovers", "unfinished work of dpkg"),
    Name("*.dpkg-bak", "leftovers", "settings that dpkg replaced"),
    Name("*.ucf-old", "leftovers", "settings that ucf replaced"),
    Name("*.ucf-dist", "leftovers", "settings that ucf did not use"),
    Name("*.apk-new", "leftovers", "settings that apk did not use"),
    Name("*.rpmsave", "leftovers", "settings that rpm replaced"),
    Name("*.rpmnew", "leftovers", "settings that rpm did not use"),
    Name("*.rpmorig", "leftovers", "settings that rpm replaced"),
    Name("*.rej", "leftovers", "what patch could not apply"),
    Name(".*.swp", "leftovers", "state of vim"),
    Name(".DS_Store", "leftovers", "state of the Finder of macOS"),
    Name("Thumbs.db", "leftovers", "state of the Explorer of Windows"),
    Name("npm-debug.log", "logs", "log of npm"),
    Name("yarn-error.log", "logs", "log of Yarn"),
    Name("config.log", "leftovers", "log of configure", having=("config.status",)),
    Name("config.status", "leftovers", "state of configure", having=("config.log",)),
    Name("CMakeCache.txt", "leftovers", "state of CMake", having=("CMakeFiles",)),
    Name("passwd-", "leftovers", "backups of account files", "etc"),
    Name("shadow-", "leftovers", "backups of account files", "etc"),
    Name("group-", "leftovers", "backups of account files", "etc"),
    Name("gshadow-", "leftovers", "backups of account files", "etc"),
    Name("subuid-", "leftovers", "backups of account files", "etc"),
    Name("subgid-", "leftovers", "backups of account files", "etc"),
    Name("status-old", "leftovers", "backups of dpkg's databases", "var/lib/dpkg"),
    Name("available-old", "leftovers", "backups of dpkg's databases", "var/lib/dpkg"),
    Name("diversions-old", "leftovers", "backups of dpkg's databases", "var/lib/dpkg"),
    Name("statoverride-old", "leftovers", "backups of dpkg's databases", "var/lib/dpkg"),
    Name("templates.dat-old", "leftovers", "backups of debconf's databases", "var/cache/debconf"),
    Name("config.dat-old", "leftovers", "backups of debconf's databases", "var/cache/debconf"),
    Name("passwords.dat-old", "leftovers", "backups of debconf's databases", "var/cache/debconf"),
)
"""Files, in directories that are no place of themselves."""
