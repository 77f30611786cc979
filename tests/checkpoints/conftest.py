"""A checkpoint of every family, written once."""

from pathlib import Path

import pytest

from tests.checkpoints.tiny import MODELS, build, save


@pytest.fixture(scope="session")
def saved(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("checkpoints")
    return {name: save(build(name), root / name) for name in MODELS}
