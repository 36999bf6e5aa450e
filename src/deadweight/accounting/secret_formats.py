"""Files that are known to hold secrets, and how each tells whether it does.

Sources: the manuals of the programs whose files are named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache

from deadweight.accounting.secret_values import is_placeholder, key_stores, private_keys, tokens

Reader = Callable[[bytes], Iterator[str]]

_NAMES_OF_SECRETS = (
    r"(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|SECRET_KEY|SECRET_KEY_BASE)"
)


def _settings(pattern: str, kind: str) -> Reader:
    """Looks for values that are none to be put in later; the value is the group of `pattern`."""

    def find(data: bytes) -> Iterator[str]:
        for match in _compiled(pattern).finditer(data):
            if not is_placeholder(match[1].decode("utf-8", "replace")):
                yield kind

    return find


@cache
def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode(), re.MULTILINE | re.IGNORECASE)


def _assigned(names: str, kind: str) -> Reader:
    """Looks for lines such as ``name = value`` and ``name: value``, quoted or not."""
    return _settings(rf"^[ \t]*[\"']?(?:{names})[\"']?[ \t]*[=:][ \t]*(\S+)", kind)


def _always(kind: str) -> Reader:
    def find(data: bytes) -> Iterator[str]:
        if data.strip():
            yield kind

    return find


def _registry_credentials(data: bytes) -> Iterator[str]:
    """Docker's config.json and containers-auth.json(5)."""
    auths = _json(data).get("auths")
    entries = auths.values() if isinstance(auths, dict) else ()
    if any(
        isinstance(one, dict) and (one.get("auth") or one.get("identitytoken") or one.get("password"))
        for one in entries
    ):
        yield "registry credentials"


def _auth_json(data: bytes) -> Iterator[str]:
    """containers-auth.json(5), and Composer's auth.json."""
    yield from _registry_credentials(data)
    known = _json(data)
    for name in ("github-oauth", "gitlab-token", "gitlab-oauth", "bearer", "http-basic", "bitbucket-oauth"):
        if isinstance(entries := known.get(name), dict) and any(entries.values()):
            yield "Composer credentials"


def _google(data: bytes) -> Iterator[str]:
    known = _json(data)
    if known.get("type") == "service_account" and "PRIVATE KEY" in str(known.get("private_key")):
        yield "Google service account"
    if known.get("type") == "authorized_user" and known.get("refresh_token"):
        yield "Google credentials"


def _json(data: bytes) -> dict[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _nothing(data: bytes) -> Iterator[str]:
    """Looks for nothing but what is looked for in every file: keys and tokens."""
    yield from ()


ENVIRONMENT = _settings(
    rf"^[ \t]*(?:export[ \t]+)?[A-Z0-9_]{{0,64}}?{_NAMES_OF_SECRETS}(?:_[0-9]{{1,4}})?[ \t]*[=:][ \t]*(\S+)",
    "environment file with a password or token",
)
_KUBECONFIG = _assigned("client-key-data|token|password", "Kubernetes credentials")
_NETRC = _settings(r"\bpassword[ \t\r\n]{1,8}(\S+)", "netrc password")
_AWS = _assigned("aws_secret_access_key|aws_session_token", "AWS credentials")
_CARGO = _assigned("token", "Cargo credentials")
_TERRAFORM = _settings(
    r"\"(?:password|secret|private_key|token|secret_key)\"\s{0,8}:\s{0,8}\"([^\"]+)\"", "Terraform state"
)

FILES: dict[str, Reader] = {
    ".aws/credentials": _AWS,
    ".aws/config": _AWS,
    ".azure/accessTokens.json": _always("Azure credentials"),
    ".cargo/credentials": _CARGO,
    ".cargo/credentials.toml": _CARGO,
    ".config/gh/hosts.yml": _assigned("oauth_token", "GitHub token"),
    ".config/gcloud/credentials.db": _always("Google credentials"),
    ".config/gcloud/access_tokens.db": _always("Google credentials"),
    ".databrickscfg": _assigned("token|password", "Databricks credentials"),
    ".docker/config.json": _registry_credentials,
    ".dockercfg": _settings(r"\"auth\"\s{0,8}:\s{0,8}\"([^\"]+)\"", "registry credentials"),
    ".dockerconfigjson": _registry_credentials,
    ".env": ENVIRONMENT,
    ".envrc": ENVIRONMENT,
    ".erlang.cookie": _always("Erlang cookie"),
    ".gem/credentials": _assigned(":?rubygems_api_key", "RubyGems credentials"),
    ".git-credentials": _nothing,
    ".git/config": _nothing,
    ".kube/config": _KUBECONFIG,
    ".my.cnf": _assigned("password", "MySQL password"),
    ".netrc": _NETRC,
    ".npmrc": _settings(r"_(?:authToken|auth|password)[ \t]*=[ \t]*(\S+)", "npm credentials"),
    ".pgpass": _settings(r"^(?:[^:\s#]{0,255}:){4}(\S+)", "PostgreSQL password"),
    ".pypirc": _assigned("password", "PyPI credentials"),
    ".s3cfg": _assigned("secret_key", "S3 credentials"),
    ".terraform.d/credentials.tfrc.json": _settings(
        r"\"token\"\s{0,8}:\s{0,8}\"([^\"]+)\"", "Terraform Cloud token"
    ),
    ".terraformrc": _assigned("token", "Terraform Cloud token"),
    ".vault-token": _always("HashiCorp Vault token"),
    ".yarnrc.yml": _assigned("npmAuth(?:Token|Ident)", "npm credentials"),
    "_netrc": _NETRC,
    "apt/auth.conf": _NETRC,
    "auth.json": _auth_json,
    "config/master.key": _settings(r"^([0-9a-f]{32})\s*$", "Rails master key"),
    "etc/shadow": _settings(
        r"^[^:\s]{1,64}:[$]([0-9a-z]{1,4}[$][^:\s]{16,255}):", "password hash of an account"
    ),
    "kaggle.json": _settings(r"\"key\"\s{0,8}:\s{0,8}\"([0-9a-f]{32})\"", "Kaggle credentials"),
    "kubeconfig": _KUBECONFIG,
    "nuget.config": _settings(r"ClearTextPassword\"\s{1,8}value=\"([^\"]+)\"", "NuGet password"),
    "NuGet.Config": _settings(r"ClearTextPassword\"\s{1,8}value=\"([^\"]+)\"", "NuGet password"),
    "pip.conf": _nothing,
    "rclone.conf": _assigned("pass|token|secret_access_key|client_secret", "rclone credentials"),
    "settings.xml": _settings(r"<(?:password|passphrase)>([^<]+)</", "Maven password"),
    "terraform.tfstate": _TERRAFORM,
    "terraform.tfstate.backup": _TERRAFORM,
}
"""The end of a path, whole names, and what looks for secrets in it."""

LOOKED_INTO = frozenset(
    {
        "application.properties",
        "application.yml",
        "application.yaml",
        "appsettings.json",
        "appsettings.Production.json",
    }
    | {
        "config.ini",
        "config.json",
        "config.toml",
        "config.yaml",
        "config.yml",
        "credentials.json",
        "credentials.yml",
    }
    | {
        "docker-compose.yaml",
        "docker-compose.yml",
        "Dockerfile",
        "secrets.json",
        "secrets.toml",
        "secrets.yaml",
    }
    | {"secrets.yml", "settings.ini", "settings.json", "settings.py", "values.yaml", "token", "sources.list"}
    | {
        ".ash_history",
        ".bash_history",
        ".node_repl_history",
        ".psql_history",
        ".python_history",
        ".sh_history",
    }
    | {
        ".mysql_history",
        ".zsh_history",
        ".bashrc",
        ".bash_profile",
        ".profile",
        ".zshrc",
        ".gitconfig",
        ".boto",
    }
    | {"id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "identity", "secring.gpg"}
)
"""Further base names that are looked into for keys and tokens that tell themselves."""
KEY_SUFFIXES = frozenset(
    {"pem", "key", "ppk", "p8", "p12", "pfx", "jks", "jceks", "keystore", "kdbx", "keytab", "nmconnection"}
)
ENVIRONMENT_SUFFIXES = frozenset(
    {"env", "local", "production", "development", "staging", "prod", "dev", "tfvars"}
)
NAMES = LOOKED_INTO | {path.rpartition("/")[2] for path in FILES}


def secrets_in(path: str, data: bytes) -> list[str]:
    """The kinds of secrets in the file at `path`, each once, sorted."""
    found = {*private_keys(data), *key_stores(data), *tokens(data)}
    reader = _reader(path)
    if reader is not None:
        found.update(reader(data))
    found.update(_google(data) if path.endswith(".json") else ())
    return sorted(found)


def _reader(path: str) -> Reader | None:
    name = path.rpartition("/")[2]
    parts = path.split("/")
    for count in (3, 2, 1):
        if reader := FILES.get("/".join(parts[-count:])):
            return reader
    if name.startswith(".env.") or name.endswith((".env", ".tfvars")):
        return ENVIRONMENT
    if name.endswith(".nmconnection"):
        return _assigned("psk|password", "password of a network")
    if name.endswith(".keytab"):
        return _keytab
    return _gnupg if "/.gnupg/" in f"/{path}" else None


def _keytab(data: bytes) -> Iterator[str]:
    if data[:2] in (b"\x05\x01", b"\x05\x02") and len(data) > 16:
        yield "Kerberos keytab"


def _gnupg(data: bytes) -> Iterator[str]:
    if b"(private-key" in data or b":private-key" in data or data[:1] in (b"\x94", b"\x95"):
        yield "GnuPG private key"
    elif b":protected-private-key" in data or b"(protected-private-key" in data:
        yield "GnuPG private key (encrypted)"
