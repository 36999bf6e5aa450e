"""The kinds of findings by place and name: data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

APT = "apt"
APK = "apk"
DNF = "dnf"
ZYPPER = "zypper"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding."""

    id: str
    title: str
    reason: str
    remedy: str
    """What helps whatever made the image."""
    by_manager: Mapping[str, str] = field(default_factory=dict)
    """What to write in a Dockerfile, by package manager."""

    def remedy_for(self, manager: str) -> str:
        """The remedy for an image with the package manager `manager`."""
        return self.by_manager.get(manager, self.remedy)


KINDS = (
    Kind(
        "package-lists",
        "Package lists and downloaded packages",
        "Indexes and archives that the package manager fetches again when it needs them.",
        "Clean the package manager's cache in the RUN that installs.",
        {
            APT: "RUN apt-get update && apt-get install -y --no-install-recommends ... && rm -rf /var/lib/apt/lists/*",
            APK: "RUN apk add --no-cache ...",
            DNF: "RUN dnf install -y ... && dnf clean all && rm -rf /var/cache/dnf (microdnf and yum likewise)",
            ZYPPER: "RUN zypper -n install --no-recommends ... && zypper clean --all",
        },
    ),
    Kind(
        "caches",
        "Caches of tools",
        "What a tool keeps to be faster the next time, and makes or fetches again without it.",
        "Mount the cache while building (RUN --mount=type=cache,target=...), or tell the tool to keep none: "
        "pip install --no-cache-dir, npm ci && npm cache clean --force, go clean -cache -modcache.",
    ),
    Kind(
        "logs",
        "Logs",
        "Logs of the build. What a container logs lies in its own layer.",
        "Delete them in the RUN that writes them: rm -rf /var/log/*.",
        {APT: "In the RUN that installs: rm -rf /var/log/apt /var/log/*.log"},
    ),
    Kind(
        "temporary",
        "Temporary files",
        "Left in a directory for temporary files; neither the image's config nor a link elsewhere refers to it.",
        "Delete it in the RUN that makes it, or RUN --mount=type=tmpfs,target=/tmp ...",
    ),
    Kind(
        "documentation",
        "Documentation",
        "Documentation for people. Debian Policy 12.3: programs must work without /usr/share/doc. Copyright and licence "
        "texts are not counted: licences ask for them.",
        "Install without documentation, or copy only what runs into the last stage.",
        {
            APT: "Before installing: printf 'path-exclude=/usr/share/doc/*\\npath-include=/usr/share/doc/*/copyright\\n' "
            "> /etc/dpkg/dpkg.cfg.d/nodoc",
            APK: "Leave the -doc packages out.",
            DNF: "RUN dnf install -y --setopt=tsflags=nodocs ...",
            ZYPPER: "Before installing: rpm.install.excludedocs = yes in /etc/zypp/zypp.conf",
        },
    ),
    Kind(
        "man-pages",
        "Manual pages",
        "Manual and info pages; no program reads them but man and info.",
        "Install without manual pages, or copy only what runs into the last stage.",
        {
            APT: "Before installing: printf 'path-exclude=/usr/share/man/*\\npath-exclude=/usr/share/info/*\\n' "
            "> /etc/dpkg/dpkg.cfg.d/noman",
            APK: "Leave the -doc packages out.",
            DNF: "RUN dnf install -y --setopt=tsflags=nodocs ...",
        },
    ),
    Kind(
        "locales",
        "Translations",
        "Messages of programs in languages that LANG and its like do not name, and the sources that locales are compiled "
        "from. Without them programs speak English. Compiled locales are not counted.",
        "Delete the languages that are not served in the RUN that installs them.",
        {
            APT: "Before installing: printf 'path-exclude=/usr/share/locale/*/LC_MESSAGES/*.mo\\n' > /etc/dpkg/dpkg.cfg.d/nolocale",
            APK: "Leave the -lang packages out.",
            DNF: "Before installing: echo '%_install_langs en_US' > /etc/rpm/macros.image-language-conf",
        },
    ),
    Kind(
        "development",
        "Development files",
        "Headers, static libraries, toolchains and build descriptions: needed to compile and link, not to run.",
        "Compile in a build stage, and COPY --from=build only the result.",
        {
            APT: "Compile in a build stage, and COPY --from=build only the result; install no -dev packages in the last stage.",
            APK: "Compile in a build stage, or: apk add --no-cache --virtual .build ... && ... && apk del .build in one RUN.",
            DNF: "Compile in a build stage, and COPY --from=build only the result; install no -devel packages in the last stage.",
        },
    ),
    Kind(
        "tests",
        "Test suites of installed packages",
        "Tests that libraries bring along; nothing imports them but a test runner.",
        "Delete them in the RUN that installs, or copy only what runs into the last stage.",
    ),
    Kind(
        "version-control",
        "Version control data",
        "The history of a source tree, with everything that was ever in it.",
        "Add .git to .dockerignore; clone in a build stage, and copy only the files that are needed.",
    ),
    Kind(
        "leftovers",
        "Leftovers of package managers and build tools",
        "Backups that package managers make, by-products of builds, core dumps.",
        "Delete them in the RUN that makes them, or list them in .dockerignore.",
    ),
)
"""In the order in which reports name what is equally large."""
