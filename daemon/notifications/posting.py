"""Posts signed JSON to a program: the part of `daemon.notifications.send` for channels that are webhooks.

Standard library alone, so that its process is small. Where it posts to is a secret: errors name the status, or the kind
of failure, and whoever calls hides the rest.
"""

import http.client
import time
import urllib.error
import urllib.request
from typing import Any, NamedTuple

from daemon.keys import rules as keys
from schema.version import VERSION

SECONDS = 15.0
# The same message is answered the same again, unlike where a token is renewed (401, 403), or what is too much (429) or
# broken (5xx) passes.
REFUSING = frozenset({400, 404, 405, 410, 413, 414, 415, 422})


class Failure(NamedTuple):
    """Why a message was not taken. `refused`: as it is, it never will be."""

    error: str
    refused: bool = False


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nowhere: what is signed for one receiver is for no other."""

    def redirect_request(self, *_: Any) -> None:
        """Never."""
        return


def post(url: str, secret: str, id_: int, body: str) -> Failure | None:
    """Posts one notification; why that failed, or None. A status of 2xx has taken it."""
    name, moment, data = f"ntf_{id_}", int(time.time()), body.encode()
    request = urllib.request.Request(  # noqa: S310 - the schema was judged when the channel was made
        url,
        data,
        {
            "Content-Type": "application/json",
            "User-Agent": f"claudeops/{VERSION}",
            "webhook-id": name,
            "webhook-timestamp": str(moment),
            "webhook-signature": keys.standard_signature(secret, name, moment, data),
        },
    )
    try:
        with urllib.request.build_opener(_Stay()).open(request, timeout=SECONDS) as response:
            response.read(1024)
    except urllib.error.HTTPError as error:
        with error:
            return Failure(f"it answered {error.code}", error.code in REFUSING)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Failure(f"it can't be reached: {getattr(error, 'reason', error) or type(error).__name__}")
    return None
