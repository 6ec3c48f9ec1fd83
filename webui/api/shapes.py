"""A failure in the shape that the programs of an address know: OpenAI's, Ollama's, or that of webhooks. Pure.

Asked by `webui.errors`, `webui.negotiation` and `webui.pages.triggers`; other addresses have none here, and get a page
or the dashboard's JSON.
"""

import re
from typing import Any

from ipc.errors import CallError, Code

OPENAI = "/v1/"
OLLAMA = frozenset({"/api/version", "/api/tags", "/api/chat", "/api/generate"})
# Forms of the existing program: a page answers, with the codes that its callers know.
FORMS = frozenset({"/sessions/trigger"})
WEBHOOKS = ("/api/v1/webhook", "/api/v1/webhooks/")
TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
CODES = {401: "invalid_api_key", 404: "model_not_found"}
FIELD = re.compile(r"at `\$\.?([^`]+)`")


def _is_webhook(path: str) -> bool:
    return path == WEBHOOKS[0] or path.startswith(WEBHOOKS[1])


def is_for_programs(path: str) -> bool:
    """Whether an address is one of these."""
    return path.startswith(OPENAI) or path in OLLAMA or _is_webhook(path)


def status(path: str, error: CallError) -> int:
    """The HTTP status of a failure: what makes no sense is 400 to programs."""
    older = is_for_programs(path) or path in FORMS
    return 400 if older and error.code is Code.INVALID else error.http_status


def failure(path: str, status: int, code: str, message: str) -> dict[str, Any] | None:
    """The body that tells of a failure; None where the address is none of these."""
    if path.startswith(OPENAI):
        return {"error": openai(status, code, message)}
    if path in OLLAMA:
        return {"error": message}
    if _is_webhook(path):
        return {"error": message, "code": code}
    return None


def openai(status: int, code: str, message: str) -> dict[str, Any]:
    """OpenAI's error object. `param` is the field that the message names."""
    kind = TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    field = FIELD.search(message)
    return {"message": message, "type": kind, "param": field[1] if field else None, "code": CODES.get(status, code)}
