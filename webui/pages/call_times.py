"""How long the calls of a transcript took: from the line of a call to the line of its result.

Used by `webui.pages.transcript_rows`, for the page as for the live stream.
"""

from collections.abc import Callable

from schema import timestamps
from schema.logline import Line, split
from schema.transcript.events import ToolUse
from schema.transcript.parse import parse
from webui.pages import formats

CALLS_REMEMBERED = 500


class Calls:
    """When each call was made, to tell how long it took. Forgets the oldest.

    `earlier` reads the lines before those that are read here; it is asked once, by the first result whose call was not
    seen. Who follows a log sets it anew for each piece.
    """

    def __init__(self) -> None:
        self._made: dict[str, str] = {}
        self.earlier: Callable[[], list[Line]] | None = None

    def make(self, tool_id: str, at: str) -> None:
        """A call was seen."""
        self._made[tool_id] = at
        if len(self._made) > CALLS_REMEMBERED:
            del self._made[next(iter(self._made))]

    def took(self, tool_id: str, at: str) -> str:
        """How long a call took, in words; empty if it was not seen."""
        if tool_id not in self._made and self.earlier is not None:
            earlier, self.earlier = self.earlier, None
            self._look_through(earlier())
        made = self._made.get(tool_id)
        if made is None:
            return ""
        return formats.duration((timestamps.parse(at) - timestamps.parse(made)).total_seconds())

    def _look_through(self, lines: list[Line]) -> None:
        for line in lines:
            found = split(line.data)
            for event in parse(found.text, found.stream, line.cut):
                if isinstance(event, ToolUse) and found.at:
                    self.make(event.id, found.at)
