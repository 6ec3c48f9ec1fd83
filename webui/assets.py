"""The static files: addresses that carry a hash, so browsers keep them for ever, and answers from memory.

Pages find their addresses through `shell.asset`; the routes are `handle` and those of the favicon.
"""

import gzip
import hashlib
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from webui.parts import parts

ROOT = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".png": "image/png",
    ".ico": "image/x-icon",
}
PACKED = frozenset({".css", ".js", ".svg", ".txt"})
FOR_EVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=3600"


class Asset(NamedTuple):
    """One file, as it is sent."""

    digest: str
    type: str
    body: bytes
    packed: bytes | None


class Assets:
    """Reads each file once, at its first use."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._names = frozenset(
            str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.suffix in TYPES
        )
        self._known: dict[str, Asset] = {}

    def find(self, name: str) -> Asset | None:
        """A file by its name below the static directory; only names that were there at the start."""
        if name not in self._names:
            return None
        if name not in self._known:
            path = self._root / name
            body = path.read_bytes()
            packed = gzip.compress(body, 9, mtime=0) if path.suffix in PACKED else None
            digest = hashlib.sha256(body).hexdigest()[:8]
            self._known[name] = Asset(digest, TYPES[path.suffix], body, packed)
        return self._known[name]

    def address(self, name: str) -> str:
        """Where a page finds a file. A name that is not there is a mistake of the page: LookupError."""
        asset = self.find(name)
        if asset is None:
            raise LookupError(f"no static file {name}")
        return f"/static/{name}?v={asset.digest}"

    def answer(self, request: web.Request, name: str) -> web.Response:
        """A file, or that the browser's copy is still good. HTTPNotFound."""
        asset = self.find(name)
        if asset is None:
            raise web.HTTPNotFound
        versioned = request.query.get("v") == asset.digest or request.path.endswith(".woff2")
        headers = {
            "Content-Type": asset.type,
            "Cache-Control": FOR_EVER if versioned else A_WHILE,
            "ETag": f'"{asset.digest}"',
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        if asset.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=asset.packed, headers={**headers, "Content-Encoding": "gzip"})
        return web.Response(body=asset.body, headers=headers)


async def handle(request: web.Request) -> web.StreamResponse:
    """GET /static/{name}."""
    return parts(request).assets.answer(request, request.match_info["name"])


async def favicon(request: web.Request) -> web.StreamResponse:
    """GET /favicon.svg."""
    return parts(request).assets.answer(request, "favicon.svg")


async def lead_to_favicon(request: web.Request) -> web.StreamResponse:
    """GET /favicon.ico, which browsers ask for before they have read a page."""
    return web.Response(status=301, headers={"Location": "/favicon.svg", "Cache-Control": A_WHILE})
