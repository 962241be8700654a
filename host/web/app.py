"""The page's web application."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from .guard import HEALTH, Guard
from .metrics import CONTENT_TYPE, Metrics
from .prefixes import BusyError, Prefixes
from .state import State
from .stream import Stream

STATIC = Path(__file__).parent / "static"
_FOR_EVER = {"cache-control": "private, max-age=31536000, immutable"}
_FRESH = {"cache-control": "no-cache"}


class Pages:
    """The answers to all requests."""

    def __init__(self, state: State, metrics: Metrics, prefixes: Prefixes, stream: Stream) -> None:
        self._state = state
        self._metrics = metrics
        self._prefixes = prefixes
        self._stream = stream

    def app(self, token: str, on_refused: Callable[[str], None]) -> ASGIApp:
        """Return the application, guarded by a token; an empty one: for this computer only."""
        routes = [
            Route("/", self._index),
            Route("/cam/{camera:int}/{number:int}/rev/{revision:int}.webp", self._revision),
            Route("/api/pictures", self._pictures),
            Route("/api/pictures/{number:int}", self._picture),
            Route("/metrics", self._figures),
            Route("/events", self._stream),
            Route(HEALTH, self._health),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
        return Guard(Starlette(routes=routes, exception_handlers={HTTPException: _plain}), token, on_refused)

    async def _index(self, _request: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers=_FRESH)

    async def _revision(self, request: Request) -> Response:
        """Return a picture as it was after so many packets."""
        camera, number, revision = (request.path_params[name] for name in ("camera", "number", "revision"))
        picture = self._state.picture(number)
        if picture is None or picture.source != camera or not 1 <= revision <= picture.revision:
            raise HTTPException(404, "there is no such picture any more")
        packets = [packet for packet, _ in picture.packets[:revision]]
        try:
            content = await self._prefixes.get((number, revision), packets)
        except (BusyError, RuntimeError):  # too many wait, or the page is ending
            raise HTTPException(503, "too many pictures wait to be decoded", {"retry-after": "1"}) from None
        return Response(content, media_type="image/webp", headers=_FOR_EVER)

    async def _pictures(self, _request: Request) -> Response:
        """Return the last pictures of all cameras, the newest first."""
        pictures = [picture for camera in self._state.cameras.values() for picture in camera.pictures]
        pictures.sort(key=lambda picture: picture.number, reverse=True)
        return JSONResponse([picture.as_json() for picture in pictures], headers=_FRESH)

    async def _picture(self, request: Request) -> Response:
        picture = self._state.picture(request.path_params["number"])
        if picture is None:
            raise HTTPException(404, "there is no such picture any more")
        return JSONResponse(picture.as_json(), headers=_FRESH)

    async def _figures(self, _request: Request) -> Response:
        metrics, state = self._metrics, self._state
        metrics.serving.set(not state.trouble)
        metrics.viewers.set(self._stream.viewers)
        for source, camera in state.cameras.items():
            metrics.link_up.labels(str(source)).set(camera.state == "up")
            metrics.goodput.labels(str(source)).set(camera.goodput_bps[-1] if camera.goodput_bps else 0)
            metrics.queue.labels(str(source)).set(camera.waiting)
            if camera.rssi_dbm is not None:
                metrics.rssi.labels(str(source)).set(camera.rssi_dbm)
        return Response(metrics.text(), media_type=CONTENT_TYPE, headers=_FRESH)

    async def _health(self, _request: Request) -> Response:
        """Return 200 while the server has its board. Whoever asks learns no more, since no token is needed."""
        text, status = ("not serving", 503) if self._state.trouble else ("serving", 200)
        return PlainTextResponse(f"{text}\n", status, _FRESH)


async def _plain(_request: Request, error: Any) -> Response:
    return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)
