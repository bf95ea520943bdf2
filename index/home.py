"""Where Verbatim keeps its files. Names paths; creates none."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """Return ``$VERBATIM_HOME``, or the user's data folder for Verbatim."""
    named = os.environ.get("VERBATIM_HOME")
    return Path(named).expanduser() if named else platformdirs.user_data_path("verbatim", appauthor=False)


def index_directory() -> Path:
    """Return the folder of the user's own index."""
    return home() / "index"


def seeds_directory() -> Path:
    """Return the folder of the index over the documents that come with Verbatim."""
    return home() / "seeds"


def cache_directory() -> Path:
    """Return the folder of converted models; it can be deleted at any time."""
    return home() / "cache"
