"""The demo's answer to a prompt of one's own: quotes it, says that the words are scripted, and makes one real call.

Called by `daemon.demo.script`, for every tier. Pure.
"""

from collections.abc import Sequence

from daemon.demo.findings import Note, judge, look
from daemon.demo.services import Service
from daemon.demo.speech import conclude, say
from daemon.demo.turns import Conversation, Script, Turn

QUOTE_CHARS = 600


def answer(services: Sequence[Service], tempo: float = 1.0) -> Script:
    """The two turns of it."""

    def pick(conversation: Conversation) -> Service:
        named = (service for service in services if service.name in conversation.prompt.lower())
        return next(named, services[0])

    def quote(conversation: Conversation) -> Turn:
        asked = conversation.prompt.strip()[:QUOTE_CHARS]
        quoted = "\n".join(f"> {line}" for line in asked.splitlines())
        service = pick(conversation)
        words = (
            f"You asked:\n\n{quoted}\n\nIn the demo my words are scripted, so I can't answer that. "
            f"The tools are real: I look at {service.name}."
        )
        return say(tempo, words, look(service, "look"))

    def tell(conversation: Conversation) -> Turn:
        found = judge(pick(conversation).name, conversation.result_of("look"))
        return conclude(conversation, tempo, [found], notes=[Note("info", "A scripted answer of the demo.")])

    return [quote, tell]
