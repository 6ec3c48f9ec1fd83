"""What a scenario directory says: `scenario.toml` and, for the scripted half, `script.toml`, read and checked.

    scenarios/<name>/scenario.toml   what it is, its services, its budget, what is expected (`Scenario`)
    scenarios/<name>/fault           a program that breaks it, with docker and the like on PATH
    scenarios/<name>/repair-check    a program; exit 0: the fault is gone, and nothing else was changed by that
    scenarios/<name>/script.toml     what the scripted model says and calls, by tier (`Script`)

Both programs find the world's directory in $WORLD, and of each service its URL and directory in $<NAME>_URL and
$<NAME>_DIR. Unknown keys are errors.
"""

import tomllib
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

SCENARIOS = Path(__file__).parent / "scenarios"
T = TypeVar("T")
Level = Literal["info", "warning", "critical"]


class ScenarioError(Exception):
    """A scenario that can't be used; the message names the file and what is wrong with it."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A base for what is written in these files."""


class ServiceOf(Part, frozen=True):
    """A service of the world. `needs`: names of others. `volume_kib`: the size of its volume, 0 for none."""

    needs: tuple[str, ...] = ()
    needs_at_start: bool = False
    timeout_s: float = 1.0
    tls: bool = False
    volume_kib: int = 0


class Budget(Part, frozen=True):
    """What a whole run may take. A session may spend a third of the dollars: a chain has three at most."""

    calls: int
    dollars: float
    seconds: float


class Person(Part, frozen=True):
    """What a person answers to each call that waits for one; `nobody` leaves them waiting."""

    answer: Literal["approve", "deny", "nobody"] = "nobody"
    reason: str = ""


class Earlier(Part, frozen=True):
    """An action that was counted before the run."""

    service: str
    action: Literal["restart", "redeployment"]
    hours_ago: float


class ExpectedEvent(Part, frozen=True):
    """An event that has to be told: of this level or a worse one, of this service or one named in its words."""

    level: Level
    service: str = ""


class Expected(Part, frozen=True):
    """How a run should end.

    `tier`: the highest that was reached. `status`: of the last session. `acts`: patterns, each of something that really
    ran. `events`: each has to be there. `quiet`: no event of this level or a worse one. `needs_human`: people are told.
    """

    tier: int
    healthy: bool
    status: tuple[str, ...] = ("completed",)
    acts: tuple[str, ...] = ()
    events: tuple[ExpectedEvent, ...] = ()
    quiet: Level | None = None
    needs_human: bool = False


class Bounds(Part, frozen=True):
    """What a run may do to the world.

    `forbidden`: patterns of what must never run, whatever it is wrapped in. `attempts`: how many such calls are no
    fault, because a refusal is how a session learns of it. `asks`: how many calls may be put to a person. `restarts`
    and `changes`: services and files (as * patterns, from the world's directory) that may be touched.
    """

    forbidden: tuple[str, ...]
    attempts: int = 0
    asks: int = 0
    restarts: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


class Scenario(Part, frozen=True):
    """One scenario. `easy` ones have a script and run with the tests, `live` ones only with a real model.

    `notes` are for the model, in the repository that describes the services. `probe` names the service that is asked at
    the end; `broken` is whether the fault makes it fail. `settings` are the daemon's.
    """

    what: str
    difficulty: Literal["easy", "live"]
    budget: Budget
    expected: Expected
    bounds: Bounds
    services: dict[str, ServiceOf]
    notes: str = ""
    start_tier: Literal[1, 2, 3] = 1
    probe: str = "web"
    broken: bool = True
    settings: dict[str, str] = {}
    person: Person = Person()
    earlier: tuple[Earlier, ...] = ()


class Call(Part, frozen=True):
    """A call of the scripted model: of Bash, or of any other tool with its input."""

    bash: str = ""
    tool: str = ""
    input: dict[str, Any] = {}
    why: str = "to see how it is"


class Report(Part, frozen=True):
    """The structured output that ends a session."""

    summary: str
    status: dict[str, str]
    needed: bool = False
    context: str = ""


class TurnOf(Part, frozen=True):
    """One turn of the scripted model: words and calls, or a report."""

    say: str = ""
    calls: tuple[Call, ...] = ()
    report: Report | None = None


class Script(Part, frozen=True):
    """All turns of a scripted model. `attempts`: how many forbidden calls it makes."""

    tier1: tuple[TurnOf, ...] = ()
    tier2: tuple[TurnOf, ...] = ()
    tier3: tuple[TurnOf, ...] = ()
    attempts: int = 0


def names() -> list[str]:
    """All scenarios."""
    return sorted(path.name for path in SCENARIOS.iterdir() if path.is_dir())


def scenario(name: str) -> Scenario:
    """One scenario. ScenarioError if there is none, or it can't be used."""
    if name not in names():
        raise ScenarioError(f"there is no scenario {name}; there are: {', '.join(names())}")
    place = SCENARIOS / name
    found = _read(place / "scenario.toml", Scenario)
    missing = [part for part in ("fault", "repair-check") if not (place / part).is_file()]
    if found.difficulty == "easy" and not (place / "script.toml").is_file():
        missing.append("script.toml")
    if missing:
        raise ScenarioError(f"{place}: {', '.join(missing)} is missing")
    return found


def script(name: str) -> Script:
    """What the scripted model says in a scenario."""
    return _read(SCENARIOS / name / "script.toml", Script)


def _read(path: Path, type_: type[T]) -> T:
    try:
        return msgspec.convert(tomllib.loads(path.read_text()), type_)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ScenarioError(f"{path}: {error}") from error
