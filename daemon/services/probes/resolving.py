"""Names become addresses on threads of their own: the system's resolver can't be told to stop, so a name that no name
server answers for keeps its thread for half a minute, whoever has given up on it.

Made by `daemon.services.probes.kinds`; asked by what connects, in `daemon.services.probes`.
"""

import asyncio
import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]
PLACES = 250
NO_NAME = "a part of it is empty or too long"


class Question(NamedTuple):
    """What the system's resolver is asked for."""

    host: str
    family: int
    flags: int


Answer = list[AddressInfo] | Exception


class Lookups:
    """All lookups of the worker. A name that is being looked up is not looked up a second time: whoever asks shares it.

    A thread is begun with a lookup and ends with it. It is a daemon's, so that none holds up the worker's end.
    """

    def __init__(self, places: Callable[[], int] = lambda: PLACES) -> None:
        """`places`: how many may be under way at once; others wait for one that ends."""
        self._places = places
        self._asked: dict[Question, asyncio.Future[Answer]] = {}
        self._waiting: deque[Question] = deque()
        self._running = 0

    async def addresses(
        self, host: str, port: int, family: int = socket.AF_UNSPEC, flags: int = 0
    ) -> list[AddressInfo]:
        """What a name stands for, for TCP. OSError."""
        try:
            return list(socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, flags | socket.AI_NUMERICHOST))
        except UnicodeError as error:
            raise socket.gaierror(socket.EAI_NONAME, NO_NAME) from error
        except socket.gaierror:  # it is no address, but a name
            question = Question(host, family, flags)
        if (asked := self._asked.get(question)) is None:
            asked = self._asked[question] = asyncio.get_running_loop().create_future()
            self._waiting.append(question)
            self._begin()
        answer = await asyncio.shield(asked)
        if isinstance(answer, Exception):
            raise answer
        return [(*info[:4], (info[4][0], port, *info[4][2:])) for info in answer]

    def _begin(self) -> None:
        while self._waiting and self._running < self._places():
            self._running += 1
            work = (self._waiting.popleft(), asyncio.get_running_loop(), self._over)
            threading.Thread(target=_look_up, args=work, name="lookup", daemon=True).start()

    def _over(self, question: Question, answer: Answer) -> None:
        self._running -= 1
        self._asked.pop(question).set_result(answer)
        self._begin()


def _look_up(question: Question, loop: asyncio.AbstractEventLoop, over: Callable[[Question, Answer], None]) -> None:
    answer: Answer
    try:
        answer = list(socket.getaddrinfo(question.host, 0, question.family, socket.SOCK_STREAM, 0, question.flags))
    except Exception as error:  # noqa: BLE001 - raised where it was asked for
        answer = error
    with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile, and nobody waits
        loop.call_soon_threadsafe(over, question, answer)
