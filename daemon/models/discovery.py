"""Asks the API of the sessions for its models, and remembers the answer. Built by `daemon.parts`.

However many ask at one time, one question goes out. aiohttp is imported with the first: most workers never ask one.
"""

import asyncio
import time

from daemon.models import rules
from daemon.models.rules import Known, Source
from daemon.sessions import prepare
from daemon.settings.live import LiveSettings
from daemon.summaries.rules import headers
from ipc.messages.models import ModelsReply
from schema import timestamps
from schema.settings import Settings

TIMEOUT_SECONDS = 5.0
ANSWER_MAX = 1024 * 1024


class Discovery:
    """The models that are known."""

    def __init__(self, settings: LiveSettings) -> None:
        self._settings = settings
        self._known = Known(Source("", "", ""))
        self._asking: asyncio.Task[Known] | None = None

    async def list(self, *, refresh: bool) -> ModelsReply:
        """The models; with `refresh`, or where what is known is old, asked for now. Never fails: the reply says why."""
        settings = self._settings.current
        source = Source(settings.anthropic_base_url, settings.anthropic_api_key, settings.anthropic_auth_token)
        if why := rules.refusal(source, demo=settings.demo):
            return ModelsReply(models=[], problem=why)
        if refresh or not rules.is_fresh(self._known, source, time.monotonic()):
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask(source, settings), name="models")
            # Whoever gives up waiting leaves the question to the others.
            self._known = await asyncio.shield(self._asking)
        known = self._known
        return ModelsReply(
            models=list(known.models),
            refreshed_at=known.told_at,
            available=not known.problem,
            problem=prepare.redactor(self._settings).text(known.problem),
        )

    async def _ask(self, source: Source, settings: Settings) -> Known:
        before = self._known if self._known.source == source else Known(source)
        try:
            models = rules.models_of(await _get(source))
        except (OSError, ValueError) as error:  # TimeoutError and aiohttp's connection errors are OSErrors
            problem = str(error) or type(error).__name__
            # What was told before is shown on; when that was is shown with it.
            return before._replace(asked=time.monotonic(), problem=problem)
        return Known(source, models, timestamps.now(), time.monotonic(), "")


async def _get(source: Source) -> bytes:
    """The API's answer. ValueError, OSError."""
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            # A redirect would take the key along to somebody else.
            session.get(
                rules.url(source.base), headers=headers(source.key, source.token), allow_redirects=False
            ) as response,
        ):
            if response.status != 200:
                raise ValueError(f"the API answered {response.status}")
            raw = b""
            async for part in response.content.iter_any():
                raw += part
                if len(raw) > ANSWER_MAX:
                    raise ValueError(f"the answer has more than {ANSWER_MAX} bytes")
            return raw
    except aiohttp.ClientError as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    except TimeoutError:
        raise ValueError(f"no answer within {TIMEOUT_SECONDS:g} s") from None
