"""A service as people name it on the command line: by its number or its name. Called by `services` and `incidents`."""

from ipc.ctl.connection import Body, Connection
from ipc.ctl.errors import USAGE, CtlError


def service(connection: Connection, text: str) -> Body:
    """A service with its definition: `7`, `web`, and `id:7` or `name:7` where both are one. CtlError.

    What is the number of one and the name of another is neither: a command may remove what it is about.
    """
    kind, _, rest = text.partition(":")
    if kind == "id" and _is_number(rest):
        return connection.call("services.show", {"id": int(rest)})
    if kind == "name" and rest:
        return connection.call("services.show", {"name": rest})
    if not _is_number(text):
        return connection.call("services.show", {"name": text})
    numbered, named = _if_any(connection, {"id": int(text)}), _if_any(connection, {"name": text})
    if numbered and named and numbered["service"]["id"] != named["service"]["id"]:
        other = numbered["service"]["name"]
        wanted = f"say id:{text} for {other}, or name:{text}"
        raise CtlError(USAGE, "conflict", f"{text} is the number of {other} and the name of another service; {wanted}")
    return numbered or named or connection.call("services.show", {"id": int(text)})


def _if_any(connection: Connection, asked: Body) -> Body | None:
    try:
        return connection.call("services.show", asked)
    except CtlError as error:
        if error.code != "not_found":
            raise
        return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
