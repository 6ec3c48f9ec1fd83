"""Posts signed JSON to a program: the part of `daemon.notifications.send` for channels that are webhooks.

Standard library alone, so that its process is small. Where it posts to is a secret: errors name the status, or the kind
of failure, and whoever calls hides the rest.
"""

import http.client
import time
import urllib.error
import urllib.request
from typing import Any

from daemon.keys import rules as keys
from schema.version import VERSION

SECONDS = 15.0


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nowhere: what is signed for one receiver is for no other."""

    def redirect_request(self, *_: Any) -> None:
        """Never."""
        return


def post(url: str, secret: str, id_: int, body: str) -> str:
    """Posts one notification; why that failed, or empty. A status of 2xx has taken it."""
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
            return f"it answered {error.code}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"it can't be reached: {getattr(error, 'reason', error) or type(error).__name__}"
    return ""
