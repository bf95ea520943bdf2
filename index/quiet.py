"""Imports OpenVINO without its usage reports: importing and converting send them over the network.

They are sent by a package of its own, openvino_telemetry, and left out where that package is missing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import cast


def load_openvino(module: str = "openvino") -> ModuleType:
    """Return OpenVINO, or a module of it, told that the reporting package is missing."""
    # None marks a module as one that cannot be imported (the import system's own convention).
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    modules.setdefault("openvino_telemetry", None)
    return importlib.import_module(module)
