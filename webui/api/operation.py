"""How an operation of the HTTP API is declared: method, path, who may, what it takes, what it answers.

`webui.api.operations` lists them all; from that one list come the routes (`webui.routes`), the validation of what a
request brings (`webui.api.call`) and the OpenAPI document (`webui.api.openapi`).
"""

import re
from typing import NamedTuple

import msgspec

from webui.auth.rules import Access, Door

JSON = "application/json"
TEXT = "text/plain"


class Error(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not carried out, as a sentence that says what to do."""

    error: str


class Operation(NamedTuple):
    """One method at one path. The handler (`module:function` below `webui`) is given `id_`, `query` and `body` by name,
    those that are declared, and returns a `reply`; one that is `raw` is given the request alone and answers itself.

    `optional`: the body may be missing, and is its type's defaults then. `errors`: statuses beyond those that follow
    from the rest. `error` and `media` are for protocols of others, whose errors and answers have shapes of their own;
    `media` without a `reply` is a file. `foreign` says what their bodies are, JSON or text; `streamed`: as what an
    answer may come instead. `door`: what counts besides a token. `grants`: it lets others in, or lets them do more, as
    `webui.routes.Route` has it.
    """

    method: str
    path: str
    handler: str
    access: Access
    tag: str
    summary: str
    reply: type[msgspec.Struct] | None
    status: int = 200
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    optional: bool = False
    errors: tuple[int, ...] = ()
    raw: bool = False
    media: str = JSON
    error: type[msgspec.Struct] = Error
    door: Door = Door.NONE
    foreign: str = ""
    streamed: str = ""
    grants: bool = False

    @property
    def address(self) -> str:
        """The path as documents write it, without the patterns of its parameters."""
        return re.sub(r":[^}]+", "", self.path)

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters in the path."""
        return re.findall(r"{(\w+)", self.path)

    @property
    def name(self) -> str:
        """The operation's id in the document: `sessions_list`."""
        words = re.sub(r"\W+", "_", self.address.removeprefix("/api/v1").replace("{id}", "one")).strip("_")
        return f"{self.method.lower()}_{words}"

    def statuses(self) -> list[int]:
        """Every status that it may answer with but its own and 500, which is a fault."""
        found = {421, *self.errors}
        if self.access is not Access.PUBLIC:
            # Signing in, and whatever reads the database or asks the worker.
            found |= {401, 403, 429, 503, 504}
            found |= {507} if self.method != "GET" else set()
        if self.parameters:
            found.add(404)
        if self.query is not None or self.body is not None:
            found.add(400)
        if self.body is not None:
            found |= {413, 415}
        if self.foreign:
            found |= {400, 413}
        return sorted(found)
