"""The demo's stand-in for `docker`: it knows the demo's containers, and never touches a real engine.

Run as `python -I -S docker.py URL ARGUMENT...` by <state>/bin/docker, which stands first on the PATH of the demo's
sessions; URL is that of `daemon.demo.engine`. Standard library alone.
"""

import sys
import urllib.error
import urllib.parse
import urllib.request

PATIENCE_S = 20
KNOWN = "ps, logs [--tail N] NAME, restart NAME, compose up -d NAME"


def asked(arguments: list[str]) -> tuple[str, str] | None:
    """(method, path) of what the engine is asked for; None if the stand-in does not know the command."""
    match arguments:
        case ["ps"] | ["ps", "-a"]:
            return "GET", "/containers"
        case ["logs", name] if not name.startswith("-"):
            return "GET", f"/containers/{_quoted(name)}/logs"
        case ["logs", "--tail", count, name] if count.isdecimal() and count != "0" and not name.startswith("-"):
            return "GET", f"/containers/{_quoted(name)}/logs?tail={count}"
        case ["restart", name] if not name.startswith("-"):
            return "POST", f"/containers/{_quoted(name)}/restart"
        case ["compose", "up", "-d", name] if not name.startswith("-"):
            return "POST", f"/containers/{_quoted(name)}/up"
    return None


def _quoted(name: str) -> str:
    return urllib.parse.quote(name, safe="")


def main(url: str, arguments: list[str]) -> int:
    """Prints what the engine says; 1 if it refuses, does not answer, or was not asked."""
    wanted = asked(arguments)
    if wanted is None:
        print(f"This docker is the demo's stand-in; it only knows: {KNOWN}.", file=sys.stderr)
        return 1
    method, path = wanted
    request = urllib.request.Request(url + path, method=method)  # noqa: S310 - the launcher gives a URL on loopback
    # No proxy: the engine listens on loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=PATIENCE_S) as answer:
            sys.stdout.write(answer.read().decode())
    except urllib.error.HTTPError as error:
        sys.stderr.write(error.read().decode())
        return 1
    except OSError as error:
        print(f"The demo's stage does not answer ({error}); start the demo again.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
