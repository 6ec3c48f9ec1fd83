"""Every operation of the HTTP API, declared once. `webui.routes` takes its routes from here, `webui.api.openapi` the
document. To add one: its types in `asked` and `answered`, its line here, its handler.
"""

from ipc.messages.notifications import RetriedReply, TestedReply
from schema.knowledge import Memory
from schema.limits import Approval, ApprovalRule
from schema.triggers import QueuedTrigger
from webui.api import answered, asked
from webui.api.chat_operations import CHATS
from webui.api.operation import Operation
from webui.api.service_operations import SERVICES
from webui.auth.rules import Access, Door

PUBLIC, VIEWER, OPERATOR, ADMIN = Access.PUBLIC, Access.VIEWER, Access.OPERATOR, Access.ADMIN
ROOT = "/api/v1"
ONE = r"/{id:\d+}"
FOREIGN = "What the sender sends: JSON of its own shape, or plain text; at most 256 KiB."

STATUS = (
    Operation(
        "GET", f"{ROOT}/health", "api.health:serves", PUBLIC, "status", "Whether the dashboard serves",
        answered.HealthReply,
    ),
    Operation(
        "GET", f"{ROOT}/stats", "api.stats:show", VIEWER, "status", "Figures for a widget: success, cost, next run",
        answered.StatsReply,
    ),
)  # fmt: skip
SESSIONS = (
    Operation(
        "GET", f"{ROOT}/sessions", "api.sessions:listing", VIEWER, "sessions", "Sessions, newest first",
        answered.SessionList, query=asked.SessionQuery,
    ),
    Operation(
        "POST", f"{ROOT}/sessions/trigger", "api.sessions:trigger", OPERATOR, "sessions",
        "Starts a session at once, or says what is in the way; 409 while its tier is busy", answered.ListedSession, 201,
        body=asked.TriggerSessionBody, errors=(409,),
    ),
    Operation(
        "GET", f"{ROOT}/sessions{ONE}", "api.sessions:one", VIEWER, "sessions", "One session, with its chain",
        answered.SessionDetail,
    ),
    Operation(
        "POST", f"{ROOT}/sessions{ONE}/stop", "api.sessions:stop", OPERATOR, "sessions",
        "Has a session stopped that runs or waits for a person; 409 where it is over", answered.ListedSession,
        errors=(409,),
    ),
    Operation(
        "GET", f"{ROOT}/triggers", "api.triggers:listing", VIEWER, "triggers", "Triggers, newest first",
        answered.TriggerList, query=asked.TriggerQuery,
    ),
    Operation(
        "POST", f"{ROOT}/triggers", "api.triggers:add", OPERATOR, "triggers",
        "Puts a trigger into the queue; it starts when its tier is free", QueuedTrigger, 201, body=asked.TriggerBody,
    ),
    Operation(
        "GET", f"{ROOT}/triggers{ONE}", "api.triggers:one", VIEWER, "triggers", "One trigger, and its session",
        QueuedTrigger,
    ),
    Operation(
        "POST", f"{ROOT}/triggers{ONE}/cancel", "api.triggers:cancel", OPERATOR, "triggers",
        "Takes a waiting trigger out of the queue", QueuedTrigger, errors=(409,),
    ),
)  # fmt: skip
SAID = (
    Operation(
        "GET", f"{ROOT}/events", "api.said:events", VIEWER, "knowledge", "Events, newest first", answered.EventList,
        query=asked.EventQuery,
    ),
    Operation(
        "GET", f"{ROOT}/memories", "api.memories:listing", VIEWER, "knowledge", "Memories, the most certain first",
        answered.MemoryList, query=asked.MemoryQuery,
    ),
    Operation(
        "POST", f"{ROOT}/memories", "api.memories:add", OPERATOR, "knowledge",
        "Adds a memory; the same one again is reinforced, those that it contradicts lose confidence", Memory, 201,
        body=asked.NewMemory,
    ),
    Operation(
        "GET", f"{ROOT}/memories{ONE}", "api.memories:one", VIEWER, "knowledge", "One memory", Memory,
    ),
    Operation(
        "PUT", f"{ROOT}/memories{ONE}", "api.memories:change", OPERATOR, "knowledge", "Changes a memory", Memory,
        body=asked.ChangedMemory,
    ),
    Operation(
        "DELETE", f"{ROOT}/memories{ONE}", "api.memories:delete", OPERATOR, "knowledge", "Deletes a memory", None, 204,
    ),
)  # fmt: skip
LIMITS = (
    Operation(
        "GET", f"{ROOT}/cooldowns", "api.said:cooldowns", VIEWER, "limits",
        "How much of its limits each service has used",
        answered.CooldownList,
    ),
    Operation(
        "POST", f"{ROOT}/cooldowns/clear", "api.said:clear_cooldown", OPERATOR, "limits",
        "Has a service's counters begin anew", answered.CooldownList, body=asked.ClearBody, errors=(404, 409),
    ),
    Operation(
        "GET", f"{ROOT}/approvals", "api.approvals:listing", VIEWER, "limits", "Calls that people were asked about",
        answered.ApprovalList, query=asked.ApprovalQuery,
    ),
    Operation(
        "GET", f"{ROOT}/approvals{ONE}", "api.approvals:one", VIEWER, "limits", "One such call", Approval,
    ),
    Operation(
        "POST", f"{ROOT}/approvals{ONE}/approve", "api.approvals:approve", OPERATOR, "limits",
        "Lets exactly this call run, once; 409 where it was decided", Approval, errors=(409,),
    ),
    Operation(
        "POST", f"{ROOT}/approvals{ONE}/deny", "api.approvals:deny", OPERATOR, "limits",
        "Denies this call, with a reason for the model; 409 where it was decided", Approval, body=asked.DenyBody,
        optional=True, errors=(409,),
    ),
    Operation(
        "GET", f"{ROOT}/rules", "api.approvals:rules", VIEWER, "limits",
        "Standing rules of people for calls to come, newest first", answered.RuleList, query=asked.KeyedPage,
    ),
    Operation(
        "POST", f"{ROOT}/rules", "api.approvals:add_rule", ADMIN, "limits", "Makes a standing rule", ApprovalRule, 201,
        body=asked.NewRule,
    ),
    Operation(
        "DELETE", f"{ROOT}/rules{ONE}", "api.approvals:revoke_rule", ADMIN, "limits",
        "Ends a standing rule; 409 where it is over", None, 204, errors=(409,),
    ),
    Operation(
        "GET", f"{ROOT}/audit", "api.said:audit", VIEWER, "limits", "The audit log, newest first", answered.AuditList,
        query=asked.AuditQuery,
    ),
)  # fmt: skip
ALERTS = tuple(
    Operation(
        "POST", path, "api.webhooks:take", OPERATOR, "alerts", summary, answered.AlertsTaken, 202,
        query=asked.WebhookQuery, raw=True, error=answered.AlertsRefused, door=Door.SIGNED, foreign=FOREIGN,
    )
    for path, summary in (
        (f"{ROOT}/webhook", "An alert of any sender, into the queue"),
        (f"{ROOT}/webhooks/{{source}}", "The alerts of a sender that is known, into the queue"),
    )
)  # fmt: skip
SETTINGS = (
    Operation(
        "GET", f"{ROOT}/config", "api.config:show", VIEWER, "settings", "The settings that programs look at",
        answered.Config,
    ),
    Operation(
        "PUT", f"{ROOT}/config", "api.config:change", ADMIN, "settings",
        "Changes settings, all that are given or none; from the next session on", answered.Config,
        body=asked.ConfigChange,
    ),
    Operation(
        "GET", f"{ROOT}/models/available", "api.models:show", VIEWER, "settings",
        "Models that the API of the sessions offers; asked at most every five minutes, or with `refresh`",
        answered.ModelList, query=asked.ModelsQuery,
    ),
    Operation(
        "POST", f"{ROOT}/models/available/refresh", "api.models:refresh", OPERATOR, "settings", "Asks for them anew",
        answered.ModelList,
    ),
)  # fmt: skip
PEOPLE = (
    Operation(
        "GET", f"{ROOT}/notifications", "api.notifications:listing", VIEWER, "people",
        "What people were told, and how far each channel has got", answered.NotificationList, query=asked.KeyedPage,
    ),
    Operation(
        "POST", f"{ROOT}/notifications/test", "api.notifications:test", OPERATOR, "people",
        "Sends a test to one channel, or to all", TestedReply, body=asked.TestBody, optional=True, errors=(404, 409),
    ),
    Operation(
        "POST", f"{ROOT}/notifications/retry", "api.notifications:retry", OPERATOR, "people",
        "Sends again what was given up or suppressed", RetriedReply, body=asked.RetryBody, optional=True,
        errors=(404, 409),
    ),
    Operation(
        "GET", f"{ROOT}/users", "api.people:users", ADMIN, "people", "People who may sign in", answered.UserList,
    ),
    Operation(
        "POST", f"{ROOT}/users", "api.people:add_user", ADMIN, "people",
        "Adds a person; the answer has the link that sets their password, once", answered.UserLink, 201,
        body=asked.NewUser, errors=(409,), grants=True,
    ),
    Operation(
        "POST", f"{ROOT}/users{ONE}/role", "api.people:role", ADMIN, "people",
        "Gives a person another role; 409 for the last admin", answered.ChangedUser, body=asked.RoleBody,
        errors=(409,), grants=True,
    ),
    Operation(
        "POST", f"{ROOT}/users{ONE}/disable", "api.people:disable", ADMIN, "people",
        "Signs a person out everywhere and keeps them out; 409 for the last admin", answered.ChangedUser,
        body=asked.DisableBody, optional=True, errors=(409,),
    ),
    Operation(
        "POST", f"{ROOT}/users{ONE}/enable", "api.people:enable", ADMIN, "people", "Lets a person in again",
        answered.ChangedUser, errors=(409,), grants=True,
    ),
    Operation(
        "POST", f"{ROOT}/users{ONE}/password-link", "api.people:offer_password", ADMIN, "people",
        "Makes a link that sets a person's password, once; 409 while they are disabled", answered.UserLink,
        errors=(409,), grants=True,
    ),
    Operation(
        "GET", f"{ROOT}/tokens", "api.people:tokens", ADMIN, "people", "API tokens, without the tokens",
        answered.TokenList,
    ),
    Operation(
        "POST", f"{ROOT}/tokens", "api.people:create_token", ADMIN, "people",
        "Makes an API token; the answer has it, once", answered.MadeToken, 201, body=asked.NewToken, errors=(409,),
        grants=True,
    ),
    Operation(
        "DELETE", f"{ROOT}/tokens{ONE}", "api.people:revoke_token", ADMIN, "people",
        "Ends an API token; 409 where it was revoked before", None, 204, errors=(409,),
    ),
)  # fmt: skip
OPERATIONS: tuple[Operation, ...] = (
    *STATUS,
    *SERVICES,
    *SESSIONS,
    *CHATS,
    *SAID,
    *LIMITS,
    *ALERTS,
    *SETTINGS,
    *PEOPLE,
)
