"""Messages about what other programs show to be let in: a key, or a signature. The web process knows neither secret."""

from typing import ClassVar

from ipc.messages.envelope import Reply, Request


class KeyReply(Reply, frozen=True):
    """Whether what was shown is right. `configured`: whether there is anything that could be."""

    configured: bool
    ok: bool
    problem: str = ""


class CheckKey(Request, frozen=True):
    """Whether this is CLAUDEOPS_CHAT_API_KEY, which the web process does not know."""

    subject: ClassVar[str] = "keys.check"
    reply: ClassVar[type[Reply]] = KeyReply
    key: str


class CheckSignature(Request, frozen=True):
    """Whether a body is signed with CLAUDEOPS_WEBHOOK_SECRET. `headers`: those that carry a signature, lower case."""

    subject: ClassVar[str] = "keys.check_signature"
    reply: ClassVar[type[Reply]] = KeyReply
    headers: dict[str, str]
    body: bytes
