"""Whether an API lets a key in, asked before anything runs: a key with a slip in it would fail every run, in minutes.

Called by `__main__` for the live half. Listing models costs nothing.
"""

from http.client import HTTPMessage
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from daemon.models.rules import url as models_at
from daemon.summaries.rules import headers

SECONDS = 20.0


class _Stay(HTTPRedirectHandler):
    """Follows no redirect, which would take the key along to somebody else."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Nowhere."""


def refusal(key: str, base: str) -> str | None:
    """Why no session could ask the API at `base` (empty for Anthropic's own); None if one can, or it does not say."""
    address = models_at(base)
    where = address.partition("/v1/")[0]
    try:
        build_opener(_Stay).open(Request(address, headers=headers(key, "")), timeout=SECONDS).close()
    except HTTPError as error:
        with error:
            if error.code in (401, 403):
                return f"{where} does not take this ANTHROPIC_API_KEY (HTTP {error.code}); nothing was run"
    except (URLError, OSError) as error:
        return f"{where} can't be reached: {getattr(error, 'reason', error)}; nothing was run"
    return None
