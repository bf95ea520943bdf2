"""One FastAPI app: the page, the interface for programs, Gradio's endpoints. Opens the port and serves."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import gradio as gr
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from index.errors import SettingsError, VerbatimError
from index.home import home
from index.load.files import MAX_BYTES
from qa.conversations import Conversations
from qa.web import access as gate
from qa.web import api, chat, gradio_endpoints, pages
from qa.web.access import Access, RequirePassword
from qa.web.corpus import Corpus, open_corpus
from qa.web.guards import GRADIO, BodyLimit, NoGradioFiles, SameOrigin, SecurityHeaders
from qa.web.service import Service

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
PASSWORD = "VERBATIM_PASSWORD"  # noqa: S105 - the variable's name
_STATIC = Path(__file__).parent / "static"
_MAX_BODY = 1_000_000
_DESCRIPTION = "Ask a folder of documents a question; get the answer word for word, cited, offline."


def serve(
    paths: Sequence[Path],
    index: Path | None,
    host: str,
    port: int,
    *,
    password: bool = False,
    auth: bool = True,
) -> None:
    """Serve the chat until Ctrl-C.

    Args:
        paths: files and folders to answer over; where there are none, the index.
        index: an index's folder; by default the user's own, else the documents that come with Verbatim.
        host: the address to listen on. One that others can reach needs a password.
        port: the port to listen on.
        password: whether to ask for a password in the terminal, unless ``VERBATIM_PASSWORD`` names one.
        auth: ``False`` lets everyone in who can reach the address.

    Raises:
        VerbatimError: the port cannot be had, or the documents cannot be read. The message names the fix.
    """
    secret = choose_password(host, wanted=password, auth=auth)
    listener = _listen(host, port)
    with listener, contextlib.closing(Conversations()) as conversations:
        access = Access(gate.load_key(home() / "cookies.key"), secret)
        corpus = open_corpus(paths, index)
        with corpus.assistant:
            app = create_app(corpus, conversations, access, local=host in LOCAL_HOSTS)
            announce(corpus.name, host, listener.getsockname()[1], protected=secret is not None)
            # An open page may hold a connection: it must not hold up Ctrl-C.
            config = uvicorn.Config(
                app, log_level="warning", timeout_graceful_shutdown=1, server_header=False
            )
            uvicorn.Server(config).run(sockets=[listener])


def choose_password(host: str, *, wanted: bool, auth: bool) -> str | None:
    """Return the password of the server, or ``None`` for none.

    Raises:
        SettingsError: others could reach the server, and there is neither a password nor ``--no-auth``.
    """
    given = os.environ.get(PASSWORD)
    if not auth:
        if wanted:
            raise SettingsError("--password and --no-auth exclude each other: leave one out")
        return None
    if wanted and not given:
        given = getpass.getpass("Password for the page: ")
        if not given:
            raise SettingsError("the password is empty: type one, or leave --password out")
    if not given and host not in LOCAL_HOSTS:
        raise SettingsError(
            f"others could reach {host} and read these documents. Set a password with --password or "
            f"{PASSWORD}, or let everyone in with --no-auth"
        )
    return given or None


def create_app(
    corpus: Corpus, conversations: Conversations, access: Access, *, local: bool = True
) -> FastAPI:
    """Return the app over one corpus; a ``local`` one answers only to this machine's own names."""
    served = Service(corpus, conversations, access)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        served.close()

    app = FastAPI(
        title="Verbatim",
        description=_DESCRIPTION,
        docs_url=None,  # its page would be fetched from elsewhere
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    app.state.service = served
    app.add_exception_handler(VerbatimError, chat.problem)
    app.add_exception_handler(HTTPException, _told)

    @app.api_route("/healthz", methods=["GET", "HEAD"], include_in_schema=False)
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.api_route("/favicon.ico", methods=["GET", "HEAD"], include_in_schema=False)
    async def icon() -> RedirectResponse:
        # Browsers ask for it wherever a page names no icon, JSON shown as a page among them.
        return RedirectResponse("/static/icon.svg", 308)

    app.mount("/static", StaticFiles(directory=_STATIC))
    for router in (api.router, chat.router, pages.router):
        app.include_router(router)
    _mount_gradio(app, served)
    app.add_middleware(NoGradioFiles)
    app.add_middleware(_GradioAtRoot)
    # The last one added is the first that a request meets.
    app.add_middleware(RequirePassword, access=access)
    app.add_middleware(SameOrigin)
    app.add_middleware(BodyLimit, most=_MAX_BODY, exempt="/api/documents", exempt_most=MAX_BYTES + _MAX_BODY)
    if local:
        # Else any web page could reach it through a name that resolves to this machine.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL_HOSTS, "[::1]"])
    app.add_middleware(SecurityHeaders)
    return app


def _mount_gradio(app: FastAPI, served: Service) -> None:
    gr.mount_gradio_app(
        app,
        gradio_endpoints.build(served),
        path=GRADIO,
        footer_links=[],
        run_history=False,
        show_error=True,
        blocked_paths=[str(home())],
        max_file_size=1,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
    )


class _GradioAtRoot:
    """Lets ``gradio_client`` be given the page's own address: what it asks for there is handed to Gradio."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == "/config" or path.startswith("/gradio_api/"):
            scope = {**scope, "path": GRADIO + path, "raw_path": (GRADIO + path).encode()}
        await self._app(scope, receive, send)


def _told(request: Request, error: Exception) -> Response:
    """Return what is wrong as JSON to scripts and programs, as a page to people."""
    status, detail = (error.status_code, str(error.detail)) if isinstance(error, HTTPException) else (500, "")
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(pages.problem(detail), status)
    return JSONResponse({"detail": detail}, status)


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


def announce(answering_over: str, host: str, port: int, *, protected: bool) -> None:
    """Say in the terminal where the page is, and warn where everyone can reach it."""
    shown = f"[{host}]" if ":" in host else host
    print(f"Answering over {answering_over}\nOpen http://{shown}:{port} (Ctrl-C stops it)", flush=True)
    if host not in LOCAL_HOSTS:
        print(
            "The password and the documents travel unencrypted: put a proxy with TLS before it."
            if protected
            else f"Warning: listening on {host}. Everyone who can reach this machine can read and remove "
            "these documents, without a password.",
            file=sys.stderr,
            flush=True,
        )
