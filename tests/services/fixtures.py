"""Fixtures of the real services; each worker of a parallel run has its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from services.engine import Engine, private_engine
from services.registry import Registry, basic_registry, plain_registry, tls_registry, token_registry


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry by plain HTTP, without authentication."""
    with plain_registry(tmp_path_factory.mktemp("registry")) as service:
        yield service


@pytest.fixture(scope="session")
def registry_with_basic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that wants the user name and password of `services.registry`."""
    with basic_registry(tmp_path_factory.mktemp("registry-basic")) as service:
        yield service


@pytest.fixture(scope="session")
def registry_with_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with TLS by an authority that nobody knows yet."""
    with tls_registry(tmp_path_factory.mktemp("registry-tls")) as service:
        yield service


@pytest.fixture(scope="session")
def registry_with_tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that wants tokens of a token server."""
    with token_registry(tmp_path_factory.mktemp("registry-tokens")) as service:
        yield service


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A Docker engine of the tests' own."""
    with private_engine(tmp_path_factory.mktemp("engine")) as service:
        yield service


@pytest.fixture
def repository(request: pytest.FixtureRequest) -> str:
    """The name of a repository that no other test uses."""
    return "tests/" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]
