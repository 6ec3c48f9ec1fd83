"""What operations of the API are asked with: query parameters and bodies, field by field, with their bounds.

The fields are those that programs written for the existing Go program send; ours come on top of them. Listed with
their operations in `webui.api.operations`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schema.access import NAME_MAX, Scope
from schema.knowledge import OBSERVATION_MAX, SERVICE_MAX, Level
from schema.states import ApprovalStatus, Role, SessionStatus, TriggerStatus

MOST = 1000
# Passing rows over takes as long as reading them; who goes on by `before` passes none over.
FURTHEST = 50_000
PROMPT_MAX = 1_000_000
NUMBER_MAX = 10**18

Limit = Annotated[int, Meta(ge=0, le=MOST, description="How many at most.")]
Offset = Annotated[
    int,
    Meta(ge=0, le=FURTHEST, description="How many to pass over, from the newest on; `before` goes further."),
]
Before = Annotated[int, Meta(ge=0, le=NUMBER_MAX, description="Only those with a smaller id; 0 for the newest.")]
Name = Annotated[str, Meta(max_length=200)]
Prompt = Annotated[
    str,
    # NULs are no words, and no shell or file takes them.
    Meta(
        min_length=1,
        max_length=PROMPT_MAX,
        pattern=r"^\s*[^\s\x00][^\x00]*$",
        description="What to look into.",
        examples=["web answers 502 since 14:00; find out why"],
    ),
]
Model = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@\[\]-]*$",
        description="An alias of the claude CLI, such as sonnet, or a model's full id.",
        examples=["sonnet"],
    ),
]
Category = Literal["timing", "dependency", "behavior", "remediation", "maintenance"]  # schema.knowledge.CATEGORIES
Observation = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=OBSERVATION_MAX,
        pattern=r"[^\s\x00]",
        description="One sentence; kept on one line.",
        examples=["The backup of db runs from 02:00 to 02:20."],
    ),
]
NewName = Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]
Time = Annotated[
    str, Meta(max_length=40, description="A time to come, in RFC 3339.", examples=["2030-01-31T08:00:00Z"])
]
Service = Annotated[str, Meta(max_length=SERVICE_MAX, description="Empty: all services.")]
Sure = Annotated[float, Meta(ge=0, le=1, description="Below 0.3 it is not told to sessions.")]


class Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request brings: a field that is not known is refused, for it may be a slip of the pen."""


# Queries


class Page(Given, frozen=True):
    """Which part of a list."""

    limit: Limit = 50
    offset: Offset = 0
    before: Before = 0


class KeyedPage(Given, frozen=True):
    """Which part of a list that is told by the worker."""

    limit: Annotated[int, Meta(ge=1, le=500, description="How many at most.")] = 50
    before: Before = 0


class SessionQuery(Page, frozen=True):
    """Which sessions."""

    status: SessionStatus | UnsetType = UNSET


class EventQuery(Page, frozen=True):
    """Which events."""

    level: Level | UnsetType = UNSET
    service: Name = ""
    limit: Limit = 100


class MemoryQuery(Given, frozen=True):
    """Which memories; they come by confidence."""

    service: Name = ""
    category: Name = ""
    limit: Limit = 200
    offset: Annotated[int, Meta(ge=0, le=FURTHEST, description="How many to pass over.")] = 0


class TriggerQuery(Page, frozen=True):
    """Which triggers."""

    status: TriggerStatus | UnsetType = UNSET


class ApprovalQuery(Page, frozen=True):
    """Which approvals."""

    status: ApprovalStatus | UnsetType = UNSET


class AuditQuery(Page, frozen=True):
    """Which lines of the audit log."""

    action: Name = ""
    session: Annotated[int, Meta(ge=1, le=NUMBER_MAX)] | UnsetType = UNSET


class ModelsQuery(Given, frozen=True):
    """Whether to ask anew."""

    refresh: bool = False


# Bodies


class TriggerSessionBody(Given, frozen=True):
    """A session that is to start at once. `start_tier` 0 means 1."""

    prompt: Prompt
    start_tier: Annotated[int, Meta(ge=0, le=3)] = 1


class TriggerBody(Given, frozen=True):
    """A trigger for the queue. Without a prompt, the tier's prompt file; `key` says what is the same while it waits."""

    prompt: Annotated[str, Meta(max_length=PROMPT_MAX, pattern=r"^[^\x00]*$")] = ""
    tier: Annotated[int, Meta(ge=1, le=3)] = 1
    kind: Literal["api", "alert"] = "api"
    key: Name = ""


class NewMemory(Given, frozen=True):
    """A memory that a person or a program notes."""

    category: Category
    observation: Observation
    service: Service | None = None
    confidence: Sure = 0.7


class ChangedMemory(Given, frozen=True):
    """A memory as it is to be. What may be left out stays as it is."""

    observation: Observation
    confidence: Sure
    active: bool
    category: Category | UnsetType = UNSET
    service: Service | UnsetType | None = UNSET


class WebhookQuery(Given, frozen=True):
    """The tier that the sessions of alerts start at, in the place of the one that their body may name."""

    tier: Annotated[int, Meta(ge=1, le=3)] | None = None


class ConfigChange(Given, frozen=True):
    """Settings that are to change; the others stay. The last four can only be sent as they are."""

    interval: Annotated[int, Meta(ge=1, le=2**53, description="Seconds between scheduled sessions.")] | UnsetType = (
        UNSET
    )
    tier1_model: Model | UnsetType = UNSET
    tier2_model: Model | UnsetType = UNSET
    tier3_model: Model | UnsetType = UNSET
    dry_run: bool | UnsetType = UNSET
    max_tier: int | UnsetType = UNSET
    state_dir: str | UnsetType = UNSET
    results_dir: str | UnsetType = UNSET
    repos_dir: str | UnsetType = UNSET


class DenyBody(Given, frozen=True):
    """Why not; the model is told."""

    reason: Annotated[str, Meta(max_length=2000)] = ""


class TestBody(Given, frozen=True):
    """The channel to test; empty for all."""

    channel: Name = ""


class RetryBody(Given, frozen=True):
    """What to send again: one notification (0: all), on one channel (empty: on all)."""

    id: Annotated[int, Meta(ge=0, le=NUMBER_MAX)] = 0
    channel: Name = ""


class NewRule(Given, frozen=True):
    """A standing rule: what becomes of calls that begin like this. Without a host it is for this one, `*` is any."""

    decision: Literal["allow", "ask", "deny"]
    pattern: Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"[^\s\x00]", examples=["docker restart *"])]
    tool: Annotated[str, Meta(min_length=1, max_length=200)] = "Bash"
    host: Annotated[str, Meta(max_length=200)] | None = None
    tier: Literal[1, 2, 3] | None = None
    reason: Annotated[str, Meta(max_length=2000)] | None = None
    expires_at: Time | None = None


class ClearBody(Given, frozen=True):
    """Whose counters begin anew."""

    service: Annotated[str, Meta(min_length=1, max_length=SERVICE_MAX)]


class NewUser(Given, frozen=True):
    """A person who may sign in."""

    name: NewName
    role: Role = Role.VIEWER


class RoleBody(Given, frozen=True):
    """What somebody may do from now on. Tokens that they made and that may more are revoked."""

    role: Role


class DisableBody(Given, frozen=True):
    """Whether the tokens that they made end, too."""

    revoke_tokens: bool = False


class NewToken(Given, frozen=True):
    """An API token. Without scopes it has all of its role's; without an end it counts until it is revoked."""

    name: NewName
    role: Role
    scopes: list[Scope] = []
    expires_at: Time | None = None
