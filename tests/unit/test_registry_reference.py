"""Names of images as docker writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadweight.errors import InvalidReference
from deadweight.transport.registry.reference import is_host, parse_reference

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "whole", "endpoint"),
    [
        ("alpine", "docker.io/library/alpine:latest", "registry-1.docker.io"),
        ("//alpine", "docker.io/library/alpine:latest", "registry-1.docker.io"),
        ("//alpine:3.20", "docker.io/library/alpine:3.20", "registry-1.docker.io"),
        ("user/app", "docker.io/user/app:latest", "registry-1.docker.io"),
        ("docker.io/alpine", "docker.io/library/alpine:latest", "registry-1.docker.io"),
        ("index.docker.io/library/alpine", "docker.io/library/alpine:latest", "registry-1.docker.io"),
        ("registry-1.docker.io/user/app", "docker.io/user/app:latest", "registry-1.docker.io"),
        ("localhost/app", "localhost/app:latest", "localhost"),
        ("localhost:5000/app", "localhost:5000/app:latest", "localhost:5000"),
        ("localhost:5000", "docker.io/library/localhost:5000", "registry-1.docker.io"),
        ("127.0.0.1:5000/a/b/c:v1", "127.0.0.1:5000/a/b/c:v1", "127.0.0.1:5000"),
        ("[::1]:5000/app:v1", "[::1]:5000/app:v1", "[::1]:5000"),
        ("[::1]/app", "[::1]/app:latest", "[::1]"),
        ("Registry/app", "Registry/app:latest", "Registry"),
        ("ghcr.io/org/app:v1@" + DIGEST, "ghcr.io/org/app:v1@" + DIGEST, "ghcr.io"),
        ("ghcr.io/org/app@" + DIGEST, "ghcr.io/org/app@" + DIGEST, "ghcr.io"),
        ("ghcr.io/a.b/c_d/e__f/g---h:_T.-9", "ghcr.io/a.b/c_d/e__f/g---h:_T.-9", "ghcr.io"),
        ("1234/app", "docker.io/1234/app:latest", "registry-1.docker.io"),
        ("sha256:1234", "docker.io/library/sha256:1234", "registry-1.docker.io"),
    ],
)
def test_references_are_made_whole(text: str, whole: str, endpoint: str) -> None:
    reference = parse_reference(text)
    assert (str(reference), reference.endpoint) == (whole, endpoint)
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "names no repository"),
        ("//", "names no repository"),
        ("ghcr.io/", "names no repository"),
        ("https://ghcr.io/app", "has a scheme where a host is expected"),
        ("ghcr.io/Org/app", "the repository name 'Org/app' has capital letters; write org/app"),
        ("Alpine", "has capital letters; write alpine"),
        ("ghcr.io/org/app:", "the tag '' is not valid"),
        ("ghcr.io/org/app:.v1", "the tag '.v1' is not valid"),
        ("ghcr.io/org/app:v 1", "the tag 'v 1' is not valid"),
        ("ghcr.io/org/app:" + "v" * 129, "is not valid; a tag has 1 to 128 letters"),
        ("ghcr.io/org/app@" + DIGEST[:-1], "a sha256 digest has 64 lower-case hex digits"),
        ("ghcr.io/org/app@md5:" + "a" * 32, "unknown digest algorithm 'md5'"),
        ("ghcr.io/org/app@", "the digest '': is not a digest"),
        ("ghcr.io/org//app", "the part '' of the repository name is not valid"),
        ("ghcr.io/org/-app", "the part '-app' of the repository name is not valid"),
        ("ghcr.io/org/a...b", "the part 'a...b' of the repository name is not valid"),
        ("ghcr.io/org/../app", "the part '..' of the repository name is not valid"),
        ("ghcr.io/org/app\n", "the part 'app\\n' of the repository name is not valid"),
        ("ghcr.io/" + "a" * 256, "longer than 255 characters"),
        ("-bad.example/app", "the registry '-bad.example' is not a host name or address"),
        ("ghcr.io:99999/app", "the registry 'ghcr.io:99999' is not a host name"),
        ("ghcr.io:x/app", "the registry 'ghcr.io:x' is not a host name"),
        ("[::1/app", "is not a host name or address"),
        ("user@ghcr.io/app", "the digest"),
        ("a" * 64, "is an image ID"),
    ],
)
def test_what_is_wrong_is_named(text: str, problem: str) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_reference(text)
    assert problem in str(caught.value)


def test_what_is_wrong_is_called_as_it_was_given() -> None:
    for text in ("Alpine", "//Alpine"):
        with pytest.raises(InvalidReference) as caught:
            parse_reference(text)
        assert caught.value.subject == "Alpine"


@pytest.mark.parametrize(
    ("text", "familiar"),
    [
        ("alpine", "alpine:latest"),
        ("docker.io/user/app:v1", "user/app:v1"),
        ("ghcr.io/library/app", "ghcr.io/library/app:latest"),
    ],
)
def test_familiar_names(text: str, familiar: str) -> None:
    assert parse_reference(text).familiar == familiar


@given(st.text(alphabet="aB0.:/@_-[] \n%~", max_size=30))
def test_any_text_is_a_reference_or_says_why_not(text: str) -> None:
    try:
        reference = parse_reference(text)
    except InvalidReference:
        return
    assert parse_reference(str(reference)) == reference
    assert is_host(reference.registry)
