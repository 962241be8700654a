"""Who may see the page: an ASGI layer before everything else."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "pnc_token"
#: What needs neither a token nor a name of this computer: it says whether the server serves.
HEALTH = "/health"
#: How long a browser keeps the token, s: a month.
_COOKIE_S = 30 * 86_400
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_LOCAL = ("localhost", "localhost.localdomain")


class Guard:
    """Refuses who has no token, requests that another site's page makes, and methods other than GET and HEAD.

    Without a token the page is on loopback only. Then a request must name loopback as its host: a name that an attacker
    has made point to 127.0.0.1 is refused.
    """

    def __init__(self, app: ASGIApp, token: str, on_refused: Callable[[str], None]) -> None:
        """Guard ``app``. ``on_refused`` is called with a line about each wrong token."""
        self._app = app
        self._token = token
        self._on_refused = on_refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope)
        await (self._app if refusal is None else refusal)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if scope["method"] not in ("GET", "HEAD"):
            return _text("only GET is possible here", 405)
        if scope["path"] == HEALTH:
            return None
        host = headers.get("host", "")
        origin = headers.get("origin")
        is_foreign = origin is not None and urlsplit(origin).netloc != host
        from_elsewhere = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if is_foreign or (from_elsewhere and headers.get("sec-fetch-mode") != "navigate"):
            return _text("a page of another site may not read this one", 403)
        if not self._token:
            return None if _is_local(host) else _text("this page is for this computer only: use its own address", 403)
        return self._check_token(scope, headers)

    def _check_token(self, scope: Scope, headers: Headers) -> Response | None:
        """Return None for the right token; with one in the address, an answer that moves it into a cookie."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = next((value for name, value in query if name == "token"), None)
        if given is not None:
            if not self._is_right(given):
                return self._refused(scope)
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            response = RedirectResponse(scope["path"] + (f"?{rest}" if rest else ""), 303)
            response.set_cookie(COOKIE, given, max_age=_COOKIE_S, httponly=True, samesite="strict")
            return response
        bearer = headers.get("authorization", "")
        if bearer:
            return None if self._is_right(bearer.removeprefix("Bearer ").strip()) else self._refused(scope)
        cookie = _cookie(headers.get("cookie", ""))
        if cookie is None:
            return _text("a token is needed: open the address that recv printed, with ?token=...", 401)
        return None if self._is_right(cookie) else self._refused(scope)

    def _refused(self, scope: Scope) -> Response:
        client = scope.get("client")
        self._on_refused(f"the page was asked for with a wrong token, from {client[0] if client else 'somewhere'}")
        return _text("the token is wrong: open the address that recv printed at its start", 401)

    def _is_right(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self._token.encode())


def _is_local(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name in _LOCAL or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _cookie(header: str) -> str | None:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return None if morsel is None else morsel.value


def _text(text: str, status: int) -> Response:
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    return PlainTextResponse(f"{text}\n", status, headers)


def _with_headers(send: Send) -> Send:
    """Return a ``send`` that adds headers which keep a browser from loading or showing anything else."""

    async def send_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            more = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
            message["headers"] = [*message.get("headers", []), *more]
        await send(message)

    return send_more
