"""One FastAPI app: the page, the interface for programs, Gradio's endpoints. Opens the port and serves."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from index.errors import SettingsError, StoreError, UnknownConversation, VerbatimError
from index.home import home
from index.load.files import MAX_BYTES
from qa.conversations import Conversations
from qa.web import access as gate
from qa.web import api, chat, gradio_endpoints, pages, strings
from qa.web.access import Access, RequirePassword
from qa.web.corpus import Corpus, open_corpus
from qa.web.guards import (
    GRADIO,
    LOCAL_HOSTS,
    BodyLimit,
    KnownHosts,
    NoGradioFiles,
    SameOrigin,
    SecurityHeaders,
    add_headers,
)
from qa.web.schemas import Problem
from qa.web.service import Service

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
            app = create_app(corpus, conversations, access, host=host)
            announce(corpus.name, host, listener.getsockname()[1], protected=secret is not None)
            uvicorn.Server(configured(app)).run(sockets=[listener])


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


def configured(app: FastAPI) -> uvicorn.Config:
    """Return how the app is served.

    A proxy on this machine is believed about whom it speaks for (``X-Forwarded-For``, ``X-Forwarded-Proto``):
    so one who guesses passwords does not make all others wait, and cookies are for TLS alone. For a proxy on
    another machine set uvicorn's ``FORWARDED_ALLOW_IPS`` to its address. Anyone else is not believed.
    """
    # An open page may hold a connection: it must not hold up Ctrl-C.
    return uvicorn.Config(
        app, log_level="warning", timeout_graceful_shutdown=1, server_header=False, proxy_headers=True
    )


def create_app(
    corpus: Corpus, conversations: Conversations, access: Access, *, host: str = "127.0.0.1"
) -> FastAPI:
    """Return the app over one corpus; ``host`` is the address it will listen on."""
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
        responses={422: {"model": Problem}},
    )
    app.state.service = served
    for kind in (VerbatimError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _problem)

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
    if access.password is None:
        # With a password none is needed: browsers send the cookie, which is SameSite=strict, only to the name
        # it was given under. A proxy with TLS may hand on whatever name it has.
        app.add_middleware(KnownHosts, host=host, refuse=_told)
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


def _problem(request: Request, error: Exception) -> Response:
    """Return what is to be said of an error."""
    match error:
        case HTTPException():
            nameless = error.detail == HTTPStatus(error.status_code).phrase
            told = _told(request, error.status_code, strings.NOT_HERE if nameless else str(error.detail))
            told.headers.update(error.headers or {})
            return told
        case RequestValidationError():
            return _told(request, 422, "; ".join(map(_sentence, error.errors())))
        case UnknownConversation():
            return _told(request, 404, str(error))
        case StoreError():
            return _told(request, 503, str(error))
        case VerbatimError():
            return _told(request, 422, str(error))
    # A bug: the log tells it. This is answered outside of everything that adds headers.
    told = _told(request, 500, strings.BROKEN)
    add_headers(told.headers)
    return told


def _sentence(error: Mapping[str, Any]) -> str:
    """Return in words what pydantic found wrong with a value of a request."""
    kind, *names = error["loc"]
    return f"{'.'.join(map(str, names)) or kind}: {error['msg']}"


def _told(request: Request, status: int, detail: str) -> Response:
    """Return what is wrong as JSON to scripts and programs, as a page to people."""
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
