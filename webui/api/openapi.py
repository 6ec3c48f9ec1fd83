"""The OpenAPI 3.1 document, made from the declared operations. Imported with the first request for it.

Called by `webui.api.docs` and by tests. The schemas are those that the requests are validated with.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

from ipc.messages.alerts import SOURCES
from schema.access import Scope
from webui.api.operation import JSON, TEXT, Operation
from webui.auth.rules import SAFE_METHODS, Access, Door

REFERENCE = "#/components/schemas/{name}"
BEARER = "token"
COOKIE = "browser"
ABOUT = (
    "What the dashboard shows, for programs. Show an API token as `Authorization: Bearer`; `claudeopsctl token create` "
    'makes one. A failure is `{"error": sentence}`. Times are UTC, in RFC 3339; money is US dollars.'
)
TAGS = {
    "status": "How it is.",
    "services": "What is probed, what was found, incidents.",
    "sessions": "Runs of the claude CLI.",
    "chat": "Chats by OpenAI's and Ollama's protocols; each starts a session.",
    "alerts": "What other programs tell, as triggers in the queue.",
    "triggers": "What asks for a session, in the queue.",
    "knowledge": "What sessions say, and what they are told again.",
    "limits": "What holds sessions, and who decided.",
    "settings": "What can be set while it runs.",
    "people": "Who is told, and who may.",
}
SAID = {
    400: "A field can't be as it is; the sentence names it.",
    401: "No token, or one that does not count.",
    403: "The role or the scope is missing.",
    404: "There is nothing with that id, or by that name.",
    409: "Not now: it is busy, over, or was decided.",
    413: "The body is too large.",
    415: "The body is not sent as application/json.",
    421: "The dashboard has another name than the request says.",
    429: "Too many wrong tokens (Retry-After says for how long), or too many requests at a time.",
    503: "The worker or the database is not available at this moment.",
    504: "The worker did not answer in time.",
    507: "The disk is full.",
}


def document(operations: Iterable[Operation], version: str) -> dict[str, Any]:
    """The whole document."""
    listed = list(operations)
    schemas = _schemas(listed)
    paths: dict[str, dict[str, Any]] = {}
    for one in listed:
        paths.setdefault(one.address, {})[one.method.lower()] = _operation(one, schemas)
    used = {one.tag for one in listed}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Claude Ops", "version": version, "description": ABOUT, "license": {"name": "MIT"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items() if name in used]
        + [{"name": name} for name in sorted(used - set(TAGS))],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                BEARER: {"type": "http", "scheme": "bearer", "description": "An API token, co_…"},
                COOKIE: {"type": "apiKey", "in": "cookie", "name": "claudeops", "description": "A signed-in browser."},
            },
        },
    }


def _schemas(operations: list[Operation]) -> dict[str, Any]:
    """The components: every type that a body or an answer is made of."""
    kinds = {kind for one in operations for kind in (one.reply, one.body, one.error) if kind is not None}
    ordered = sorted(kinds, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template=REFERENCE)
    return dict(sorted(components.items()))


def _reference(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(name=kind.__name__)}


def _operation(one: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.tag],
        "summary": one.summary,
        "description": _who(one),
        "security": [] if one.access is Access.PUBLIC else [{BEARER: []}, {COOKIE: []}],
    }
    if parameters := [*_in_path(one), *_in_query(one, schemas)]:
        known["parameters"] = parameters
    if one.body is not None:
        content = {JSON: {"schema": _reference(one.body)}}
        known["requestBody"] = {"required": not one.optional, "content": content}
    if one.foreign:
        # Whatever its Content-Type says, it is read as JSON, else as text.
        body: dict[str, Any] = {
            "description": one.foreign,
            "content": {JSON: {"schema": {}}, TEXT: {"schema": {"type": "string"}}},
        }
        known["requestBody"] = {"required": True, **body}
    known["responses"] = _responses(one)
    return known


def _who(one: Operation) -> str:
    if one.access is Access.PUBLIC:
        return "Needs no token."
    besides = {Door.KEY: "; the chat key counts as much", Door.SIGNED: "; the chat key or a signature counts as much"}
    scope = Scope.READ if one.method in SAFE_METHODS else Scope.ACT
    if one.grants:
        return f"Needs the role {one.access.value}, and of a token every scope, and that it has no end."
    return f"Needs the role {one.access.value}, and of a token the scope `{scope.value}`{besides.get(one.door, '')}."


def _in_path(one: Operation) -> list[dict[str, Any]]:
    number = {"type": "integer", "minimum": 0}
    schemas = {"id": number, "source": {"enum": list(SOURCES)}, "model": {"type": "string"}}
    return [{"name": name, "in": "path", "required": True, "schema": schemas[name]} for name in one.parameters]


def _in_query(one: Operation, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    """A query's fields as parameters."""
    if one.query is None:
        return []
    (_,), components = msgspec.json.schema_components([one.query], ref_template=REFERENCE)
    own = components.pop(one.query.__name__)
    schemas |= components
    found = []
    for name, schema in own["properties"].items():
        about = schema.pop("description", "")
        needed = name in own.get("required", [])
        parameter: dict[str, Any] = {"name": name, "in": "query", "required": needed, "schema": schema}
        if not needed:
            parameter["allowEmptyValue"] = True
        found.append({**parameter, "description": about} if about else parameter)
    return found


def _responses(one: Operation) -> dict[str, Any]:
    reply: dict[str, Any] = {"description": HTTPStatus(one.status).phrase}
    if one.reply is not None:
        reply["content"] = {one.media: {"schema": _reference(one.reply)}}
    elif one.media != JSON:
        reply["content"] = {one.media: {"schema": {}}}
    if one.streamed:
        reply["content"][one.streamed] = {"schema": {"type": "string"}}
    refused = {JSON: {"schema": _reference(one.error)}}
    failures = {
        str(status): {"description": SAID.get(status, HTTPStatus(status).phrase), "content": refused}
        for status in one.statuses()
    }
    return {str(one.status): reply, **failures}
