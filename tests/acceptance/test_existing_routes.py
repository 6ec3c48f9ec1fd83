"""Every address of the existing program, asked as its users do, against a whole daemon: status, shape, where it leads.

The table stands in the order in which the addresses are asked, for some change what later ones show. What is different
here on purpose says so in the words of docs/migrating.md.
"""

import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.acceptance.harness import ROOT, Daemon, running, wait_for
from tests.acceptance.test_api import CONFIG, FIGURES, LAST_SESSION, MEMORY, SESSION

KEY = "chat-key-made-up-0123456789"
HTMX = {"HX-Request": "true"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PLAIN = {"Content-Type": "text/plain"}
LOOK = json.dumps({"lines": 1})
CHAT = [{"role": "user", "content": LOOK}]
PARTS = [{"role": "user", "content": [{"type": "text", "text": LOOK}]}]
EVENT = {"id": int, "session_id": int, "level": "warning", "service": "web", "message": str, "created_at": str}
COOLDOWN = {"service": "web", "action_type": "restart", "count": 1, "last_action": str}
DETAIL = {**SESSION, "response": str | None, "parent_session": None, "child_sessions": list, "chain_cost": float | None}
STATS = {"stats": FIGURES, "last_session": LAST_SESSION, "next_run": None, "interval_seconds": int}
MODELS = {"models": list, "last_refreshed": str | None, "discovery_available": bool}
ERROR = {"error": str}
WEBHOOK = {"session_id": None, "status": "triggered", "tier": 2}
COMPLETION = {
    "id": str, "object": "chat.completion", "created": int, "model": str,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": str}, "finish_reason": "stop"}],
}  # fmt: skip
OPENAI_ERROR = {"error": {"message": str, "type": str}}
OPENAI_MODEL = {"id": str, "object": "model", "owned_by": str}
OLLAMA_MODEL = {"name": str, "model": str, "modified_at": str, "size": int, "digest": str, "details": dict}
OLLAMA_CHAT = {"model": str, "created_at": str, "message": {"role": "assistant", "content": str}, "done": True}
OLLAMA_TEXT = {"model": str, "created_at": str, "response": str, "done": True}


class Whole(NamedTuple):
    """A page with its frame, with these words."""

    words: str = ""


class Part(NamedTuple):
    """A page's content without its frame."""

    words: str = ""


class Kind(NamedTuple):
    """An answer of a type that is neither page nor JSON, with these words."""

    type: str
    words: str = ""


class Line(NamedTuple):
    """One request. `sent`: a form for pages, JSON for programs; `leads`: the place that a header names; `tier`: one
    that has to be free; `differs`: what docs/migrating.md says of it.
    """

    method: str
    path: str
    status: int
    says: Any = None
    who: str = "viewer"
    sent: Any = None
    headers: Mapping[str, str] = {}
    leads: str = ""
    tier: int = 0
    differs: str = ""


def page(path: str, words: str) -> tuple[Line, Line]:
    """A page, and its content for htmx."""
    return Line("GET", path, 200, Whole(words), headers=BROWSER), Line("GET", path, 200, Part(words), headers=HTMX)


def act(path: str, status: int, says: Any = None, **more: Any) -> Line:
    """A form of an operator."""
    return Line("POST", path, status, says, **{"who": "operator", "sent": {}, **more})


def look(**more: str) -> dict[str, str]:
    """The fields of the form that starts a session."""
    return {"prompt": LOOK, "tier": "1", **more}


TRIGGER, REST, CHATS = "/sessions/trigger", "/api/v1/sessions/trigger", "/v1/chat/completions"
SIGNED_IN = "There is a sign-in"
PAGES = (
    *page("/", "<h1"),
    *page("/sessions", "/sessions/{ended}"),
    *page("/sessions/{ended}", "it is slow"),
    *page("/events", "it is slow"),
    *page("/memories?service=web&category=timing", "noon"),
    *page("/cooldowns", "<b>web</b>"),
    *page("/config", "CLAUDEOPS_INTERVAL"),
    Line("GET", "/sessions/{ended}/stream", 200, Kind("text/event-stream", "event: done")),
    Line("GET", "/", 303, who="nobody", headers=BROWSER, leads="/sign-in", differs=SIGNED_IN),
    act("/sessions/{stop}/stop", 204, headers=HTMX),
    act("/sessions/{ended}/stop", 409, Part("is over"), headers=HTMX),
    act(TRIGGER, 204, sent=look(), headers=HTMX, leads=r"/sessions/\d+", tier=1),
    act(TRIGGER, 303, sent=look(), headers=BROWSER, leads=r"/sessions/\d+", tier=1),
    act(TRIGGER, 303, sent=look(tier="auto"), leads=r"/sessions/\d+", tier=1),
    act(TRIGGER, 303, sent=look(tier="2"), leads=r"/sessions/\d+", tier=2),
    act(TRIGGER, 400, Part("Say what it should look into"), sent={"prompt": " ", "tier": "1"}, headers=HTMX),
    act(TRIGGER, 400, Whole("A tier is 1, 2 or 3, or auto"), sent=look(tier="9"), headers=BROWSER),
    act(TRIGGER, 409, Whole("tier 3 is busy"), sent=look(tier="3"), headers=BROWSER),
    act("/memories", 303, sent={"category": "timing", "observation": "x"}, leads=r"/memories#memory-\d+"),
    act("/memories/{memory}/update", 303, sent={"observation": "slow at one"}, leads=r"/memories\?shown=all#memory.*"),
    act("/memories/{gone}/delete", 303, leads=r"/memories\?deleted=1"),
    act("/config", 303, who="admin", sent={"interval": "900", "dry_run": "false"}, leads=r"/config\?saved=interval.*"),
    act("/config/models/refresh", 303, leads="/config#discovered"),
    Line("GET", "/static/app.css", 200, Kind("text/css"), who="nobody"),
    Line("GET", "/sw.js", 200, Kind("text/javascript"), who="nobody"),
    Line("GET", "/favicon.svg", 200, Kind("image/svg+xml", "<svg"), who="nobody"),
    Line("GET", "/favicon.ico", 301, who="nobody", leads="/favicon.svg"),
)  # fmt: skip
NOTED = {"category": "timing", "observation": "late", "service": "db"}
JSON = (
    Line("GET", "/api/v1/health", 200, {"status": "ok"}, who="nobody"),
    Line("GET", "/api/v1/stats", 200, STATS),
    Line("GET", "/api/v1/stats", 401, ERROR, who="nobody", differs=SIGNED_IN),
    Line("GET", "/api/v1/sessions?limit=50&offset=0", 200, {"sessions": [SESSION]}),
    Line("GET", "/api/v1/sessions?limit=-1", 400, ERROR),
    Line("GET", "/api/v1/sessions?limit=2000", 400, ERROR, differs="at most 1000 rows at a time"),
    Line("GET", "/api/v1/sessions?offset=900000", 400, ERROR, differs="an `offset` is at most 50,000"),
    Line("GET", "/api/v1/sessions/{ended}", 200, DETAIL),
    Line("GET", "/api/v1/sessions/999999", 404, ERROR),
    act(REST, 201, SESSION, sent={"prompt": LOOK, "start_tier": 1}, tier=1),
    act(REST, 400, ERROR, sent={"start_tier": 1}),
    act(REST, 400, ERROR, sent={"prompt": "x", "start_tier": 9}, differs="A tier that does not exist is 400"),
    act(REST, 409, ERROR, sent={"prompt": "x", "start_tier": 3}),
    act(REST, 415, ERROR, sent='{"prompt": "x"}', headers=PLAIN),
    Line("GET", "/api/v1/events?level=warning&service=web&limit=100&offset=0", 200, {"events": [EVENT]}),
    Line("GET", "/api/v1/memories?limit=200", 200, {"memories": [MEMORY]}),
    act("/api/v1/memories", 201, MEMORY, sent=NOTED),
    act("/api/v1/memories", 400, ERROR, sent={**NOTED, "confidence": 5}, differs="a confidence that can't be"),
    Line("PUT", "/api/v1/memories/{memory}", 200, MEMORY, "operator",
         {"observation": "slow at two", "confidence": 0.9, "active": True}),
    Line("PUT", "/api/v1/memories/{memory}", 400, ERROR, "operator", {"observation": "x"},
         differs="without one of its fields"),
    Line("DELETE", "/api/v1/memories/{other}", 204, who="operator"),
    Line("GET", "/api/v1/cooldowns", 200, {"cooldowns": [COOLDOWN]}),
    Line("GET", "/api/v1/config", 200, {**CONFIG, "interval": 900}),
    Line("PUT", "/api/v1/config", 200, {**CONFIG, "interval": 600}, "admin", {"interval": 600, "max_tier": 3}),
    Line("PUT", "/api/v1/config", 400, ERROR, "admin", {"max_tier": 2}),
    Line("GET", "/api/v1/models/available", 200, MODELS),
    Line("GET", "/api/v1/models/available?refresh=true", 200, MODELS),
    act("/api/v1/models/available/refresh", 200, MODELS),
    act("/api/v1/webhook", 202, WEBHOOK, who="key", sent={"title": "disk full", "tier": 2},
        differs="`session_id` is null"),
    act("/api/v1/webhook", 401, ERROR, who="wrong", sent={"title": "disk full"}),
    Line("GET", "/api/v1/nowhere", 404, ERROR),
    Line("GET", "/api/openapi.yaml", 200, Kind("application/yaml", "openapi: 3.1"), who="nobody"),
    Line("GET", "/api/docs/", 200, Whole("/api/v1/webhook"), headers=BROWSER),
    Line("GET", "/api/docs/", 303, who="nobody", headers=BROWSER, leads="/sign-in.*", differs=SIGNED_IN),
)  # fmt: skip
PROGRAMS = (
    act(CHATS, 200, COMPLETION, who="key", sent={"model": "claude-ops", "messages": CHAT}, tier=1),
    act(CHATS, 200, COMPLETION, who="key", sent={"model": "claude-ops-tier2", "messages": PARTS}, tier=2),
    act(CHATS, 200, Kind("text/event-stream", "data: [DONE]"), who="key",
        sent={"model": "claude-ops-tier1", "messages": CHAT, "stream": True}, tier=1),
    act(CHATS, 200, COMPLETION, who="key", sent={"model": "claude-ops-tier3", "messages": CHAT}),
    act(CHATS, 401, OPENAI_ERROR, who="wrong", sent={"messages": CHAT}),
    act(CHATS, 401, OPENAI_ERROR, who="nobody", sent={"messages": CHAT}),
    Line("GET", "/v1/models", 200, {"object": "list", "data": [OPENAI_MODEL]}, "key"),
    Line("GET", "/v1/models", 401, OPENAI_ERROR, "nobody", differs="`GET /v1/models`"),
    Line("GET", "/api/version", 200, {"version": str}, "key"),
    Line("GET", "/api/version", 401, ERROR, "nobody", differs="`GET /api/version`"),
    Line("GET", "/api/tags", 200, {"models": [OLLAMA_MODEL]}, "key"),
    Line("GET", "/api/tags", 401, ERROR, "nobody", differs="`GET /api/tags`"),
    act("/api/chat", 200, OLLAMA_CHAT, who="key",
        sent={"model": "claude-ops:latest", "messages": CHAT, "stream": False}, tier=1),
    act("/api/chat", 200, Kind("application/x-ndjson", '"done":true'), who="key",
        sent={"model": "claude-ops", "messages": CHAT}, tier=1),
    act("/api/generate", 200, OLLAMA_TEXT, who="key", sent={"model": "claude-ops", "prompt": LOOK, "stream": False},
        tier=1),
    act("/api/generate", 200, Kind("application/x-ndjson", '"done":true'), who="key",
        sent={"model": "claude-ops", "prompt": LOOK}, tier=1),
    act("/api/chat", 401, ERROR, who="wrong", sent={"messages": CHAT}),
    # By a script, the same as by htmx.
    act("/sessions/{busy}/stop", 204),
)  # fmt: skip
TABLE = (*PAGES, *JSON, *PROGRAMS)
UNSET = (
    act(CHATS, 503, OPENAI_ERROR, who="key", sent={"messages": CHAT}),
    act(CHATS, 503, OPENAI_ERROR, who="nobody", sent={"messages": CHAT}),
    act("/api/chat", 503, ERROR, who="key", sent={"messages": CHAT}, differs="Without a key the endpoints"),
    act("/api/generate", 503, ERROR, who="nobody", sent={"prompt": LOOK}, differs="Without a key the endpoints"),
    act("/api/v1/webhook", 503, ERROR, who="key", sent={"title": "x"}),
    act(REST, 400, ERROR, sent={"prompt": "x", "start_tier": 3}, differs="one above `CLAUDEOPS_MAX_TIER`"),
    act(TRIGGER, 400, Whole("above CLAUDEOPS_MAX_TIER"), sent=look(tier="3"), headers=BROWSER),
)


class Place:
    """A daemon, who asks it, and what stands for the ids of the table."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.ids: dict[str, int] = {}
        self.shown = {"key": KEY, "wrong": "guess"}
        for role in ("viewer", "operator", "admin"):
            self.shown[role] = daemon.json("token", "create", "--name", role, "--role", role)["token"]

    def ask(self, line: Line, *, shown: Mapping[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        """Sends one line; `shown` in the place of its token."""
        if line.tier:
            wait_for(lambda: self.idle(line.tier), 30, f"tier {line.tier} free for {line}")
        headers = {"Authorization": f"Bearer {self.shown[line.who]}"} if line.who != "nobody" else {}
        as_json = line.path.startswith(("/api/", "/v1/"))
        sent = line.sent
        if sent is not None and not isinstance(sent, str):
            sent = json.dumps(sent) if as_json else urllib.parse.urlencode(sent)
        kind = {"Content-Type": "application/json" if as_json else "application/x-www-form-urlencoded"}
        more = {**kind, **(headers if shown is None else shown), **line.headers}
        return self.daemon.request(line.method, line.path.format(**self.ids), sent or "", more, timeout=30)

    def idle(self, tier: int) -> bool:
        """Whether nothing of a tier runs or waits."""
        shown = {"Authorization": f"Bearer {self.shown['viewer']}"}
        both = [self.daemon.request("GET", f"/api/v1/{path}", headers=shown)[2] for path in (
            "sessions?status=running", "triggers?status=waiting")]  # fmt: skip
        found = json.loads(both[0])["sessions"] + json.loads(both[1])["triggers"]
        return tier not in [one["tier"] for one in found]


def memory(place: Place, observation: str) -> int:
    """A memory of web."""
    given = ("--service", "web", "--category", "timing")
    return int(place.daemon.json("memories", "add", observation, *given)["id"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A daemon with a session that has ended, two that run, memories, an event and a restart."""
    settings = {"CLAUDEOPS_CHAT_API_KEY": KEY, "CLAUDEOPS_CHAT_WAIT": "1"}
    with running(tmp_path_factory.mktemp("routes") / "d", **settings) as daemon:
        found = Place(daemon)
        said = "[EVENT:warning:web] it is slow\n[COOLDOWN:restart:web] success - it answers"
        ended = daemon.wait_ended(daemon.trigger(lines=1, say=said)["id"])
        found.ids = {
            "ended": ended["id"],
            "stop": daemon.trigger(tier=2, hang=60)["id"],
            "busy": daemon.trigger(tier=3, hang=60)["id"],
            "memory": memory(found, "slow at noon"),
            "gone": memory(found, "gone by the form"),
            "other": memory(found, "gone by the API"),
        }
        yield found


def unlike(found: Any, shape: Any, at: str = "answer") -> str:
    """Where an answer has not the shape that programs know; empty where it has. What comes on top is passed over."""
    if isinstance(shape, dict):
        if not isinstance(found, dict) or shape.keys() - found.keys():
            return f"{at} is {found!r:.300}"
        return next(filter(None, (unlike(found[name], shape[name], f"{at}.{name}") for name in shape)), "")
    if isinstance(shape, list):
        if not isinstance(found, list) or not found:
            return f"{at} is {found!r:.300}"
        return next(filter(None, (unlike(one, shape[0], f"{at}[{index}]") for index, one in enumerate(found))), "")
    if shape is None or isinstance(shape, str | int | bool):
        return "" if found == shape else f"{at} is {found!r:.300}, not {shape!r}"
    fits = isinstance(found, shape) or (type(found) is int and shape in (float, float | None))
    return "" if fits else f"{at} is {found!r:.300}, not of {shape}"


def wrong(line: Line, answer: tuple[int, dict[str, str], bytes], ids: Mapping[str, int]) -> str:
    """What an answer lacks; empty where it is as the table says."""
    status, headers, body = answer
    kind, text = headers.get("Content-Type", "").partition(";")[0], body.decode()
    if status != line.status:
        return f"{status} {text[:300]}"
    if line.leads:
        place = headers.get("HX-Redirect" if status == 204 else "Location", "")
        return "" if re.fullmatch(line.leads, place) else f"leads to {place!r}"
    match line.says:
        case None:
            return "" if status not in (200, 204) or not text else f"says {text[:300]}"
        case Kind(type_, words):
            return "" if kind == type_ and words in text else f"is {kind}: {text[:300]}"
        case Whole(words) | Part(words):
            framed, there = "<html" in text, words.format(**ids) in text
            fits = kind == "text/html" and there and framed == isinstance(line.says, Whole)
            return "" if fits and "HX-Request" in headers.get("Vary", "") else f"is {kind}, {framed=}: {text[-2000:]}"
    return unlike(json.loads(text), line.says) if kind == "application/json" else f"is {kind}: {text[:300]}"


def told(lines: tuple[Line, ...], place: Place) -> list[str]:
    """The lines that are not as the table says."""
    found = [(line, wrong(line, place.ask(line), place.ids)) for line in lines]
    return [f"{line.method} {line.path} {line.who} {line.sent}: {why}" for line, why in found if why]


def test_every_address_answers_as_the_existing_programs_users_know_it(place: Place) -> None:
    assert told(TABLE, place) == []


def test_forms_of_a_signed_in_browser_want_their_token_also_from_htmx(place: Place) -> None:
    place.daemon.sign_in()
    shown = {"Cookie": place.daemon.cookie}
    forms = [line for line in PAGES if line.method == "POST"]
    assert len(forms) >= 10
    for line in forms:
        for who, status in ((shown, 403), ({"Cookie": ""}, 401)):
            answer = place.ask(line._replace(tier=0), shown=who)
            assert answer[0] == status, (line.path, answer[2][:300])


def test_without_a_key_chats_are_closed_and_no_tier_above_the_highest_starts(tmp_path: Path) -> None:
    with running(tmp_path / "d", CLAUDEOPS_MAX_TIER="2") as daemon:
        assert told(UNSET, Place(daemon)) == []


def test_what_is_different_on_purpose_is_told_to_whoever_comes_from_there() -> None:
    guide = " ".join((ROOT / "docs" / "migrating.md").read_text(encoding="utf-8").split())
    differing = {line.differs for line in (*TABLE, *UNSET) if line.differs}
    assert len(differing) >= 10
    assert [words for words in sorted(differing) if words not in guide] == []
