"""One FastAPI app around the page: headers, health, its own files. Opens the port and serves."""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import gradio as gr
import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.errors import SettingsError
from index.home import home
from qa.web.corpus import Corpus, open_corpus
from qa.web.examples import examples
from qa.web.layout import build

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
_FILES = Path(__file__).parent
_HEAD = (
    '<meta name="color-scheme" content="light dark">'
    '<link rel="stylesheet" href="/web/style.css"><script src="/web/style.js"></script>'
)
# Gradio sets styles from scripts, hence 'unsafe-inline' for styles; scripts run by nonce or from here only.
_POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)


def serve(paths: Sequence[Path], index: Path | None, host: str, port: int) -> None:
    """Serve the chat until Ctrl-C.

    Args:
        paths: files and folders to answer over; where there are none, the index.
        index: an index's folder; by default the user's own, else the documents that come with Verbatim.
        host: the address to listen on.
        port: the port to listen on.

    Raises:
        VerbatimError: the port cannot be had, or the documents cannot be read. The message names the fix.
    """
    listener = _listen(host, port)
    with listener:
        corpus = open_corpus(paths, index)
        with corpus.assistant:
            app = create_app(corpus, local=host in LOCAL_HOSTS)
            announce(corpus.name, host, listener.getsockname()[1])
            # An open page holds a connection for good: it must not hold up Ctrl-C.
            config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
            uvicorn.Server(config).run(sockets=[listener])


def create_app(corpus: Corpus, *, local: bool = True) -> FastAPI:
    """Return the app over one corpus; a ``local`` one answers only to this machine's own names."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(_SecurityHeaders)
    if local:
        # Else any web page could reach it through a name that resolves to this machine.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL_HOSTS, "[::1]"])

    @app.api_route("/healthz", methods=["GET", "HEAD"])
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/web/{name}")
    def file(name: Literal["style.css", "style.js"]) -> FileResponse:
        return FileResponse(_FILES / name)

    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build(corpus, examples(corpus.assistant)),
        path="/",
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        head=_HEAD,
        footer_links=[],
        run_history=False,
        show_error=False,
        blocked_paths=[str(home())],
        max_file_size=1,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
    )
    return mounted


class _SecurityHeaders:
    """Adds the headers, and to the page's own scripts the nonce without which the browser runs none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        page: Message | None = None
        body = b""

        async def guarded(message: Message) -> None:
            nonlocal page, body
            if message["type"] == "http.response.start":
                headers = _add_headers(message, nonce)
                if headers.get("content-type", "").startswith("text/html"):
                    page = message
                    return
            elif page is not None:
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                message = {"type": "http.response.body", "body": _with_nonce(body, nonce)}
                MutableHeaders(scope=page)["content-length"] = str(len(message["body"]))
                await send(page)
            await send(message)

        await self._app(scope, receive, guarded)


def _add_headers(message: Message, nonce: str) -> MutableHeaders:
    headers = MutableHeaders(scope=message)
    headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "no-referrer"
    return headers


def _with_nonce(page: bytes, nonce: str) -> bytes:
    # Gradio's template escapes "<" in all that it fills in, so every tag here is Gradio's own.
    return page.replace(b"<script", f'<script nonce="{nonce}"'.encode())


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket bound before anything slow happens, so that a port in use is told at once."""
    if not 0 <= port <= 65535:
        raise SettingsError(f"port {port}: there is no such port. Take another one: --port 7860")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise SettingsError(f"{host}: not an address of this machine. Use --host 127.0.0.1") from error
    listener = socket.socket(family, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"port {port} of {host} cannot be had ({error.strerror}). Stop what uses it, or take another: "
            f"--port {port + 1 if port < 65535 else 7860}"
        ) from error
    return listener


def announce(answering_over: str, host: str, port: int) -> None:
    """Say in the terminal where the page is, and warn where others can reach it."""
    shown = f"[{host}]" if ":" in host else host
    print(f"Answering over {answering_over}\nOpen http://{shown}:{port} (Ctrl-C stops it)", flush=True)
    if host not in LOCAL_HOSTS:
        print(
            f"Warning: listening on {host}. Everyone who can reach this machine can read these documents, "
            "without a password.",
            file=sys.stderr,
            flush=True,
        )
