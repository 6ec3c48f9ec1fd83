"""Which MCP servers a session gets, and how each is shown. Pure; called by `daemon.repositories.mcp` and `handlers`."""

import re
import shlex
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from daemon.repositories.servers import Definition, Source, printable

BASELINE = "baseline"
TOTAL_MAX = 200  # servers of one session
SHOWN_MAX = 400  # characters of a server's command
HIDDEN = "***"
SECRET = r"(?:KEY|TOKEN|SECRET|PASS|CRED|AUTH|SIGNATURE|COOKIE)"
SECRET_OPTION = re.compile(rf"--?[\w.-]*{SECRET}[\w.-]*", re.IGNORECASE)
SECRET_NAME = re.compile(SECRET, re.IGNORECASE)
# NAME=value, NAME: value, "name": "value"; what stands after it is hidden to the end of the word, or of the argument.
GIVEN = re.compile(
    rf"""([\w.-]*{SECRET}[\w.-]*["']?\s*(?:=|:(?!//)|%3D)\s*)(?!\$\{{\w+\}}$).+""", re.IGNORECASE | re.DOTALL
)
USERINFO = re.compile(r"://[^/\s?#]*@")
KNOWN = re.compile(r"(?:\b(?:sk|pk|rk|gh[a-z]|github_pat|glpat|xox[a-z]|hf|npm)[-_]|\bAKIA|\beyJ)[\w.~+/=-]{8,}")
REFERENCE = re.compile(r"\$\{\w+\}")


class Server(NamedTuple):
    """One server of the next session. `replaces`: whose server of that name it takes the place of, in order.

    `refused`: why it is left out, as a sentence; the session does not get it.
    """

    name: str
    source: str
    definition: Definition
    replaces: tuple[str, ...] = ()
    refused: str | None = None


class Seen(NamedTuple):
    """How a session found a server."""

    status: str
    tools: int = 0


def tool_name(name: str) -> str:
    """A server's name as its tools carry it (`mcp__<name>__<tool>`): two servers of one such name are one."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def merge(baseline: Source, overlays: Iterable[Source], *, replace: bool) -> list[Server]:
    """All servers by name, the refused ones among them.

    Repositories follow in alphabetical order, whatever order they are given in; a later one replaces a whole server of
    an earlier one. A server of the baseline gives way only if `replace`; else the repository's is refused.
    """
    chosen: dict[str, Server] = {}
    refused: list[Server] = []
    for name, definition in baseline.servers.items():
        server = Server(name, BASELINE, definition)
        if tool_name(name) in chosen:
            reason = f"its tools would have the names of {chosen[tool_name(name)].name}'s; name it differently"
            refused.append(server._replace(refused=reason))
        else:
            chosen[tool_name(name)] = server
    for source in sorted(overlays, key=lambda source: source.name):
        for name, definition in source.servers.items():
            before = chosen.get(tool_name(name))
            if before is not None and before.source == BASELINE and not replace:
                reason = "CLAUDEOPS_MCP_REPLACE is off, and CLAUDEOPS_MCP_CONFIG has a server of this name"
                refused.append(Server(name, source.name, definition, refused=reason))
            elif before is None and len(chosen) >= TOTAL_MAX:
                reason = f"a session has at most {TOTAL_MAX} servers; name fewer"
                refused.append(Server(name, source.name, definition, refused=reason))
            else:
                replaces = () if before is None else (*before.replaces, before.source)
                chosen[tool_name(name)] = Server(name, source.name, definition, replaces)
    return sorted([*chosen.values(), *refused], key=lambda server: (server.name, server.refused or "", server.source))


def content(servers: Iterable[Server]) -> bytes:
    """The file that the CLI is given: the same bytes for the same servers."""
    given = {server.name: server.definition for server in servers if server.refused is None}
    return msgspec.json.format(msgspec.json.encode({"mcpServers": given}, order="sorted"), indent=2) + b"\n"


def shown(definition: Definition) -> str:
    """A server's command, or its transport and URL, for people: environment and headers left out, secrets hidden."""
    if "command" in definition:
        words = [str(definition["command"]), *map(str, definition.get("args") or [])]
        text = shlex.join(masked(words)).replace(f"'{HIDDEN}'", HIDDEN)
    else:
        text = " ".join([str(definition.get("type", "")), *masked([str(definition.get("url", ""))])])
    text = printable(text.replace("\n", " "))
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 1] + "…"


def masked(words: Sequence[str]) -> list[str]:
    """Words of a command line with what looks like a secret hidden; a mere reference such as ${TOKEN} stays."""
    told = []
    follows = False  # an option such as --token, whose value is the next word
    for word in words:
        if follows and not word.startswith("-"):
            told.append(word if REFERENCE.fullmatch(word) else HIDDEN)
            follows = False
        else:
            follows = bool(SECRET_OPTION.fullmatch(word))
            told.append(_masked(word))
    return told


def _masked(word: str) -> str:
    """One word with what looks like a secret hidden."""
    if _random(word):
        return HIDDEN
    return KNOWN.sub(HIDDEN, GIVEN.sub(rf"\1{HIDDEN}", USERINFO.sub(f"://{HIDDEN}@", word)))


def _random(word: str) -> bool:
    """Whether a word looks like a key: long, of one piece, letters and digits mixed as no name or path has them."""
    if not re.fullmatch(r"[A-Za-z0-9+_=-]{20,}", word):
        return False
    return sum(before.isdigit() != after.isdigit() for before, after in pairwise(word)) >= 4


def secret_values(servers: Iterable[Server]) -> list[tuple[str, str]]:
    """(name, value) of everything in the servers' environments and headers that must not be seen in a transcript."""
    found = []
    for server in servers:
        for part in ("env", "headers"):
            pairs: dict[str, Any] = server.definition.get(part) or {}
            for name, value in pairs.items():
                bare = value.removeprefix("Bearer ").removeprefix("Basic ").strip()
                if SECRET_NAME.search(name) and len(bare) >= 4 and "${" not in bare:
                    found.append((f"MCP_{tool_name(server.name)}_{tool_name(name)}", bare))
    return found


class _Told(msgspec.Struct):
    """One server as a session's row has it."""

    name: str
    status: str = ""
    tools: int = 0


def seen(servers: str | None) -> dict[str, Seen]:
    """How a session found its servers, from its row: JSON, [{name, status, tools?}]. ValueError if it is not that."""
    told = msgspec.json.decode(servers or "[]", type=list[_Told])
    return {server.name: Seen(server.status, server.tools) for server in told}
