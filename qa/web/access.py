"""Who may in, and whose conversations are whose: the password, signed cookies, and waits for those who guess.

Knows requests and cookies; knows nothing of documents.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from fastapi import Request, Response
from filelock import FileLock
from itsdangerous import BadSignature, Signer, TimestampSigner
from starlette.datastructures import URL
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from index.errors import SettingsError
from qa.web import strings

KEY_BYTES = 32
_OWNER_DAYS = 400  # the longest that browsers keep a cookie
_SESSION_DAYS = 30
_DAY = 86_400
# Reached without a password: the login itself, what it looks like, the way out, and whether the server lives.
_OPEN = ("/login", "/logout", "/healthz", "/static/", "/favicon.ico")


def load_key(path: Path) -> bytes:
    """Return the secret that signs cookies, made on first use and readable by its owner alone.

    Raises:
        SettingsError: it cannot be read or made, or is damaged.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Of two servers that start at once for the first time, one makes it and the other waits.
            with FileLock(path.with_suffix(".lock")):
                if not path.exists():
                    _make_key(path)
        path.chmod(0o600)
        key = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}. Point VERBATIM_HOME to a folder of yours.") from error
    if len(key) != KEY_BYTES:
        raise SettingsError(f"{path}: damaged. Delete it; a new one is made, and browsers start anew.")
    return key


def _make_key(path: Path) -> None:
    """Write a new key under a name of its own first: who looks for it finds all of it, or nothing."""
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


class Throttle:
    """Makes those wait who fail again and again: after ``free`` failures one second, doubled each time.

    One entry an IPv4 address, or an IPv6 network of one customer (/64). At most ``most`` entries are kept,
    the latest. ``clock`` returns seconds.
    """

    def __init__(
        self,
        free: int = 5,
        longest: float = 900.0,
        most: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = free
        self._longest = longest
        self._most = most
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return for how many seconds nothing from this address is looked at."""
        failures, since = self._failures.get(_network(address), (0, 0.0))
        if failures < self._free:
            return 0.0
        due = min(self._longest, 2.0 ** min(failures - self._free, 30))
        return max(0.0, since + due - self._clock())

    def failed(self, address: str) -> None:
        """Remember a failure."""
        network = _network(address)
        failures, _ = self._failures.pop(network, (0, 0.0))
        self._failures[network] = (failures + 1, self._clock())
        if len(self._failures) > self._most:
            self._failures.popitem(last=False)

    def passed(self, address: str) -> None:
        """Forget the failures of an address."""
        self._failures.pop(_network(address), None)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        # A server that listens on "::" sees IPv4 addresses so: else they would all be one network.
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class Access:
    """Signs cookies with the key of one installation, and knows its password, where there is one."""

    def __init__(self, key: bytes, password: str | None = None) -> None:
        # Two servers of one machine share its cookies, whatever their ports: each signs and reads its own.
        mark = hashlib.sha256(key).hexdigest()[:8]
        self.owner_cookie = f"verbatim_owner_{mark}"
        self.session_cookie = f"verbatim_session_{mark}"
        self.password = password
        self.throttle = Throttle()
        self._owners = Signer(key, salt="owner", digest_method=hashlib.sha256)
        # A new password ends all sessions.
        of_password = hmac.digest(key, (password or "").encode(), "sha256")
        self._sessions = TimestampSigner(of_password, salt="session", digest_method=hashlib.sha256)

    # Whose conversations

    def owner(self, request: Request) -> str | None:
        """Return who the browser is, or ``None`` where it carries no cookie of ours."""
        try:
            return self._owners.unsign(request.cookies.get(self.owner_cookie, "")).decode("ascii")
        except BadSignature:
            return None

    def remember_owner(self, request: Request, response: Response, owner: str | None) -> str:
        """Let the browser keep who it is, someone new where it is no one yet; return who it is."""
        owner = owner or secrets.token_urlsafe(16)
        signed = self._owners.sign(owner).decode("ascii")
        _set_cookie(request, response, self.owner_cookie, signed, _OWNER_DAYS)
        return owner

    # The password

    def is_let_in(self, request: Request) -> bool:
        """Whether there is no password, or the browser has given it."""
        if self.password is None:
            return True
        try:
            self._sessions.unsign(request.cookies.get(self.session_cookie, ""), max_age=_SESSION_DAYS * _DAY)
        except BadSignature:
            return False
        return True

    def let_in(self, request: Request, response: Response) -> None:
        """Let the browser keep that it gave the password."""
        signed = self._sessions.sign("in").decode("ascii")
        _set_cookie(request, response, self.session_cookie, signed, _SESSION_DAYS)

    def wait(self, request: Request) -> float:
        """Return for how many seconds no password from this address is looked at."""
        return self.throttle.wait(_address(request))

    def check(self, request: Request, given: str) -> bool:
        """Compare a password in constant time, and remember how that went. Ask :meth:`wait` first."""
        right = hmac.compare_digest(
            hashlib.sha256((self.password or "").encode()).digest(),
            hashlib.sha256(given.encode("utf-8", "surrogatepass")).digest(),
        )
        if right:
            self.throttle.passed(_address(request))
        else:
            self.throttle.failed(_address(request))
        return right


def _set_cookie(request: Request, response: Response, name: str, value: str, days: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=days * _DAY,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def given_password(request: Request) -> str | None:
    """Return the password of the ``Authorization`` header: ``Bearer PASSWORD``, or ``Basic`` of any name."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        # Headers are read as Latin-1; programs write UTF-8.
        return value.strip().encode("latin-1").decode("utf-8", "replace")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return None


def local_path(path: str) -> str:
    """Return a path of this server to go on to; whatever leads elsewhere becomes the first page."""
    url = URL(path)
    if not path.startswith("/") or path.startswith(("//", "/\\")) or url.netloc or not path.isprintable():
        return "/"
    return path


class RequirePassword:
    """Lets no request through without the password, but for :data:`_OPEN`."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket") or scope["path"].startswith(_OPEN):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        refused = self._refusal(Request(scope))
        await (refused or self._app)(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        if self._access.is_let_in(request):
            return None
        given = given_password(request)
        if given is None and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(str(URL("/login").include_query_params(next=_onward(request))), 303)
        if wait := self._access.wait(request):
            return too_many(wait)
        if given is not None and self._access.check(request, given):
            return None
        return JSONResponse(
            {"detail": strings.PASSWORD_NEEDED}, 401, {"WWW-Authenticate": 'Bearer realm="Verbatim"'}
        )


def _onward(request: Request) -> str:
    """Return where a login leads on to: a page, never what was sent."""
    if request.method != "GET":
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def too_many(wait: float) -> JSONResponse:
    """Return the answer to those who have to wait."""
    seconds = int(wait) + 1
    return JSONResponse({"detail": strings.WAIT.format(seconds=seconds)}, 429, {"Retry-After": str(seconds)})
