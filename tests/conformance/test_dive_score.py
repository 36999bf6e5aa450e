from __future__ import annotations

from pathlib import Path

import pytest

from deadweight.accounting.analyze import analyze
from deadweight.image import open_image

pytestmark = pytest.mark.fixtures


def test_dives_own_numbers_for_its_own_image(fixtures: Path) -> None:
    # dive, dive/image/docker/image_archive_analysis_test.go
    with open_image(f"docker-archive:{fixtures}/dive/test-docker-image.tar") as image:
        analysis = analyze(image)
    assert analysis.dive.efficiency == 0.9844212134184309
    assert analysis.dive.wasted == 32025
    assert analysis.dive.user_bytes == 66237
    assert analysis.unpacked == 1220598
    assert analysis.classes["live"] == 1188573


@pytest.mark.parametrize("form", ["gzip", "zstd", "estargz", "uncompressed"])
def test_one_layer_wastes_nothing(fixtures: Path, form: str) -> None:
    with open_image(f"oci-archive:{fixtures}/dive/test-oci-{form}-image.tar") as image:
        assert analyze(image).dive.wasted == 0
