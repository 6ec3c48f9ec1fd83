"""Answers whether a key or a signature is right. The secrets stay in this process."""

import time

from daemon.keys import rules
from daemon.settings.live import LiveSettings
from ipc.messages.keys import CheckKey, CheckSignature, KeyReply
from ipc.server import Call, Handler

NO_KEY = "there is no key; set CLAUDEOPS_CHAT_API_KEY, or show an API token of an operator"
NO_SECRET = "there is no secret to sign with; set CLAUDEOPS_WEBHOOK_SECRET, or show the chat key or an API token"
WRONG = "the key is wrong; it is the one in CLAUDEOPS_CHAT_API_KEY, or an API token of an operator"


def handlers(settings: LiveSettings) -> dict[type, Handler]:
    """The table's part for keys."""

    async def check_key(call: Call, request: CheckKey) -> KeyReply:
        key = settings.current.chat_api_key
        if not key:
            return KeyReply(configured=False, ok=False, problem=NO_KEY)
        ok = rules.same(request.key, key)
        return KeyReply(configured=True, ok=ok, problem="" if ok else WRONG)

    async def check_signature(call: Call, request: CheckSignature) -> KeyReply:
        secrets = rules.secrets_of(settings.current.webhook_secret)
        if not secrets:
            return KeyReply(configured=False, ok=False, problem=NO_SECRET)
        problem = rules.signature_problem(request.headers, request.body, secrets, time.time())
        return KeyReply(configured=True, ok=not problem, problem=problem)

    return {CheckKey: check_key, CheckSignature: check_signature}
