"""What handlers work with, in one value on the application. Built by `webui.app`, read everywhere in `webui`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from schema.settings import Settings
from webui.auth.sign_ins import SIGNED_IN, SignedIn

if TYPE_CHECKING:
    from schema.networks import Network
    from webui.api.chats import Chats
    from webui.assets import Assets
    from webui.auth.client import Proxies
    from webui.auth.keys import Keys
    from webui.auth.passwords import Passwords
    from webui.auth.rules import Access, Door
    from webui.auth.sign_ins import SignIns
    from webui.auth.tokens import Tokens
    from webui.live.feed import Feed
    from webui.live.streams import Streams
    from webui.live.tails import Tails
    from webui.public import PublicPages
    from webui.state import State
    from webui.worker import Worker


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the web process."""

    began_with: Settings
    version: str
    started: float  # wall clock
    trusted: "list[Network]"
    proxies: "Proxies"
    access: "dict[tuple[str, str], Access]"
    doors: "dict[tuple[str, str], Door]"
    granting: "set[tuple[str, str]]"
    state: "State"
    worker: "Worker"
    sign_ins: "SignIns"
    tokens: "Tokens"
    keys: "Keys"
    passwords: "Passwords"
    assets: "Assets"
    streams: "Streams"
    tails: "Tails"
    feed: "Feed"
    chats: "Chats"
    public: "PublicPages"

    @property
    def settings(self) -> Settings:
        """The settings as they are now: those that change without a restart are the worker's."""
        return self.worker.over(self.began_with)


PARTS: web.AppKey[Parts] = web.AppKey("parts", Parts)


def parts(request: web.Request) -> Parts:
    """The parts, for a handler."""
    return request.app[PARTS]


def signed_in(request: web.Request) -> SignedIn:
    """Who asks. Only for routes that the guard lets nobody else into."""
    return request[SIGNED_IN]
