"""How the API is asked for its models, and what its answer comes to. Pure; `daemon.models.discovery` asks."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

FRESH_SECONDS = 300.0
FAILED_SECONDS = 30.0  # after a failure, before whoever does not insist has it asked again
MODELS_MAX = 2000
NAME_MAX = 200
PAGE = 1000
ANTHROPIC = "https://api.anthropic.com"


class Source(NamedTuple):
    """Whom to ask, and as whom."""

    base: str
    key: str
    token: str


class Known(NamedTuple):
    """What is known of a source's models. `told_at` is stored time; `asked`, of the last attempt, is monotonic."""

    source: Source
    models: tuple[str, ...] = ()
    told_at: str | None = None
    asked: float = 0.0
    problem: str = "nobody has asked yet"


def refusal(source: Source, *, demo: bool) -> str:
    """Why there is no use in asking; empty if there is."""
    if not (source.base.strip() or source.key or source.token):
        return "neither ANTHROPIC_API_KEY nor ANTHROPIC_BASE_URL is set"
    return "in the demo all words are scripted" if demo else ""


def is_fresh(known: Known, source: Source, now: float) -> bool:
    """Whether what is known of a source will do."""
    return known.source == source and now - known.asked < (FAILED_SECONDS if known.problem else FRESH_SECONDS)


def url(base: str) -> str:
    """Where models are listed; empty means Anthropic's."""
    return f"{(base.strip() or ANTHROPIC).rstrip('/')}/v1/models?limit={PAGE}"


def models_of(answer: bytes) -> tuple[str, ...]:
    """The ids in an answer, each once, sorted. ValueError for an answer that is no list of models."""
    try:
        found: Any = msgspec.json.decode(answer)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"the answer is no JSON: {error}") from error
    listed = found.get("data") if isinstance(found, Mapping) else None
    if not isinstance(listed, list):
        raise ValueError("the answer has no list of models")  # noqa: TRY004 - what an answer holds is a value
    names = {one.get("id") for one in listed if isinstance(one, Mapping)}
    usable = {name for name in names if isinstance(name, str) and 0 < len(name) <= NAME_MAX and name.isprintable()}
    return tuple(sorted(usable)[:MODELS_MAX])
