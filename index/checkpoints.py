"""Finds a model's files by folder or by name. Knows nothing of what is in them."""

from __future__ import annotations

import logging
from pathlib import Path

from index.errors import ModelError

logger = logging.getLogger(__name__)


def find_checkpoint(name: str | Path, owner: str = "") -> Path:
    """Return the folder of a model.

    Args:
        name: a folder, or a model's name on the Hugging Face hub.
        owner: whose model it is where the name does not say.

    Raises:
        ModelError: there is no such folder, or no such model can be had.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        return path.resolve()
    if isinstance(name, Path) or path.is_absolute() or name.startswith(".") or name.count("/") > 1:
        raise ModelError(f"{name}: there is no such folder. Name a folder with a model, or a model's name.")
    return _hub_checkpoint(name, f"{owner}/{name}" if owner and "/" not in name else name)


def _hub_checkpoint(name: str, repository: str) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - slow, and rarely needed

    patterns = ["*.json", "*.txt", "*.model", "*.safetensors"]
    try:
        try:
            # What is on the disk is used without asking anyone.
            found = snapshot_download(repository, allow_patterns=patterns, local_files_only=True)
        except OSError:
            logger.warning("Downloading the model %s (once)", repository)
            found = snapshot_download(repository, allow_patterns=patterns)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{name}: neither a folder nor a model that can be had from the Hugging Face hub "
            f"({type(error).__name__}). Save the model to a folder and name that."
        ) from error
    return Path(found)
