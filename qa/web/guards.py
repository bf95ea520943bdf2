"""What every request and response passes: headers, known names, no orders from other sites, no huge bodies.

Knows HTTP alone; nothing here knows what the server does.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.web import strings

GRADIO = "/gradio"
"""Where Gradio is mounted: its page needs a policy of its own."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Gradio sets styles from scripts, hence 'unsafe-inline' for styles; scripts run by nonce or from here only.
_GRADIO_POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE = ("GET", "HEAD", "OPTIONS")
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
# Names that the public DNS does not resolve (RFC 6761, 6762, 8375; ICANN for .internal), or never had (.lan).
_PRIVATE = (".localhost", ".local", ".home.arpa", ".internal", ".lan")
# Gradio would fetch any address of the web for a caller, and hand it out as a page of this server.
_GRADIO_FILES = re.compile(rf"{GRADIO}/gradio_api/(file[=/]|proxy=|upload|stream/|deep_link)")


class SecurityHeaders:
    """Adds the headers, and to Gradio's scripts the nonce without which the browser runs none of them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # For its page alone: in anything else it hands out, scripts may be a stranger's.
        nonce = secrets.token_urlsafe(16) if scope["path"] in (GRADIO, f"{GRADIO}/") else ""
        page: Message | None = None
        body = b""

        async def guarded(message: Message) -> None:
            nonlocal page, body
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                add_headers(headers, nonce)
                # What people ask and what documents say stays out of the browser's cache.
                kept = scope["path"].startswith("/static/")
                headers.setdefault("Cache-Control", "no-cache" if kept else "no-store")
                if nonce and headers.get("content-type", "").startswith("text/html"):
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


def add_headers(headers: MutableHeaders, nonce: str = "") -> None:
    """Add what every response carries; ``nonce`` is that of Gradio's page."""
    headers["Content-Security-Policy"] = _GRADIO_POLICY.format(nonce=nonce) if nonce else _POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


def _with_nonce(page: bytes, nonce: str) -> bytes:
    # Gradio's template escapes "<" in all that it fills in, so every tag here is Gradio's own.
    return page.replace(b"<script", f'<script nonce="{nonce}"'.encode())


class KnownHosts:
    """Refuses requests by a name that a stranger could have pointed at this machine (DNS rebinding).

    Else a page of any site could reach a server that has no password, through a name of that site which
    resolves here: to the browser they would be one site. One that listens on this machine alone answers to
    this machine's own names. Others answer to addresses, to the name of the machine or the ``host`` they were
    started with, and to names that the public DNS does not resolve: who can make up one of these is in the
    same network, and can reach the server anyway.
    """

    def __init__(self, app: ASGIApp, *, host: str, refuse: Callable[[Request, int, str], Response]) -> None:
        self._app = app
        self._host = host
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket") or scope["path"].startswith("/static/"):
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("host", "")
        if is_known(asked, self._host):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            advice = strings.UNKNOWN_HOST_LOCAL if self._host in LOCAL_HOSTS else strings.UNKNOWN_HOST
            await self._refuse(Request(scope), 400, advice.format(asked))(scope, receive, send)


def is_known(asked: str, host: str) -> bool:
    """Return whether a server on ``host`` answers to a ``Host`` header, as :class:`KnownHosts` has it."""
    try:
        name = (urlsplit(f"//{asked}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if not name or host in LOCAL_HOSTS:
        return name in LOCAL_HOSTS
    if "." not in name or name.endswith(_PRIVATE) or name in (host.lower(), socket.gethostname().lower()):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class NoGradioFiles:
    """Refuses what Gradio does with files and other addresses: the endpoints here need none of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and _GRADIO_FILES.match(scope["path"]):
            await JSONResponse({"detail": strings.NOT_HERE}, 404)(scope, receive, send)
            return
        await self._app(scope, receive, send)


class SameOrigin:
    """Refuses orders that a page of another site made the browser send.

    A browser says where a request comes from; programs, which have no cookies to abuse, need not.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["method"] not in _SAFE and not _is_ours(Headers(scope=scope)):
            await JSONResponse({"detail": strings.OTHER_SITE}, 403)(scope, receive, send)
            return
        if scope["type"] == "http" and _arrives(scope):
            await HTMLResponse(strings.ARRIVING)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_ours(headers: Headers) -> bool:
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    # Without TLS, from another machine, browsers send only the latter.
    return origin is None or urlsplit(origin).netloc == headers.get("host", "")


def _arrives(scope: Scope) -> bool:
    """Whether a link of another site leads here: then the browser keeps back our cookies.

    The page loads itself once more, with them, where a server that took it for a new browser would
    give it new ones in place of those it has.
    """
    headers = Headers(scope=scope)
    return (
        scope["method"] == "GET"
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-site") in ("cross-site", "same-site")
    )


class BodyLimit:
    """Refuses bodies beyond ``most`` bytes, on paths beginning with ``exempt`` beyond ``exempt_most``."""

    def __init__(self, app: ASGIApp, most: int, exempt: str, exempt_most: int) -> None:
        self._app = app
        self._most = most
        self._exempt = exempt
        self._exempt_most = exempt_most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._exempt_most if scope["path"].startswith(self._exempt) else self._most
        detail = strings.TOO_LARGE.format(most // 1_000_000)
        told = Request(scope).headers.get("content-length", "0")
        if not told.isdigit() or int(told) > most:
            await JSONResponse({"detail": detail}, 413)(scope, receive, send)
            return
        got = 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > most:
                raise HTTPException(413, detail)
            return message

        await self._app(scope, counted, send)
