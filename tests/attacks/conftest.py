"""What several attacks share."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from reserveproof.custodian.demo import demonstrate


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration, run once: a custodian's real files."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    demonstrate(folder, today=dt.datetime.now(dt.UTC).date(), say=lambda line: None)
    return folder
