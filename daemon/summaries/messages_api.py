"""One question to the Messages API, at ANTHROPIC_BASE_URL. Called for summaries, for briefs of alerts
(`daemon.alerts.briefs`) and for the tier of a trigger (`daemon.triggers.router`).

aiohttp is imported at the first question: most workers never ask one.
"""

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from daemon.summaries import rules
from schema.settings import Settings

if TYPE_CHECKING:
    from aiohttp import ClientSession

TIMEOUT_SECONDS = 30.0
TRIES = 2
ANSWER_MAX = 1024 * 1024


class AnswerError(Exception):
    """No answer came back; the message says why, without a secret in it."""


async def ask(settings: Settings, question: dict[str, Any], *, seconds: float | None = None, tries: int = TRIES) -> str:
    """The words that answer a question, a body of /v1/messages; each try may take `seconds` (None: TIMEOUT_SECONDS).

    AnswerError."""
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=seconds or TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        for attempt in range(1, tries + 1):
            try:
                text, status, retry_after = await _post(session, settings, question)
            except (aiohttp.ClientError, OSError, ValueError, msgspec.MsgspecError, RecursionError) as error:
                problem, pause = f"{type(error).__name__}: {error}", rules.wait(None)
            else:
                if text is not None:
                    return text
                problem, pause = f"the Messages API answered {status}", rules.wait(retry_after)
                if status not in rules.RETRIED:
                    break
            if attempt < tries:
                await asyncio.sleep(pause)
    raise AnswerError(problem)


async def _post(
    session: "ClientSession", settings: Settings, question: dict[str, Any]
) -> tuple[str | None, int, str | None]:
    """(words, status, retry-after); no words where the status is not 200. ValueError for an unreadable answer."""
    async with session.post(
        rules.url(settings.anthropic_base_url),
        json=question,
        headers=rules.headers(settings.anthropic_api_key, settings.anthropic_auth_token),
        allow_redirects=False,
    ) as response:
        if response.status != 200:
            return None, response.status, response.headers.get("retry-after")
        raw = b""
        async for part in response.content.iter_any():
            raw += part
            if len(raw) > ANSWER_MAX:
                raise ValueError(f"the answer has more than {ANSWER_MAX} bytes")
        return rules.text_of(msgspec.json.decode(raw, type=dict[str, Any])), 200, None
