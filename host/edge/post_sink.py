"""Sends each answered picture to a web server: ``recv --post URL``."""

from __future__ import annotations

import base64
import http.client
import secrets
import threading
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from typing import IO, NoReturn

from ..errors import Reason
from ..text import json_line
from ..version import __version__
from .answered import AnsweredPicture
from .sink import SinkError, webp

#: How long the server may let one read or write wait, s.
TIMEOUT_S = 5.0
#: Pauses before the second and the following attempts, s.
PAUSES_S = (0.5, 2.0)
#: Statuses of HTTP after which another attempt may succeed (RFC 9110; 429: RFC 6585), beside those from 500.
_MAY_PASS = frozenset({408, 425, 429})
#: Bytes of the server's answer that are read, so that the connection ends in order. They are not used.
_READ_BYTES = 1 << 16


class PostSink:
    """Sends pictures by HTTP POST, as a form (``multipart/form-data``, RFC 7578) with two parts.

    ``json`` is the line of JSON, the fields of ``AnsweredPicture``; ``picture`` is the decoded picture as a WebP file,
    if anything could be decoded. Attempts that fail for a cause that may pass are repeated, twice. Redirections are not
    followed. A name and a password in the address are sent by the method Basic (RFC 7617).

    Args:
        url: the address, http or https.
        timeout_s: how long the server may let one read or write wait, s.
        pauses_s: pauses before the second and the following attempts, s.
    """

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S, pauses_s: tuple[float, ...] = PAUSES_S) -> None:
        """Check the address. Raises SinkError."""
        try:
            parts = urllib.parse.urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise SinkError(f"--post: not an address ({error})", reason=Reason.BAD_USAGE) from None
        if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable():
            raise SinkError("--post: an address begins with http:// or https://", reason=Reason.BAD_USAGE)
        place = f"[{host}]" if ":" in host else host
        place = place if port is None else f"{place}:{port}"
        self._url = urllib.parse.urlunsplit((parts.scheme, place, parts.path or "/", parts.query, ""))
        #: Without name, password and query, which may be secret.
        self.name = f"--post {urllib.parse.urlunsplit((parts.scheme, place, parts.path, '', ''))}"
        self._headers = {"User-Agent": f"pnc-link/{__version__}"}
        if parts.username is not None:
            pair = ":".join(map(urllib.parse.unquote, (parts.username, parts.password or "")))
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        self._timeout_s = timeout_s
        self._pauses_s = pauses_s
        self._opener = urllib.request.build_opener(_NoRedirection)
        self._is_over = threading.Event()

    def deliver(self, answered: AnsweredPicture) -> None:
        boundary = secrets.token_hex(16)
        request = urllib.request.Request(
            self._url,
            data=_form(answered, boundary),
            headers={**self._headers, "Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        for pause_s in (*self._pauses_s, None):
            failure, may_pass = self._attempt(request)
            if not failure:
                return
            if not may_pass:
                raise SinkError(f"{self.name}: {failure}")
            if pause_s is not None and self._is_over.wait(pause_s):
                break
        raise SinkError(f"{self.name}: {failure}, {1 + len(self._pauses_s)} times: a picture is left out")

    def abort(self) -> None:
        self._is_over.set()

    def _attempt(self, request: urllib.request.Request) -> tuple[str, bool]:
        """Send once. Return why it failed, empty if it did not, and whether another attempt may succeed."""
        try:
            with self._opener.open(request, timeout=self._timeout_s) as reply:
                reply.read(_READ_BYTES)
        except urllib.error.HTTPError as error:
            error.close()
            return f"the server answers {error.code}", error.code >= 500 or error.code in _MAY_PASS
        except TimeoutError:
            return f"no answer within {self._timeout_s:g} s", True
        except urllib.error.URLError as error:
            cause = error.reason
            if isinstance(cause, TimeoutError):
                return f"no answer within {self._timeout_s:g} s", True
            return str(getattr(cause, "strerror", None) or cause), True
        except (OSError, http.client.HTTPException) as error:
            return f"the connection broke off ({type(error).__name__})", True
        return "", False


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    """Reports a redirection as an error: urllib would repeat the request without its content."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, _newurl: str
    ) -> NoReturn:
        raise urllib.error.HTTPError(req.full_url, code, msg, headers, fp)


def _form(answered: AnsweredPicture, boundary: str) -> bytes:
    parts = [("json", "picture.json", "application/json", json_line(answered.as_json()).encode())]
    if answered.pixels is not None:
        parts.append(("picture", "picture.webp", "image/webp", webp(answered.pixels)))
    form = b""
    for name, file, kind, content in parts:
        head = f'Content-Disposition: form-data; name="{name}"; filename="{file}"\r\nContent-Type: {kind}\r\n\r\n'
        form += f"--{boundary}\r\n{head}".encode() + content + b"\r\n"
    return form + f"--{boundary}--\r\n".encode()
