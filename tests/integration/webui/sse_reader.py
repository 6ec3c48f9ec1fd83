"""A reader of server-sent events, written from the specification and not from our encoder."""

import codecs
import re
from collections.abc import AsyncGenerator
from typing import NamedTuple

import aiohttp


class Said(NamedTuple):
    """One dispatched event."""

    event: str
    data: str
    id: str


class Parser:
    """https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation, for whole streams."""

    def __init__(self) -> None:
        self._text = ""
        self._fields: list[str] = []
        self._event = ""
        self.id = ""

    def feed(self, text: str) -> list[Said]:
        """The events that are complete with this text."""
        self._text += text
        found = []
        while match := re.search(r"\r\n|\n|\r(?!$)", self._text):
            line, self._text = self._text[: match.start()], self._text[match.end() :]
            if said := self._line(line):
                found.append(said)
        return found

    def _line(self, line: str) -> Said | None:
        if not line:
            said = Said(self._event or "message", "\n".join(self._fields), self.id) if self._fields else None
            self._fields, self._event = [], ""
            return said
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._fields.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self.id = value
        return None


async def read(
    browser: aiohttp.ClientSession, path: str, headers: dict[str, str] | None = None, *, chunk: int = 65536
) -> AsyncGenerator[Said, None]:
    """The events of a stream, as they come."""
    parser = Parser()
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    async with browser.get(
        path, headers={"Accept": "text/event-stream", **(headers or {})}, timeout=aiohttp.ClientTimeout(total=60)
    ) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        async for block in response.content.iter_chunked(chunk):
            for said in parser.feed(decoder.decode(block)):
                yield said
