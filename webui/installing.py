"""What makes the dashboard an application of a phone: manifest, service worker, the page for when nothing answers.

The service worker keeps the page for that moment and the few files that it needs, under a name made of their content,
so an upgrade replaces them. No page, JSON, stream or form of anybody goes through a cache.
"""

import hashlib
from typing import NamedTuple

import aiohttp_jinja2
import msgspec
from aiohttp import web

from webui import shell
from webui.parts import Parts, parts

OFFLINE = "/offline"
# What the page for that moment is made of; fonts by their plain names, as app.css has them.
FILES = ("app.css", "live.js", "favicon.svg")
FONTS = ("/static/inter-5.3.0.woff2",)
NAME = "Claude Ops"
DARK = "#15181d"
ICONS = (
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("icon-maskable-512.png", "512x512", "maskable"),
)
SHORTCUTS = (("Approvals", "/approvals"), ("Sessions", "/sessions"), ("Queue", "/triggers"))


class OfflinePage(NamedTuple):
    """The page's context: no name, no token, nothing of whoever is signed in."""

    shell: shell.Shell


async def manifest(request: web.Request) -> web.StreamResponse:
    """GET /manifest.webmanifest."""
    assets = parts(request).assets
    icons = [
        {"src": assets.address(file), "sizes": sizes, "type": "image/png", "purpose": purpose}
        for file, sizes, purpose in ICONS
    ]
    told = {
        "id": "/",
        "name": NAME,
        "short_name": NAME,
        "description": "Watches services, and lets sessions investigate and repair what breaks.",
        "lang": "en",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": DARK,
        "theme_color": DARK,
        "icons": icons,
        "shortcuts": [{"name": name, "url": url} for name, url in SHORTCUTS],
    }
    return web.Response(
        body=msgspec.json.encode(told),
        content_type="application/manifest+json",
        headers={"Cache-Control": "no-cache"},
    )


def kept(here: Parts) -> list[str]:
    """The addresses that the service worker keeps; all but the page itself carry their content's hash or version."""
    return [OFFLINE, *(here.assets.address(file) for file in FILES), *FONTS]


def _offline(request: web.Request) -> str:
    context = OfflinePage(shell.build(request, "Not reachable"))
    return aiohttp_jinja2.render_string("offline.html", request, context._asdict())


async def service_worker(request: web.Request) -> web.StreamResponse:
    """GET /sw.js: its bytes differ with each build, which is how browsers notice a new one."""
    here = parts(request)
    addresses = kept(here)
    content = "\n".join([here.version, *addresses, _offline(request)])
    build = f"{here.version}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    context = {"build": build, "kept": addresses, "offline": OFFLINE}
    return web.Response(
        text=aiohttp_jinja2.render_string("sw.js", request, context),
        content_type="text/javascript",
        charset="utf-8",
        headers={"Cache-Control": "no-cache", "Service-Worker-Allowed": "/"},
    )


async def offline(request: web.Request) -> web.StreamResponse:
    """GET /offline: what the service worker shows while nothing answers. It is the same for everybody."""
    return web.Response(text=_offline(request), content_type="text/html", charset="utf-8")
