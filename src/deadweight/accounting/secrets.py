"""Private keys, tokens and credential files in any layer, deleted ones too, and in the image config.

Looked at are files with known names, key files by their suffix, and whatever begins as PEM does. Keys that packages ship
for their own tests and documentation are public and are left out (`_PUBLIC`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from deadweight.accounting.ledger import Ledger
from deadweight.accounting.model import Secret
from deadweight.accounting.secret_formats import (
    ENVIRONMENT_SUFFIXES,
    FILES,
    KEY_NAMES,
    KEY_SUFFIXES,
    STORE_SUFFIXES,
    is_placeholder,
    secrets_in,
    tokens,
)
from deadweight.layer.collect import Content, Fact
from deadweight.oci.config import ImageConfig

_MAX_FILE = 1 << 20
_PUBLIC = re.compile(
    r"(?:.*/)?(?:tests?|testdata|test_data|testing|fixtures?|examples?|samples?|demos?|demoCA)/.*|usr/share/doc/.*"
)
_SECRET_NAME = re.compile(
    r"(?:.*_)?(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)(?:_(?:KEY|ID))?",
    re.IGNORECASE,
)
_ASSIGNMENT = re.compile(r"(?<![A-Za-z0-9_])([A-Za-z_][A-Za-z0-9_]*+)=(\"[^\"]*\"|'[^']*'|\S+)")
IN_CONFIG = -1
"""The layer of a secret that stands in the image config."""


class SecretCollector:
    """Collects the kinds of secrets of a file, never a value."""

    name = "secrets"
    version = 1
    names = frozenset({*FILES, *KEY_NAMES, "config"})
    suffixes = KEY_SUFFIXES | STORE_SUFFIXES | ENVIRONMENT_SUFFIXES
    magics = frozenset({b"----", b"PuTT"})
    limit = _MAX_FILE

    def wants(self, path: str, size: int) -> bool:
        return 0 < size <= _MAX_FILE and not _PUBLIC.fullmatch(path)

    def collect(self, path: str, content: Content) -> Fact:
        """The kinds, or None."""
        found = secrets_in(path, content.read(0, content.size))
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
    execution = config.execution
    for name, value in execution.environment().items():
        for kind in _kinds(name, value):
            yield Secret(IN_CONFIG, f"config: ENV {name}", kind, live=True)
    for name, value in execution.labels.items():
        for kind in sorted(set(tokens(value.encode()))):
            yield Secret(IN_CONFIG, f"config: LABEL {name}", kind, live=True)
    known = set(execution.environment().items())
    for number, step in enumerate(config.history, 1):
        found = set(tokens(step.created_by.encode("utf-8", "replace")))
        for name, value in _ASSIGNMENT.findall(step.created_by):
            if (name, value.strip("\"'")) not in known:
                found.update(_kinds(name, value))
        for kind in sorted(found):
            yield Secret(IN_CONFIG, f"history: {number}", kind, live=True)


def _kinds(name: str, value: str) -> list[str]:
    found = set(tokens(value.encode("utf-8", "replace")))
    if not found and _SECRET_NAME.fullmatch(name) and not is_placeholder(value) and not _is_path(value):
        found.add("value of a variable that is named as a secret")
    return sorted(found)


def _is_path(value: str) -> bool:
    # ..._FILE-style settings: the secret is in the file, not here.
    return value.strip("\"'").startswith(("/", "./", "file:"))
