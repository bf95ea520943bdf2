"""Imports OpenVINO without its usage reports: importing and converting send them over the network.

They are sent by a package of its own, openvino_telemetry, and left out where that package is missing. The
front of OpenVINO's model conversion, a third of the time that importing takes, is imported when it is asked
for: a question never does.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any, cast

_CONVERSION = "openvino.tools.ovc"


def load_openvino(module: str = "openvino") -> ModuleType:
    """Return OpenVINO, or a module of it, told that the reporting package is missing."""
    # None marks a module as one that cannot be imported (the import system's own convention).
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    modules.setdefault("openvino_telemetry", None)
    if "openvino" not in modules:
        modules.setdefault(_CONVERSION, None)
    openvino = importlib.import_module("openvino")
    if modules.get(_CONVERSION, openvino) is None:
        # Others in this process find it where it always is. Two threads may come here at once.
        modules.pop(_CONVERSION, None)
        vars(openvino)["__getattr__"] = _late
    return importlib.import_module(module)


def _late(name: str) -> Any:
    """Stand in for ``openvino.convert_model`` until somebody asks for it (PEP 562)."""
    if name == "convert_model":
        return importlib.import_module(_CONVERSION).convert_model
    raise AttributeError(f"module 'openvino' has no attribute {name!r}")
