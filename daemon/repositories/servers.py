"""What an MCP file holds: its JSON taken apart, and each server's shape judged. Pure; `daemon.repositories.mcp` reads.

The CLI leaves a server with a wrong shape out without a word, and refuses to start over a file without `mcpServers`;
so everything is judged here first, and told with its file, server and field.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

import msgspec

FILE_MAX = 262_144  # bytes of one file
SERVERS_MAX = 50  # in one file
PROBLEMS_MAX = 10  # told of one file
DEPTH_MAX = 16
# Names that the CLI (2.1.197) keeps to itself: it leaves such a server out without a word.
RESERVED = frozenset({"claude-in-chrome", "computer-use", "workspace"})
# With other characters two servers can have tools of one name; with `__` one server's tools can pass for another's.
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]|_(?=[A-Za-z0-9-]))*")
NAME_MAX = 64

Definition = dict[str, Any]  # a server as it is written, with what only the CLI knows
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]
Words = Annotated[list[Annotated[str, msgspec.Meta(max_length=65_536)]], msgspec.Meta(max_length=200)]
Pairs = Annotated[dict[Text, Annotated[str, msgspec.Meta(max_length=65_536)]], msgspec.Meta(max_length=200)]


class Program(msgspec.Struct):
    """A server that the CLI starts."""

    command: Text
    args: Words | msgspec.UnsetType = msgspec.UNSET
    env: Pairs | msgspec.UnsetType = msgspec.UNSET


class Remote(msgspec.Struct):
    """A server that the CLI calls."""

    url: Annotated[str, msgspec.Meta(pattern=r"^(https?|wss?)://|^\$\{", max_length=8192)]
    headers: Pairs | msgspec.UnsetType = msgspec.UNSET


TRANSPORTS: dict[str, type[Program] | type[Remote]] = {
    "stdio": Program,
    "http": Remote,
    "sse": Remote,
    "ws": Remote,
}


class Source(NamedTuple):
    """The servers of one file. `name` is a repository's, or rules.BASELINE."""

    name: str
    servers: dict[str, Definition]


class ServersError(Exception):
    """A file that can't be used. `problems` has one sentence each, naming the file, and the server and field."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read(data: bytes, file: str, *, strict: bool) -> dict[str, Definition]:
    """The servers of a file's content, all of them or none. `file` is what problems call it.

    `strict` is for files of repositories: their names may not pass for another server's.
    Raises ServersError with every problem, up to PROBLEMS_MAX.
    """
    servers = _decode(data, file)
    problems = [f"{file}: {problem}" for name, raw in servers.items() if (problem := _wrong(name, raw, strict))]
    if len(problems) > PROBLEMS_MAX:
        problems[PROBLEMS_MAX:] = [f"{file}: and {len(problems) - PROBLEMS_MAX} more servers are wrong"]
    if problems:
        raise ServersError(problems)
    return servers


def _decode(data: bytes, file: str) -> dict[str, Definition]:
    if len(data) > FILE_MAX:
        raise ServersError([f"{file}: has more than {FILE_MAX} bytes; keep only mcpServers in it"])
    try:
        found = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        if "mcpServers" not in found and found:
            raise ServersError([f'{file}: has no mcpServers; write {{"mcpServers": {{"name": {{…}}}}}}'])
        raw = found.get("mcpServers", msgspec.Raw(b"{}"))
        servers = msgspec.json.decode(raw, type=dict[str, Any] | None) or {}
        msgspec.json.encode(servers)  # what can be read can be written: half a surrogate pair can't
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError) as error:
        raise ServersError([f"{file}: {error}"]) from error
    except RecursionError:
        raise ServersError([f"{file}: is nested too deeply"]) from None
    if len(servers) > SERVERS_MAX:
        raise ServersError([f"{file}: has {len(servers)} servers and may have {SERVERS_MAX}"])
    return servers


def _wrong(name: str, raw: object, strict: bool) -> str | None:
    """What is wrong with a server, as a sentence without its file; None if it can be used."""
    shown = printable(name)[:NAME_MAX] or "(no name)"
    if not name or len(name) > NAME_MAX or (strict and not NAME.fullmatch(name)):
        return f"server {shown}: a name has 1 to {NAME_MAX} letters and digits, with - and single _ between them"
    if name in RESERVED:
        return f"server {shown}: the CLI keeps this name to itself; choose another"
    if not isinstance(raw, dict):
        return f"server {shown}: is not an object with a command or a url"
    if _deeper(raw, DEPTH_MAX):
        return f"server {shown}: is nested too deeply"
    kind = raw.get("type", "stdio" if "command" in raw or "url" not in raw else None)
    if kind is None:
        return f"server {shown}, field type: is missing; with a url it is http, sse or ws"
    if not isinstance(kind, str) or kind not in TRANSPORTS:
        return f"server {shown}, field type: is none of {', '.join(TRANSPORTS)}"
    try:
        msgspec.convert(raw, TRANSPORTS[kind])
    except msgspec.ValidationError as error:
        return f"server {shown}{_where(str(error))}"
    return None


def _where(message: str) -> str:
    """msgspec's "Expected `str`, got `int` - at `$.env[...]`" with the field in front."""
    what, _, path = message.partition(" - at ")
    field = path.strip("`").removeprefix("key in ").strip("`").removeprefix("$").removeprefix(".")
    return f", field {field}: {what}" if field else f": {what}"


def _deeper(value: object, levels: int) -> bool:
    """Whether a value is nested more deeply than `levels`."""
    inner: Iterable[object] = ()
    if isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, list):
        inner = value
    return levels < 0 or any(_deeper(one, levels - 1) for one in inner)


def printable(text: str) -> str:
    """Text as it can be shown and sent: what can't be printed, or isn't Unicode, becomes a replacement character."""
    sound = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in sound)
