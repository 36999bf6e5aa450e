"""Where credentials come from, and that they are not shown."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from deadweight.errors import AuthenticationError, DeadweightError, InvalidDocument, TransportError
from deadweight.transport.registry.credentials import Credentials, auth_files, find_credentials
from deadweight.transport.registry.reference import parse_reference

SECRET = "p:ässwörd"


def entry(username: str = "user", password: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


def found(folder: Path, value: object, reference: str = "ghcr.io/org/app") -> Credentials | None:
    path = folder / "auth.json"
    path.write_text(json.dumps(value))
    return find_credentials(parse_reference(reference), path, {})


def helper(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch, name: str = "test") -> None:
    path = folder / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


# Files


def test_order_of_files() -> None:
    environment = {"HOME": "/home/u", "XDG_RUNTIME_DIR": "/run/user/5"}
    assert [str(path) for path in auth_files(None, environment)] == [
        "/run/user/5/containers/auth.json",
        "/home/u/.config/containers/auth.json",
        "/home/u/.docker/config.json",
    ]
    environment |= {"XDG_CONFIG_HOME": "/etc/u", "DOCKER_CONFIG": "/etc/docker-of-u"}
    assert [str(path) for path in auth_files(None, environment)][1:] == [
        "/etc/u/containers/auth.json",
        "/etc/docker-of-u/config.json",
    ]


def test_the_first_file_with_credentials_counts(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    first, second, third = auth_files(None, environment)
    for path, user in ((second, "second"), (third, "third")):
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"auths": {"ghcr.io": entry(user)}}))
    known = find_credentials(parse_reference("ghcr.io/org/app"), None, environment)
    assert known is not None
    assert (known.username, known.origin) == ("second", str(second))
    first.parent.mkdir(parents=True)
    first.write_text(json.dumps({"auths": {"quay.io": entry("first")}}))
    known = find_credentials(parse_reference("ghcr.io/org/app"), None, environment)
    assert known is not None
    assert known.username == "second"
    assert find_credentials(parse_reference("other.example/app"), None, environment) is None


def test_a_named_file_is_the_only_one(tmp_path: Path) -> None:
    named = tmp_path / "named.json"
    named.write_text("{}")
    assert auth_files(named, {"HOME": "/home/u"}) == [named]
    assert auth_files(None, {"REGISTRY_AUTH_FILE": str(named)}) == [named]
    assert auth_files(named, {"REGISTRY_AUTH_FILE": "/nowhere"}) == [named]


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match="there is no such auth file; check --authfile"):
        auth_files(tmp_path / "none.json", {})


@pytest.mark.parametrize(
    "value",
    [
        "{",
        "[]",
        '{"auths": ["p:\\u00e4sswörd"]}',
        '{"auths": {"ghcr.io": "x"}}',
        '{"auths": {"ghcr.io": {"auth": "p:\\u00e4sswörd"}}}',
        '{"auths": {"ghcr.io": {"auth": ["p:\\u00e4sswörd"]}}}',
        '{"auths": {"ghcr.io": {"username": "u", "password": {"p:\\u00e4sswörd": 1}}}}',
        '{"credHelpers": {"ghcr.io": "../../evil"}}',
        '{"credsStore": "a b"}',
    ],
)
def test_broken_file(tmp_path: Path, value: str) -> None:
    path = tmp_path / "auth.json"
    path.write_text(value)
    with pytest.raises(InvalidDocument) as caught:
        find_credentials(parse_reference("ghcr.io/app"), path, {})
    assert str(path) in str(caught.value)
    assert SECRET not in str(caught.value)


def test_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match="the auth file cannot be read: Is a directory"):
        find_credentials(parse_reference("ghcr.io/app"), tmp_path, {})


# Keys


def test_the_most_specific_key_wins(tmp_path: Path) -> None:
    auths = {
        "ghcr.io": entry("host"),
        "ghcr.io/org": entry("organisation"),
        "ghcr.io/org/app": entry("repository"),
        "ghcr.io/org/application": entry("another"),
    }
    for wanted in ("repository", "organisation", "host"):
        known = found(tmp_path, {"auths": auths})
        assert known is not None
        assert known.username == wanted
        auths = {key: value for key, value in auths.items() if value != entry(wanted)}
    assert found(tmp_path, {"auths": auths}) is None


@pytest.mark.parametrize(
    "key",
    [
        "docker.io",
        "index.docker.io",
        "registry-1.docker.io",
        "https://index.docker.io/v1/",
        "index.docker.io/v1/",
        "https://registry-1.docker.io",
        "docker.io/library",
        "docker.io/library/alpine",
    ],
)
def test_names_of_docker_hub(tmp_path: Path, key: str) -> None:
    known = found(tmp_path, {"auths": {key: entry()}}, "alpine")
    assert known is not None
    assert (known.username, known.password) == ("user", SECRET)


@pytest.mark.parametrize("key", ["http://localhost:5000", "https://localhost:5000/v2/", "localhost:5000/v2"])
def test_keys_that_are_addresses(tmp_path: Path, key: str) -> None:
    assert found(tmp_path, {"auths": {key: entry()}}, "localhost:5000/app") is not None


@pytest.mark.parametrize(
    "key",
    ["localhost", "localhost:500", "localhost:5001", "x.localhost:5000", "localhost:5000/ap", "docker.io"],
)
def test_credentials_of_others_are_not_taken(tmp_path: Path, key: str) -> None:
    assert found(tmp_path, {"auths": {key: entry()}}, "localhost:5000/app") is None


def test_forms_of_an_entry(tmp_path: Path) -> None:
    known = found(tmp_path, {"auths": {"ghcr.io": {"username": "user", "password": SECRET}}})
    assert known == Credentials(str(tmp_path / "auth.json"), "user", SECRET)
    known = found(tmp_path, {"auths": {"ghcr.io": {"identitytoken": "identity"}}})
    assert known is not None
    assert known.identity_token == "identity"
    known = found(tmp_path, {"auths": {"ghcr.io": {"registrytoken": "token"}}})
    assert known is not None
    assert known.registry_token == "token"
    assert found(tmp_path, {"auths": {"ghcr.io": {}}}) is None


def test_credentials_are_not_shown() -> None:
    known = Credentials("file", "user", SECRET, "identity", "token")
    assert repr(known) == "Credentials(origin='file')"


# Helpers


def test_helper_for_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps({"ServerURL": "x", "Username": "helped", "Secret": "secret"})
    helper(tmp_path, f"cat > {tmp_path}/asked; echo '{answer}'", monkeypatch)
    known = found(tmp_path, {"credHelpers": {"ghcr.io": "test"}, "auths": {"ghcr.io": entry()}})
    assert known == Credentials("docker-credential-test", "helped", "secret")
    assert (tmp_path / "asked").read_text() == "ghcr.io"


def test_store_for_all_hosts_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps({"Username": "<token>", "Secret": "identity"})
    helper(tmp_path, f"cat > {tmp_path}/asked; echo '{answer}'", monkeypatch)
    value = {"credsStore": "test", "auths": {"ghcr.io": entry(), "docker.io": {}}}
    known = found(tmp_path, value)
    assert known is not None
    assert known.username == "user"
    known = found(tmp_path, value, "alpine")
    assert known == Credentials("docker-credential-test", identity_token="identity")
    assert (tmp_path / "asked").read_text() == "https://index.docker.io/v1/"


def test_helper_without_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, "echo credentials not found in native keychain; exit 1", monkeypatch)
    assert found(tmp_path, {"credsStore": "test"}) is None
    helper(tmp_path, """echo '{"Username": "", "Secret": ""}'""", monkeypatch)
    assert found(tmp_path, {"credsStore": "test"}) is None


def test_helper_that_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError, match="docker-credential-nowhere, which is not installed; try"):
        found(tmp_path, {"credsStore": "nowhere"})


@pytest.mark.parametrize(
    "script",
    [f"echo {SECRET}; exit 1", f"echo {SECRET}", f"""echo '{{"Username": "u", "Secret": ["{SECRET}"]}}'"""],
)
def test_helper_that_fails_does_not_give_it_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    helper(tmp_path, script, monkeypatch)
    with pytest.raises(DeadweightError) as caught:
        found(tmp_path, {"credsStore": "test"})
    assert "docker-credential-test" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_helper_that_cannot_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, "", monkeypatch)
    (tmp_path / "docker-credential-test").write_bytes(b"\x7fELF nonsense")
    with pytest.raises(AuthenticationError, match="cannot be run: Exec format error"):
        found(tmp_path, {"credsStore": "test"})


def test_helper_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, "exec sleep 60", monkeypatch)
    monkeypatch.setattr("deadweight.transport.registry.credentials._HELPER_SECONDS", 0.2)
    with pytest.raises(AuthenticationError, match="docker-credential-test: gave no answer"):
        found(tmp_path, {"credsStore": "test"})
