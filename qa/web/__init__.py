"""The web chat. The only place that imports gradio and FastAPI, and only once it is served."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

# Before gradio is imported: it would ask the network for its newest version, and count visits.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


def serve(
    paths: Sequence[Path],
    index: Path | None,
    host: str,
    port: int,
    *,
    password: bool = False,
    auth: bool = True,
) -> None:
    """Serve the chat until Ctrl-C: see :func:`qa.web.server.serve`, which takes seconds to import."""
    import_module("qa.web.server").serve(paths, index, host, port, password=password, auth=auth)
