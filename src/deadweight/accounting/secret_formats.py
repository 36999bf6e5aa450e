"""Known formats of secrets and the files that hold them. A match says its kind and never its value.

Sources: RFC 7468 and OpenSSH's PROTOCOL.key for keys; the issuers' published token formats (AWS, GitHub, GitLab, Slack,
npm, PyPI, Stripe, Google, SendGrid, DigitalOcean, Hugging Face); the manuals of the programs whose files are named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

_PRIVATE_KEY = re.compile(rb"-----BEGIN ((?:[A-Z0-9]+ )*)PRIVATE KEY-----\s*([A-Za-z0-9+/=:,\- \r\n]{64})")

_TOKENS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("AWS access key", re.compile(rb"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])")),
    ("GitHub token", re.compile(rb"(?<![A-Za-z0-9_])gh[pousr]_[A-Za-z0-9]{36,255}")),
    ("GitHub token", re.compile(rb"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}")),
    ("GitLab token", re.compile(rb"glpat-[A-Za-z0-9_\-]{20,}")),
    ("Slack token", re.compile(rb"xox[abposr]-[0-9]{8,}-[A-Za-z0-9\-]{10,}")),
    ("npm token", re.compile(rb"(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])")),
    ("PyPI token", re.compile(rb"pypi-AgEI[A-Za-z0-9_\-]{50,}")),
    ("Stripe key", re.compile(rb"(?:sk|rk)_live_[A-Za-z0-9]{24,}")),
    ("Google API key", re.compile(rb"(?<![A-Za-z0-9_])AIza[A-Za-z0-9_\-]{35}(?![A-Za-z0-9_\-])")),
    ("SendGrid key", re.compile(rb"SG\.[A-Za-z0-9_\-]{22}\.[A-Za-z0-9_\-]{43}")),
    ("DigitalOcean token", re.compile(rb"do[opr]_v1_[a-f0-9]{64}")),
    ("Hugging Face token", re.compile(rb"(?<![A-Za-z0-9_])hf_[A-Za-z]{34}(?![A-Za-z0-9])")),
)
_EXAMPLES = (b"EXAMPLE", b"XXXXXXXX", b"xxxxxxxx", b"00000000000000")
_PLACEHOLDER = re.compile(
    r"\$[\{(A-Za-z].*|<.*>|%.*%|\{\{.*\}\}|[x*.]+|(?:change|your|example|dummy|placeholder|todo|none|null|redacted).*",
    re.IGNORECASE,
)


def is_placeholder(value: str) -> bool:
    """Whether `value` stands for a secret that is put in later, or for none."""
    bare = value.strip().strip("\"'")
    return len(bare) < 4 or _PLACEHOLDER.fullmatch(bare) is not None


def private_keys(data: bytes) -> Iterator[str]:
    """The kinds of private keys in PEM that `data` has, with their body behind them."""
    for match in _PRIVATE_KEY.finditer(data):
        label = match[1].decode("ascii").strip()
        encrypted = label == "ENCRYPTED" or b"ENCRYPTED" in match[2]
        name = {"": "private key", "ENCRYPTED": "private key"}.get(label, f"{label} private key")
        yield f"{name} (encrypted)" if encrypted else name


def tokens(data: bytes) -> Iterator[str]:
    """The kinds of tokens in `data` whose format tells their issuer."""
    for kind, form in _TOKENS:
        if any(not any(example in match[0] for example in _EXAMPLES) for match in form.finditer(data)):
            yield kind


def _netrc(data: bytes) -> Iterator[str]:
    for match in re.finditer(rb"\bpassword\s+(\S+)", data):
        if not is_placeholder(match[1].decode("utf-8", "replace")):
            yield "netrc password"


def _docker_config(data: bytes) -> Iterator[str]:
    try:
        auths = json.loads(data).get("auths", {})
        entries = list(auths.values()) if isinstance(auths, dict) else []
    except (ValueError, AttributeError, RecursionError):
        return
    if any(isinstance(one, dict) and (one.get("auth") or one.get("identitytoken")) for one in entries):
        yield "registry credentials"


def _settings(pattern: bytes, kind: str) -> Callable[[bytes], Iterator[str]]:
    form = re.compile(pattern, re.MULTILINE | re.IGNORECASE)

    def find(data: bytes) -> Iterator[str]:
        for match in form.finditer(data):
            if not is_placeholder(match[1].decode("utf-8", "replace")):
                yield kind

    return find


def _always(kind: str) -> Callable[[bytes], Iterator[str]]:
    def find(data: bytes) -> Iterator[str]:
        if data.strip():
            yield kind

    return find


def _keystore(data: bytes) -> Iterator[str]:
    if data[:4] == b"\xfe\xed\xfe\xed" and data[8:12] != bytes(4) and data[12:16] == b"\0\0\0\1":
        yield "Java key store with a private key"


_ENVIRONMENT = _settings(
    rb"^[ \t]*(?:export[ \t]+)?[A-Z0-9_]{0,64}?(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY)[A-Z0-9_]{0,64}+[ \t]*[=:][ \t]*(\S+)",
    "environment file with a password or token",
)

FILES: dict[str, Callable[[bytes], Iterator[str]]] = {
    ".npmrc": _settings(rb"_(?:authToken|auth|password)[ \t]*=[ \t]*(\S+)", "npm credentials"),
    ".yarnrc.yml": _settings(rb"npmAuth(?:Token|Ident):\s*(\S+)", "npm credentials"),
    ".pypirc": _settings(rb"^[ \t]*password[ \t]*[=:][ \t]*(\S+)", "PyPI credentials"),
    ".netrc": _netrc,
    "_netrc": _netrc,
    ".git-credentials": _settings(rb"^https?://[^:/\s]+:([^@\s]+)@", "git credentials"),
    "credentials": _settings(
        rb"^[ \t]*(?:aws_secret_access_key|token|password)[ \t]*[=:][ \t]*(\S+)", "credentials file"
    ),
    "credentials.toml": _settings(rb"^[ \t]*token[ \t]*=[ \t]*(\S+)", "Cargo credentials"),
    "credentials.json": _settings(rb"\"private_key\"\s*:\s*\"(-----BEGIN)", "Google service account"),
    "config.json": _docker_config,
    ".dockercfg": _settings(rb"\"auth\"\s*:\s*\"([^\"]+)\"", "registry credentials"),
    "auth.json": _docker_config,
    "kubeconfig": _settings(rb"^[ \t]*(?:client-key-data|token|password):\s*(\S+)", "Kubernetes credentials"),
    ".vault-token": _always("Vault token"),
    ".pgpass": _settings(rb"^(?:[^:\n#]*:){4}(\S+)", "PostgreSQL passwords"),
    ".my.cnf": _settings(rb"^[ \t]*password\s*=\s*(\S+)", "MySQL password"),
    "settings.xml": _settings(rb"<password>([^<{]+)</password>", "Maven password"),
    "hosts.yml": _settings(rb"^[ \t]*oauth_token:\s*(\S+)", "GitHub token"),
    "terraform.tfstate": _settings(
        rb"\"(?:password|secret|private_key|token)\"\s*:\s*\"([^\"]+)\"", "Terraform state"
    ),
    ".htpasswd": _settings(rb"^[^:\s#]+:(\$?[^:\s]{8,})", "password hashes"),
    ".env": _ENVIRONMENT,
    ".envrc": _ENVIRONMENT,
}
"""Base name -> what finds secrets in a file of that name."""

KEY_NAMES = frozenset({"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "identity"})
KEY_SUFFIXES = frozenset({"pem", "key", "ppk", "p8"})
STORE_SUFFIXES = frozenset({"jks", "keystore"})
ENVIRONMENT_SUFFIXES = frozenset({"env", "local", "production", "development", "staging"})


def secrets_in(path: str, data: bytes) -> list[str]:
    """The kinds of secrets in the file at `path`, each once, sorted."""
    name = path.rpartition("/")[2]
    found = set(private_keys(data))
    if data.startswith(b"PuTTY-User-Key-File-"):
        found.add("PuTTY private key")
    reader = FILES.get(name)
    if name == "config" and path.endswith(".kube/config"):
        reader = FILES["kubeconfig"]
    if reader is None and name.startswith(".env."):
        reader = _ENVIRONMENT
    if reader is not None:
        found.update(reader(data))
        found.update(tokens(data))
    found.update(_keystore(data))
    return sorted(found)
