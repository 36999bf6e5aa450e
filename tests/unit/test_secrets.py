from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conftest import require_program
from deadweight.accounting.model import Analysis
from deadweight.accounting.secrets import IN_CONFIG
from layers_by_hand import Member, analysis_of, file, whiteout

BODY = base64.encodebytes(bytes(range(200))).decode()


def pem(label: str, body: str = BODY) -> bytes:
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n".encode()


def letters(count: int) -> str:
    """Letters and digits that are no example."""
    return ("aB3dE5gH7jK9mN1pQ4rS6tU8vW" * (count // 26 + 1))[:count]


def found(*members: Member, **config: Any) -> list[tuple[str, str]]:
    return [(secret.path, secret.kind) for secret in analysis_of(members, **config).secrets]


def kinds(path: str, content: bytes) -> list[str]:
    return [kind for _, kind in found(file(path, content))]


def test_found_in_any_layer_with_what_a_container_sees() -> None:
    key = pem("RSA PRIVATE KEY")
    analysis: Analysis = analysis_of(
        [file("root/.ssh/id_rsa", key), file("etc/tls.key", key)],
        [whiteout("root/.ssh"), file("srv/x.pem", key)],
    )
    assert [(secret.layer, secret.path, secret.live) for secret in analysis.secrets] == [
        (0, "root/.ssh/id_rsa", False),
        (0, "etc/tls.key", True),
        (1, "srv/x.pem", True),
    ]


def test_a_value_is_nowhere_kept() -> None:
    value = "ghp_" + letters(36)
    analysis = analysis_of(
        [file("root/.npmrc", f"//npm.pkg.github.com/:_authToken={value}\n".encode())],
        Env=[f"A_TOKEN={value}"],
        history=[{"created_by": "COPY . /"}],
    )
    assert len(analysis.secrets) == 3
    assert value not in repr(analysis.secrets)
    assert value not in repr([layer.facts["secrets"] for layer in analysis.ledger.layers])


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("PRIVATE KEY", "private key"),
        ("RSA PRIVATE KEY", "RSA private key"),
        ("EC PRIVATE KEY", "EC private key"),
        ("DSA PRIVATE KEY", "DSA private key"),
        ("ENCRYPTED PRIVATE KEY", "private key (encrypted)"),
        ("PGP PRIVATE KEY BLOCK", "PGP private key"),
    ],
)
def test_private_keys(label: str, kind: str) -> None:
    assert kinds("srv/anything", pem(label)) == [kind]
    assert kinds("srv/after-text.pem", b"Bag Attributes\n" + pem(label)) == [kind]


@pytest.mark.parametrize(
    "label", ["PUBLIC KEY", "CERTIFICATE", "RSA PUBLIC KEY", "CERTIFICATE REQUEST", "X509 CRL"]
)
def test_what_is_public_is_no_secret(label: str) -> None:
    assert kinds("etc/x.pem", pem(label)) == []


def test_a_key_without_a_body_is_none() -> None:
    assert kinds("etc/x.pem", b"-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----\n") == []
    assert kinds("etc/x.pem", pem("RSA PRIVATE KEY", "") + pem("CERTIFICATE")) == []


def test_an_old_encrypted_key() -> None:
    body = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,2A57FF8C9F0B5E5C4B3A2D1E0F9A8B7C\n\n" + BODY
    assert kinds("etc/x.pem", pem("RSA PRIVATE KEY", body)) == ["RSA private key (encrypted)"]


@pytest.mark.parametrize(
    ("passphrase", "kind"), [("", "OPENSSH private key"), ("word", "OPENSSH private key (encrypted)")]
)
def test_keys_as_openssh_writes_them(tmp_path: Path, passphrase: str, kind: str) -> None:
    keygen = require_program("ssh-keygen")
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", passphrase, "-f", str(tmp_path / "k")], check=True)
    assert kinds("etc/ssh/ssh_host_ed25519_key", (tmp_path / "k").read_bytes()) == [kind]
    assert kinds("etc/ssh/ssh_host_ed25519_key.pub", (tmp_path / "k.pub").read_bytes()) == []


def test_stores_as_openssl_writes_them(tmp_path: Path) -> None:
    openssl = require_program("openssl")
    run = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
    subprocess.run([*run, "-keyout", "k", "-out", "c"], cwd=tmp_path, check=True, capture_output=True)
    export = [openssl, "pkcs12", "-export", "-passout", "pass:word", "-in", "c"]
    subprocess.run([*export, "-inkey", "k", "-out", "with"], cwd=tmp_path, check=True, capture_output=True)
    subprocess.run([*export, "-nokeys", "-out", "without"], cwd=tmp_path, check=True, capture_output=True)
    assert kinds("srv/x.p12", (tmp_path / "with").read_bytes()) == ["PKCS #12 store with a private key"]
    assert kinds("srv/x.pfx", (tmp_path / "without").read_bytes()) == []
    assert kinds("srv/k", (tmp_path / "k").read_bytes()) == ["private key"]
    assert kinds("srv/c.pem", (tmp_path / "c").read_bytes()) == []


def java_store(*tags: int) -> bytes:
    entries = b"".join(
        tag.to_bytes(4, "big")
        + b"\0\1a"
        + bytes(8)
        + (b"\0\5X.509\0\0\0\3abc" if tag == 2 else b"\0\0\0\3abc")
        for tag in tags
    )
    return b"\xfe\xed\xfe\xed" + (2).to_bytes(4, "big") + len(tags).to_bytes(4, "big") + entries


def test_java_key_stores() -> None:
    assert kinds("opt/jdk/lib/security/cacerts", java_store(2, 2)) == []
    assert kinds("srv/server.jks", java_store(2, 2, 1)) == ["Java key store with a key"]
    assert kinds("srv/server.jks", java_store(2)[:20]) == []


TOKENS = {
    "AWS access key": "AKIA" + "Q3EXWPLM5TZN7RJV",
    "GitHub token": "ghp_" + letters(36),
    "GitLab token": "glpat-" + letters(20),
    "Slack token": "xoxb-123456789012-" + letters(24),
    "npm token": "npm_" + letters(36),
    "PyPI token": "pypi-AgEIcHlwaS5vcmc" + letters(60),
    "Stripe key": "sk_live_" + letters(24),
    "Google API key": "AIza" + letters(35),
    "SendGrid key": f"SG.{letters(22)}.{letters(43)}",
    "DigitalOcean token": "dop_v1_" + "0a1b2c3d" * 8,
    "Hugging Face token": "hf_" + "abcdefghijklmnopqrstuvwxyzABCDEFGH",
    "Azure storage key": f"AccountKey={letters(86)}==",
    "password in a URL": "postgres://app:hunter22@db/app",
}


@pytest.mark.parametrize("kind", TOKENS)
def test_tokens_that_tell_their_issuer(kind: str) -> None:
    value = TOKENS[kind]
    assert kinds("srv/application.properties", f"x={value}\n".encode()) == [kind]
    assert found(Env=[f"SETTING={value}"]) == [("config: ENV SETTING", kind)]
    assert found(Labels={"note": f"use {value} here"}) == [("config: LABEL note", kind)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("KEY=glpat-{}", True),
        ("-glpat-{}", True),
        ("xglpat-{}", False),
        ("_glpat-{}", False),
        ("7glpat-{}", False),
        ("xglpat-glpat-{}", True),
        ("glpat-XXXXXXXX{0} glpat-{0}", True),
    ],
)
def test_the_rest_of_a_longer_word_is_no_token(text: str, told: bool) -> None:
    content = text.format(letters(20)).encode()
    assert kinds("root/.npmrc", content) == ["GitLab token"] * told


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("root/.npmrc", "//registry.npmjs.org/:_authToken=0a1b2c3d-1111\n", "npm credentials"),
        ("root/.pypirc", "[pypi]\nusername = me\npassword = hunter22\n", "PyPI credentials"),
        ("root/.netrc", "machine example.org\n  login me\n  password hunter22\n", "netrc password"),
        ("root/.git-credentials", "https://me:hunter22@example.org\n", "password in a URL"),
        (
            "srv/.git/config",
            '[remote "origin"]\n url = https://me:hunter22@example.org/x.git\n',
            "password in a URL",
        ),
        (
            "root/.aws/credentials",
            "[default]\naws_secret_access_key = wJalrXUtnFEMIbPxRfiCY\n",
            "AWS credentials",
        ),
        (
            "root/.docker/config.json",
            '{"auths": {"example.org": {"auth": "bWU6aHVudGVyMjI="}}}',
            "registry credentials",
        ),
        (
            "run/containers/0/auth.json",
            '{"auths": {"example.org": {"auth": "bWU6aHVudGVyMjI="}}}',
            "registry credentials",
        ),
        ("root/.composer/auth.json", '{"github-oauth": {"github.com": "abc"}}', "Composer credentials"),
        (
            "root/.kube/config",
            "users:\n- user:\n    client-key-data: LS0tLS1CRUdJTg==\n",
            "Kubernetes credentials",
        ),
        ("root/.vault-token", "s.abcdefgh", "HashiCorp Vault token"),
        ("root/.pgpass", "db:5432:*:me:hunter22\n", "PostgreSQL password"),
        ("root/.my.cnf", "[client]\npassword=hunter22\n", "MySQL password"),
        ("root/.m2/settings.xml", "<server><password>hunter22</password></server>", "Maven password"),
        ("root/.cargo/credentials.toml", '[registry]\ntoken = "cio0a1b2c3d"\n', "Cargo credentials"),
        ("root/.gem/credentials", ":rubygems_api_key: 0a1b2c3d4e5f\n", "RubyGems credentials"),
        ("root/.config/gh/hosts.yml", "github.com:\n  oauth_token: 0a1b2c3d4e\n", "GitHub token"),
        ("srv/terraform.tfstate", '{"password": "hunter22"}', "Terraform state"),
        ("srv/.env", "export DB_PASSWORD=hunter22\n", "environment file with a password or token"),
        (
            "srv/.env.production",
            "SECRET_KEY_BASE: 0a1b2c3d4e5f\n",
            "environment file with a password or token",
        ),
        ("srv/config/master.key", "0123456789abcdef0123456789abcdef", "Rails master key"),
        ("root/.erlang.cookie", "QWERTYUIOPASDFGH", "Erlang cookie"),
        (
            "etc/shadow",
            "daemon:*:1:0:99999:7:::\nroot:$6$salt$0123456789abcdefghij:1:::::\n",
            "password hash of an account",
        ),
        ("etc/krb5.keytab", "\5\2" + "\0" * 40, "Kerberos keytab"),
        (
            "etc/NetworkManager/system-connections/x.nmconnection",
            "[wifi]\npsk=hunter22\n",
            "password of a network",
        ),
    ],
)
def test_files_that_are_known_to_hold_them(path: str, content: str, kind: str) -> None:
    assert found(file(path, content.encode("latin-1"))) == [(path, kind)]


def test_a_service_account_by_any_name() -> None:
    account = {
        "type": "service_account",
        "private_key": pem("PRIVATE KEY").decode() * 4,
        "client_email": "x@example.org",
    }
    assert kinds("srv/my-project-1234.json", json.dumps(account).encode()) == ["Google service account"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("root/.npmrc", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\n"),
        ("root/.npmrc", "registry=https://registry.npmjs.org/\n"),
        (
            "root/.aws/credentials",
            "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = <your key>\n",
        ),
        ("root/.docker/config.json", '{"credsStore": "desktop", "auths": {"example.org": {}}}'),
        ("root/.docker/config.json", "[" * 5000),
        ("srv/config.json", '{"auths": 3}'),
        (
            "srv/.env",
            "DB_PASSWORD=\nAPI_TOKEN=xxxxxxxx\nSECRET=changeme\nTOKEN={{ token }}\nMAX_TOKENS=4096\n",
        ),
        ("srv/.env", "PASSWORD_FILE=/run/secrets/db\nTOKEN_URL=https://example.org\n"),
        ("root/.m2/settings.xml", "<password>${env.PASSWORD}</password>"),
        ("etc/shadow", "root:*:19000:0:99999:7:::\ndaemon:!:1::::::\n"),
        ("srv/application.yml", "url: https://example.org/a:b@c\nkey: AIzaShort\n"),
        ("srv/app/main.key", "just text"),
        ("srv/token", "parser state"),
    ],
)
def test_what_is_none(path: str, content: str) -> None:
    assert found(file(path, content.encode())) == []


@pytest.mark.parametrize(
    ("path", "public"),
    [
        ("usr/lib/python3.11/test/ssl_key.pem", True),
        ("usr/lib/python3/dist-packages/tornado/test/test.key", True),
        ("srv/node_modules/x/test/fixtures/key.pem", True),
        ("usr/share/doc/openssl/demo/key.pem", True),
        ("go/pkg/mod/github.com/x/y@v1/testdata/key.pem", True),
        ("srv/app/tests/key.pem", False),
        ("etc/ssl/private/ssl-cert-snakeoil.key", False),
        ("srv/node_modules/x/ssl/key.pem", False),
    ],
)
def test_keys_for_the_tests_of_packages_are_public(path: str, public: bool) -> None:
    assert (kinds(path, pem("RSA PRIVATE KEY")) == []) is public


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("DB_PASSWORD=hunter22", True),
        ("PGPASSWORD=hunter22", True),
        ("API_KEY=0a1b2c3d4e", True),
        ("CLIENT_SECRET=0a1b2c3d4e", True),
        ("GITHUB_TOKEN=0a1b2c3d4e", True),
        ("SECRET_KEY_BASE=0a1b2c3d4e", True),
        ("DB_PASSWORD=", False),
        ("DB_PASSWORD=$DB_PASSWORD", False),
        ("DB_PASSWORD=changeme", False),
        ("DB_PASSWORD_FILE=/run/secrets/db", False),
        ("TOKEN=/run/secrets/token", False),
        ("GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568", False),
        ("NEXT_PUBLIC_MAP_TOKEN=0a1b2c3d4e", False),
        ("MAX_TOKENS=4096", False),
        ("TOKENIZER=0a1b2c3d", False),
        ("REQUIRE_PASSWORD=true", False),
    ],
)
def test_variables(variable: str, told: bool) -> None:
    kind = "value of a variable that is named as a secret"
    name = variable.partition("=")[0]
    assert found(Env=[variable]) == ([(f"config: ENV {name}", kind)] if told else [])


def test_build_arguments_in_the_history() -> None:
    history: list[dict[str, Any]] = [
        {"created_by": "|2 TOKEN=0a1b2c3d4e VERSION=1 /bin/sh -c make", "empty_layer": True},
        {"created_by": "ARG DB_PASSWORD=hunter22", "empty_layer": True},
        {"created_by": "ENV API_KEY=0a1b2c3d4e", "empty_layer": True},
        {
            "created_by": "RUN |1 A=b /bin/sh -c curl https://me:hunter22@example.org/x # buildkit",
            "empty_layer": True,
        },
        {"created_by": "RUN echo $TOKEN", "empty_layer": True},
        {"created_by": "COPY . /"},
    ]
    analysis = analysis_of([file("a", 1)], history=history, Env=["API_KEY=0a1b2c3d4e"])
    assert [(secret.layer, secret.path, secret.live) for secret in analysis.secrets] == [
        (IN_CONFIG, "config: ENV API_KEY", True),
        (IN_CONFIG, "history: 1", False),
        (IN_CONFIG, "history: 2", False),
        (IN_CONFIG, "history: 4", False),
    ]


def test_a_large_file_is_not_looked_into() -> None:
    assert kinds("srv/x.pem", pem("PRIVATE KEY") + b"\n" * (1 << 20)) == []
