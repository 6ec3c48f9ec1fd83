"""What describes the API: the OpenAPI document as JSON and as YAML, and the page that shows it.

The document is made once a process, with the first request. The page lists the operations by itself; where scripts
run, the vendored viewer takes the list's place.
"""

import gzip
from functools import cache
from typing import NamedTuple

import msgspec
from aiohttp import web

from schema.version import VERSION
from webui import shell
from webui.api.operation import Operation
from webui.api.operations import OPERATIONS
from webui.auth.rules import Access
from webui.negotiation import is_json

YAML = "application/yaml"


class Line(NamedTuple):
    """One operation in the list."""

    method: str
    path: str
    summary: str
    role: str


class Group(NamedTuple):
    """The operations of one subject."""

    name: str
    lines: list[Line]


class ApiPage(NamedTuple):
    """The page's context."""

    shell: shell.Shell
    stream: None
    groups: list[Group]


@cache
def _json() -> bytes:
    from webui.api import openapi

    return msgspec.json.encode(openapi.document(OPERATIONS, VERSION))


@cache
def _yaml() -> bytes:
    import yaml

    text: str = yaml.safe_dump(msgspec.json.decode(_json()), sort_keys=False, allow_unicode=True, width=120)
    return text.encode()


def _answer(request: web.Request, body: bytes, kind: str) -> web.Response:
    headers = {"Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body, headers["Content-Encoding"] = gzip.compress(body, 6, mtime=0), "gzip"
    return web.Response(body=body, content_type=kind, charset="utf-8" if kind == YAML else None, headers=headers)


async def as_json(request: web.Request) -> web.StreamResponse:
    """GET /api/v1/openapi.json."""
    return _answer(request, _json(), "application/json")


async def as_yaml(request: web.Request) -> web.StreamResponse:
    """GET /api/openapi.yaml."""
    return _answer(request, _yaml(), YAML)


def groups(operations: tuple[Operation, ...]) -> list[Group]:
    """The operations by subject."""
    found: dict[str, list[Line]] = {}
    for one in operations:
        role = "everybody" if one.access is Access.PUBLIC else one.access.value
        found.setdefault(one.tag, []).append(Line(one.method, one.address, one.summary, role))
    return [Group(name, lines) for name, lines in found.items()]


async def show(request: web.Request) -> web.StreamResponse:
    """GET /api/docs/; as JSON, the document that it shows."""
    if is_json(request):
        response = await as_json(request)
        response.headers["Vary"] = "Accept, Accept-Encoding"
        return response
    context = ApiPage(shell.build(request, "API", "api"), None, groups(OPERATIONS))
    return shell.page(request, "api.html", context)


async def lead_on(request: web.Request) -> web.StreamResponse:
    """GET /api/docs."""
    return web.Response(status=308, headers={"Location": "/api/docs/"})
