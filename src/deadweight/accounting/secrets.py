"""Private keys, tokens and credential files in any layer, deleted ones too, and in the image config.

Looked at are files with known names, key files by their suffix, small JSON files as service accounts come, and whatever
begins as PEM does. Keys and tokens that packages ship for their own tests, examples and documentation are public, and are
left out; those of the application are not (`_PUBLIC`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deadweight.accounting.ledger import Ledger
from deadweight.accounting.model import Secret
from deadweight.accounting.secret_formats import ENVIRONMENT_SUFFIXES, KEY_SUFFIXES, NAMES, secrets_in
from deadweight.accounting.secret_values import is_placeholder, tokens
from deadweight.layer.collect import Content, Fact, WholeOrNothing
from deadweight.oci.config import ImageConfig

_MAX_FILE = 1 << 20
_SERVICE_ACCOUNT = range(1024, 8192)
"""The size in bytes of the JSON that Google hands out for a service account."""
_PUBLIC = re.compile(
    r"usr/(?:local/)?share/(?:doc|man|info|perl5?)/.*"
    r"|(?:.*/)?(?:(?:site|dist)-packages|node_modules|gems|bower_components|vendor|pkg/mod|usr/(?:local/)?(?:lib|share|go|src))"
    r"/(?:.*/)?(?:tests?|testing|test[_-]?data|testcerts|__tests__|specs?|fixtures?|examples?|samples?|demos?|demoCA|docs?)/.*"
)
_SECRET_NAME = re.compile(
    r"(?!.*PUBLIC)(?:.*_)?(?:[A-Z]{0,8}PASSWORD|PASSWD|PASSPHRASE|[A-Z]{0,8}SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY"
    r"|SECRET_KEY|SECRET_KEY_BASE|CREDENTIALS?|MYSQL_PWD)(?:_[0-9]{1,4})?",
    re.IGNORECASE,
)
_ASSIGNMENT = re.compile(r"(?<![A-Za-z0-9_])([A-Za-z_][A-Za-z0-9_]*+)=(\"[^\"]*\"|'[^']*'|\S+)")
IN_CONFIG = -1
"""The layer of a secret that stands in the image config."""


class SecretCollector(WholeOrNothing):
    """Collects the kinds of secrets of a file, never a value."""

    name = "secrets"
    version = 2
    names = NAMES
    suffixes = KEY_SUFFIXES | ENVIRONMENT_SUFFIXES | {"json"}
    magics = frozenset({b"----", b"PuTT", b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"})
    limit = _MAX_FILE

    def wants(self, path: str, size: int) -> bool:
        if path.endswith(".json") and size not in _SERVICE_ACCOUNT and path.rpartition("/")[2] not in NAMES:
            return False
        return 0 < size <= _MAX_FILE and not _PUBLIC.fullmatch(path)

    def collect(self, path: str, content: Content) -> Fact:
        """The kinds, or None."""
        data = content.read(0, content.size)
        if path.endswith(".json") and b"private_key" not in data and path.rpartition("/")[2] not in NAMES:
            return None  # no service account, for which alone files of any name are looked at
        found = secrets_in(path, data)
        return list(found) or None


SECRETS = SecretCollector()


def find_secrets(ledger: Ledger, config: ImageConfig) -> tuple[Secret, ...]:
    """All secrets: by layer and path, those of the config first."""
    return (*_in_config(config), *_in_layers(ledger))


def _in_layers(ledger: Ledger) -> Iterator[Secret]:
    for layer, index in enumerate(ledger.layers):
        for number, kinds in sorted(index.facts.get(SECRETS.name, {}).items()):
            live = number not in ledger.fates[layer]
            for kind in kinds if isinstance(kinds, list) else ():
                yield Secret(layer, index.entries[number].path, str(kind), live)


def _in_config(config: ImageConfig) -> Iterator[Secret]:
    """Variables are seen in a container; labels and the history only by who has the image."""
    execution = config.execution
    known = execution.environment()
    for name, value in known.items():
        for kind in _kinds(name, value):
            yield Secret(IN_CONFIG, f"config: ENV {name}", kind, live=True)
    for name, value in execution.labels.items():
        for kind in sorted(set(tokens(_bytes(value)))):
            yield Secret(IN_CONFIG, f"config: LABEL {name}", kind, live=False)
    for number, step in enumerate(config.history, 1):
        for kind in sorted(_in_step(step.created_by, known)):
            yield Secret(IN_CONFIG, f"history: {number}", kind, live=False)


def _in_step(created_by: str, known: dict[str, str]) -> set[str]:
    """The kinds in one step of the history, but for the variables that the config still has."""
    found: set[str] = set()
    rest = created_by
    for name, value in _ASSIGNMENT.findall(created_by):
        bare = value.strip("\"'")
        if known.get(name) == bare:
            rest = rest.replace(value, "")
        else:
            found.update(_kinds(name, bare))
    return found | set(tokens(_bytes(rest)))


def _kinds(name: str, value: str) -> list[str]:
    found = set(tokens(_bytes(value)))
    if not found and _SECRET_NAME.fullmatch(name) and not is_placeholder(value) and not _is_path(value):
        found.add("value of a variable that is named as a secret")
    return sorted(found)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _is_path(value: str) -> bool:
    # ..._FILE-style settings: the secret is in the file, not here.
    return value.strip("\"'").startswith(("/", "./", "file:"))
