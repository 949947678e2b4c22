"""Fixtures that several test files share."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench import Bench, make_bench, toy_profile


@pytest.fixture(scope="session")
def toy_profile_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile of the toy backbone, fitted once."""
    return toy_profile(tmp_path_factory.mktemp("profile") / "toy.profile")


@pytest.fixture
def bench(tmp_path: Path, toy_profile_file: Path) -> Bench:
    """A folder with pictures and the toy profile, for the command to run in."""
    return make_bench(tmp_path, toy_profile_file)
