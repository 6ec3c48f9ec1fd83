"""An answer that is written piece by piece to a program: server-sent events, a JSON object a line, an export.

A reader that takes nothing for a while is cut off, and costs no more than a buffer until then. Used by
`webui.api.openai`, `webui.api.ollama` and `webui.pages.memory_export`.
"""

import asyncio
from types import TracebackType

from aiohttp import web

WRITE_SECONDS = 30.0


class Lines:
    """One such answer, in `async with`."""

    def __init__(self, request: web.Request, kind: str, **headers: str) -> None:
        self._request = request
        always = {"Content-Type": kind, "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        self.response = web.StreamResponse(headers={**always, **headers})

    async def __aenter__(self) -> "Lines":
        await self.response.prepare(self._request)
        return self

    async def write(self, piece: bytes) -> None:
        """Sends a piece. ConnectionResetError when the reader has gone or reads no more."""
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self.response.write(piece)
        except TimeoutError:
            if self._request.transport is not None:
                self._request.transport.abort()
            raise ConnectionResetError("the reader has stalled") from None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.response.write_eof()
        elif self._request.transport is not None:
            # The answer has begun, so no other can follow: cut off, it is not taken for whole.
            self._request.transport.abort()
