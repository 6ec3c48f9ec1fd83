"""How sure a memory is: reinforced when it is said again, weakened when it is contradicted, fading with age. Pure.

Called by `daemon.memories.stored` and `daemon.sessions.said`; the categories also by `daemon.sessions.markers`.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from daemon.memories import wording
from schema.knowledge import CATEGORIES, OBSERVATION_MAX, SERVICE_MAX, Memory

OTHER = "behavior"
FIRST = 0.7
REINFORCED = 0.1
CONTRADICTED = 0.2
FADED = 0.1
ACTIVE_FROM = 0.3
FADES_AFTER = timedelta(days=30)
FADES_EVERY = timedelta(weeks=1)


class Weight(NamedTuple):
    """What becomes of a stored memory."""

    id: int
    confidence: float
    active: bool


class Remembered(NamedTuple):
    """What a memory that is said changes: the same one known already, or those that it contradicts."""

    same: Weight | None
    weakened: list[Weight]


class Faded(NamedTuple):
    """A memory that has grown old by one more week, and when that was due."""

    weight: Weight
    decayed_at: datetime


def category_of(word: str) -> str:
    """A category that is one of CATEGORIES; a word that is none is `behavior`, the least special of them."""
    plain = word.strip().lower()
    return plain if plain in CATEGORIES else OTHER


def known(alike: Sequence[Memory], observation: str) -> Memory | None:
    """The memory that says the same, word for word if there is one; None if none does."""
    said = wording.gist(observation)
    same = [memory for memory in alike if wording.same(wording.gist(memory.observation), said)]
    return next((memory for memory in same if wording.gist(memory.observation) == said), same[0] if same else None)


def is_active(confidence: float) -> bool:
    """Whether a memory of this confidence is told to sessions."""
    return confidence >= ACTIVE_FROM


def weight(id_: int, confidence: float) -> Weight:
    """A confidence within [0, 1], without the dust of binary fractions: 0.7 - 0.2 - 0.2 is still 0.3."""
    rounded = min(1.0, max(0.0, round(confidence, 4)))
    return Weight(id_, rounded, is_active(rounded))


def remember(alike: Sequence[Memory], observation: str, beside: Collection[int] = ()) -> Remembered:
    """What an observation does to the active memories of its service and category.

    One that says the same is reinforced, and contradicts nothing. A new one contradicts every other, but for those in
    `beside`: ids of memories that the same session has said, which it wants to stand side by side.
    """
    if (same := known(alike, observation)) is not None:
        return Remembered(weight(same.id, same.confidence + REINFORCED), [])
    return Remembered(
        None, [weight(memory.id, memory.confidence - CONTRADICTED) for memory in alike if memory.id not in beside]
    )


def fade(memory: Memory, updated_at: datetime, decayed_at: datetime | None, now: datetime) -> Faded | None:
    """The memory's next step of ageing, if that is due; None otherwise. Asking again changes nothing.

    The first step is due 30 days after the last update, each further one a week later. There is one step at most at a
    time: weeks in which no daemon ran, and nothing could be confirmed, do not count.
    """
    if decayed_at is None or decayed_at < updated_at:
        due = updated_at + FADES_AFTER
        if now <= due:
            return None
    else:
        due = decayed_at + FADES_EVERY
        if now < due:
            return None
    # Exactly a week from step to step, however irregular the daemon asks; but never two at once.
    return Faded(weight(memory.id, memory.confidence - FADED), due if now - due < FADES_EVERY else now)


class Draft(NamedTuple):
    """A memory as a person wants it."""

    service: str | None
    category: str
    observation: str
    confidence: float
    active: bool


def check(draft: Draft, given: Collection[str] = Draft._fields) -> tuple[str, str] | None:
    """(field, what would be right) of the first field that can't be as it is; None if all is well.

    Only fields in `given` are judged: what an older program has stored may stay.
    """
    return next(((field, told) for field, told in _problems(draft) if field in given), None)


def _problems(draft: Draft) -> Iterator[tuple[str, str]]:
    if not draft.observation.strip():
        yield "observation", "say in a sentence what is to be remembered"
    if len(draft.observation) > OBSERVATION_MAX:
        yield "observation", f"at most {OBSERVATION_MAX} characters, these are {len(draft.observation)}"
    if draft.category not in CATEGORIES:
        yield "category", f"one of {', '.join(CATEGORIES)}, not {draft.category[:40]!r}"
    if draft.service is not None and (len(draft.service) > SERVICE_MAX or not draft.service.isprintable()):
        yield "service", f"a name of at most {SERVICE_MAX} characters, without line breaks; empty means all services"
    if not math.isfinite(draft.confidence) or not 0 <= draft.confidence <= 1:
        yield "confidence", f"a number from 0 to 1, not {draft.confidence:g}"
    if draft.active and not is_active(draft.confidence):
        yield "active", f"a memory below {ACTIVE_FROM} is not told to sessions; raise its confidence too"


def revised(
    memory: Memory,
    *,
    service: str | None,
    category: str | None,
    observation: str | None,
    confidence: float | None,
    active: bool | None,
) -> Draft:
    """A memory with what is given of it changed; None leaves a field, and an empty service means all services.

    Unless it is said, whether it is active follows its confidence where that crosses the border.
    """
    sure = memory.confidence if confidence is None else confidence
    if active is None:
        crossed = is_active(sure) and not is_active(memory.confidence)
        active = is_active(sure) and (memory.active or crossed)
    return Draft(
        memory.service if service is None else service.strip() or None,
        memory.category if category is None else category,
        memory.observation if observation is None else observation,
        sure,
        active,
    )
