"""Whether a definition can be carried out, field by field, and what people may see of its URL. Pure.

Called by `daemon.services.catalogue` for every way in: form, command line, API, file, import.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit, urlunsplit

from daemon import cron
from daemon.services.rules import policies
from daemon.services.rules.notation import ConditionError, parse
from schema import definitions as declared
from schema.definitions import KINDS, SCHEMES, Definition, Kind
from schema.zones import zone

INTERVAL_MIN, INTERVAL_MAX = 1.0, 7 * 86400.0
TIMEOUT_MAX = 300.0
RETRIES_MAX = 100
OBSERVED_MIN = 300.0
NAME_MAX, URL_MAX, TEXT_MAX, LIST_MAX = 100, 2000, 10_000, 50
NO_PORT = frozenset({Kind.ICMP, Kind.DOMAIN, Kind.HEARTBEAT, Kind.CONTAINER, Kind.COMMAND, Kind.OBSERVED, Kind.DNS})
WITH_PORT = frozenset({Kind.TCP, Kind.TLS, Kind.GRPC})
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
TAG = re.compile(r"[^\s,*]{1,40}")
HEADER = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Names of headers and query fields that sound secret: by a part of them, or by a whole word (X-Auth-Key, authKey).
SECRETIVE = re.compile(
    r"(?i:authori[sz]ation|cookie|token|secret|passw|passphrase|api[-_]?key|credential|signature)"
    r"|(?i:(?:^|[^a-z])(?:key|sig|auth|pass|pwd|jwt)(?:[^a-z]|$))|(?<=[a-z])(?:Key|Sig|Auth|Pass|Pwd|Jwt)(?:[^a-z]|$)"
)
# Who signs in to these with one word alone does so with a token.
BY_TOKEN = frozenset({Kind.HTTP, Kind.WEBSOCKET})
MASK = declared.MASK
NO_NAME = "between the dots of a host's name stand 1 to 63 letters; look for two dots in a row"
_SOME_DAY = datetime(2026, 1, 1)


class Problem(NamedTuple):
    """What is wrong with one field, and what to write instead."""

    field: str
    message: str


def kind_of(url: str) -> Kind | None:
    """The kind of probe that a URL asks for, by its scheme."""
    scheme, colon, _ = url.partition(":")
    return SCHEMES.get(scheme.lower()) if colon else None


def conditions_of(definition: Definition) -> tuple[str, ...]:
    """The conditions that hold: its own, or those of its kind."""
    kind = kind_of(definition.url)
    return definition.conditions or (KINDS[kind].conditions if kind else ())


def problems(definition: Definition, others: Mapping[str, Iterable[str]], name_before: str = "") -> list[Problem]:
    """Everything that is wrong. `others`: what each service depends on, by name; `name_before`: the one it replaces."""
    return [
        *_name(definition, others, name_before),
        *_url(definition),
        *_times(definition),
        *_conditions(definition),
        *_lists(definition),
        *_needs(definition, others, name_before),
        *_http(definition),
        *_own(definition),
        *_policy(definition),
    ]


def _name(definition: Definition, others: Mapping[str, Iterable[str]], before: str) -> Iterable[Problem]:
    name = definition.name
    if not name.strip():
        yield Problem("name", "give the service a name")
    elif name != name.strip() or not name.isprintable() or len(name) > NAME_MAX:
        yield Problem("name", f"a name has at most {NAME_MAX} printable characters and no blank at its ends")
    elif name in (".", "..") and name != before:
        yield Problem("name", "in an address . and .. mean other places, so it would have no page: take another name")
    elif name.casefold() != before.casefold() and name.casefold() in {one.casefold() for one in others}:
        yield Problem("name", f"there is a service {name!r} already")


def _url(definition: Definition) -> Iterable[Problem]:
    url, kind = definition.url, kind_of(definition.url)
    if not url.strip():
        yield Problem("url", f"give a URL, such as {KINDS[Kind.HTTP].example}")
    elif kind is None:
        yield Problem("url", f"a URL begins with one of {', '.join(f'{scheme}:' for scheme in SCHEMES)}")
    elif len(url) > URL_MAX or not url.isprintable() or " " in url:
        yield Problem("url", f"a URL has at most {URL_MAX} characters, and no blanks")
    elif said := _host(url, kind):
        yield Problem("url", said)


def _host(url: str, kind: Kind) -> str | None:
    example = KINDS[kind].example
    if kind in (Kind.HEARTBEAT, Kind.OBSERVED, Kind.COMMAND):
        return None
    if kind in (Kind.CONTAINER, Kind.DOMAIN):
        return None if url.partition(":")[2].strip("/") else f"say what: {example}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"{error}; a URL is written like {example}"
    if not parts.hostname:
        return f"the URL names no host; it is written like {example}"
    if not _can_be_a_name(parts.hostname):
        return NO_NAME
    if kind in WITH_PORT and port is None:
        return f"the URL names no port; it is written like {example}"
    if kind is Kind.DNS and not parts.path.strip("/"):
        return f"say which name to ask for: {example}"
    return None


def _can_be_a_name(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _times(definition: Definition) -> Iterable[Problem]:
    if not INTERVAL_MIN <= definition.interval <= INTERVAL_MAX:
        yield Problem("interval", "an interval lies between 1 s and 7 d")
    if not 0.1 <= definition.timeout <= TIMEOUT_MAX:
        yield Problem("timeout", "a timeout lies between 0.1 s and 300 s")
    if not 0 <= definition.retries <= RETRIES_MAX:
        yield Problem("retries", f"retries lie between 0 and {RETRIES_MAX}")
    if definition.retry_interval is not None and not 0.2 <= definition.retry_interval <= INTERVAL_MAX:
        yield Problem("retry_interval", "the time between retries lies between 0.2 s and 7 d")
    if not 0 <= definition.grace <= INTERVAL_MAX:
        yield Problem("grace", "a grace lies between 0 s and 7 d")
    if kind_of(definition.url) is Kind.DOMAIN and definition.interval < 3600:
        yield Problem("interval", "registries want to be asked seldom: 1 h at least")
    if kind_of(definition.url) is Kind.OBSERVED and definition.interval < OBSERVED_MIN:
        yield Problem("interval", "within which sessions report of it, or it is unknown: 5 min at least, such as 4h")


def _conditions(definition: Definition) -> Iterable[Problem]:
    for field, texts in (("conditions", definition.conditions), ("warnings", definition.warnings)):
        for text in texts:
            try:
                parse(text)
            except ConditionError as error:
                yield Problem(field, str(error))


def _lists(definition: Definition) -> Iterable[Problem]:
    for field in ("conditions", "warnings", "tags", "needs", "command", "headers", "notify"):
        if len(getattr(definition, field)) > LIST_MAX:
            yield Problem(field, f"at most {LIST_MAX}")
    for tag in definition.tags:
        if not TAG.fullmatch(tag):
            yield Problem("tags", f"{tag!r}: a tag has 1 to 40 characters, no blank, comma or *")
    for field in ("body", "description", "group"):
        if len(getattr(definition, field)) > TEXT_MAX:
            yield Problem(field, f"at most {TEXT_MAX} characters")


def _needs(definition: Definition, others: Mapping[str, Iterable[str]], before: str) -> Iterable[Problem]:
    known = {name for name in others if name != before} | {definition.name}
    for name in definition.needs:
        if name not in known:
            yield Problem("needs", f"there is no service {name!r}")
    graph = {name: tuple(needs) for name, needs in others.items() if name != before}
    if circle := _circle({**graph, definition.name: definition.needs}, definition.name):
        yield Problem("needs", f"services can't depend on one another in a circle: {' → '.join(circle)}")


def _circle(graph: Mapping[str, Iterable[str]], start: str) -> list[str] | None:
    ways: list[list[str]] = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for name in graph.get(way[-1], ()):
            if name == start:
                return [*way, start]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return None


def _http(definition: Definition) -> Iterable[Problem]:
    if definition.method not in METHODS:
        yield Problem("method", f"one of {', '.join(METHODS)}")
    for name, value in definition.headers.items():
        if not HEADER.fullmatch(name):
            yield Problem("headers", f"{name!r} is no name of a header")
        if any(letter in value for letter in "\r\n\0"):
            yield Problem("headers", f"the value of {name} has a line break")
    signs_in = _split(definition.url)
    if signs_in is not None and "@" in signs_in.netloc and "authorization" in map(str.lower, definition.headers):
        yield Problem("headers", "the URL has a name or password already: leave out that, or the header Authorization")
    proxy = _split(definition.proxy)
    if definition.proxy and (proxy is None or proxy.scheme not in ("http", "https") or not proxy.hostname):
        yield Problem("proxy", "a proxy is written like http://proxy.example.org:3128")
    if not _can_be_a_name(definition.server_name):
        yield Problem("server_name", NO_NAME)
    if definition.family not in (0, 4, 6):
        yield Problem("family", "4 or 6 for one kind of addresses, 0 for any")
    if bool(definition.certificate_file) != bool(definition.key_file):
        yield Problem("certificate_file", "a client certificate needs both its file and its key's")


def _own(definition: Definition) -> Iterable[Problem]:
    kind = kind_of(definition.url)
    if kind is Kind.COMMAND and not definition.command:
        yield Problem("command", "say which command to run, as a list of words")
    try:
        where = zone(definition.zone)
    except ValueError as error:
        yield Problem("zone", str(error))
        return
    if definition.cron:
        try:
            cron.following(definition.cron, _SOME_DAY.replace(tzinfo=where))
        except ValueError as error:
            yield Problem("cron", str(error))


def _policy(definition: Definition) -> Iterable[Problem]:
    if definition.session_tier is not None and definition.session_tier not in policies.TIERS:
        yield Problem("session_tier", "1, 2 or 3; 0 starts no session")
    if definition.session_after is not None and not 1 <= definition.session_after <= policies.AFTER_MAX:
        yield Problem("session_after", f"failures in a row are 1 to {policies.AFTER_MAX}")
    for field in ("session_cooldown", "remind"):
        value = getattr(definition, field)
        if value is not None and not 0 <= value <= policies.SPAN_MAX:
            yield Problem(field, "it lies between 0 s and 31 d")
    for name in definition.notify:
        if not policies.CHANNEL.fullmatch(name):
            yield Problem("notify", f"{name!r} is no channel; claudeopsctl notifications shows them")
    if definition.notify_from not in ("", *policies.LEVELS):
        yield Problem("notify_from", f"one of {', '.join(policies.LEVELS)}; empty: as its tags or the settings say")


def masked(url: str) -> str:
    """A URL as people may see it: without its password, without what stands in query fields that sound secret."""
    parts = _split(url)
    if parts is None:
        return url
    place = parts.netloc
    if "@" in place:
        sign_in, _, host = place.rpartition("@")
        user, colon, password = sign_in.partition(":")
        if is_token(url, password):
            place = f"{MASK}:{MASK}@{host}"
        elif colon:
            place = f"{user}:{MASK}@{host}"
    query = re.sub(r"(^|&)([^=&]+)=([^&]*)", _mask_field, parts.query)
    return urlunsplit(parts._replace(netloc=place, query=query))


def is_token(url: str, password: str) -> bool:
    """Whether the user of a URL is what it is signed in with."""
    return not password and kind_of(url) in BY_TOKEN


def origin(url: str) -> tuple[str, str]:
    """The scheme and the host with its port: who gets what a request carries."""
    parts = _split(url)
    return (parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower()) if parts else ("", url)


def _mask_field(match: "re.Match[str]") -> str:
    value = MASK if match[3] and SECRETIVE.search(match[2]) else match[3]
    return f"{match[1]}{match[2]}={value}"


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url) if "//" in url else None
    except ValueError:
        return None
