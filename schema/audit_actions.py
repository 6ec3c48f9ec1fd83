"""What can stand in the audit log, each with a sentence: verdicts on calls, decisions of people, what was changed.

Written by `daemon.audit`; chosen from on the page `/audit`; listed in docs/audit.md. A log from before may hold others.
"""

from collections.abc import Mapping
from enum import StrEnum


class Action(StrEnum):
    """What a line tells of: a noun, and what became of it."""

    CALL_ALLOW = "call.allow"
    CALL_DENY = "call.deny"
    CALL_ASK = "call.ask"
    APPROVAL_APPROVED = "approval.approved"
    APPROVAL_DENIED = "approval.denied"
    APPROVAL_EXPIRED = "approval.expired"
    APPROVAL_CANCELLED = "approval.cancelled"
    RULE_ADDED = "rule.added"
    RULE_REVOKED = "rule.revoked"
    COOLDOWN_RESET = "cooldown.reset"
    SESSION_STARTED = "session.started"
    SESSION_STOPPED = "session.stopped"
    TRIGGER_ADDED = "trigger.added"
    TRIGGER_CANCELLED = "trigger.cancelled"
    MEMORY_ADDED = "memory.added"
    MEMORY_CHANGED = "memory.changed"
    MEMORY_DELETED = "memory.deleted"
    SETTING_CHANGED = "setting.changed"
    SETTING_RESET = "setting.reset"
    USER_SIGNED_IN = "user.signed_in"
    USER_SIGNED_OUT = "user.signed_out"
    USER_SIGN_IN_FAILED = "user.sign_in_failed"
    USER_SETUP_LINK = "user.setup_link"
    USER_SET_UP = "user.set_up"
    USER_ADDED = "user.added"
    USER_ROLE = "user.role"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    USER_PASSWORD_LINK = "user.password_link"
    USER_PASSWORD_SET = "user.password_set"
    TOKEN_CREATED = "token.created"
    TOKEN_REVOKED = "token.revoked"
    TOKEN_REFUSED = "token.refused"
    NOTIFICATION_TEST = "notification.test"
    NOTIFICATION_RETRY = "notification.retry"
    SERVICE_ADDED = "service.added"
    SERVICE_CHANGED = "service.changed"
    SERVICE_PAUSED = "service.paused"
    SERVICE_RESUMED = "service.resumed"
    SERVICE_REMOVED = "service.removed"
    SERVICE_PUSH_RENEWED = "service.push_renewed"
    SERVICES_IMPORTED = "services.imported"
    MAINTENANCE_ADDED = "maintenance.added"
    MAINTENANCE_REMOVED = "maintenance.removed"
    INCIDENT_ACKNOWLEDGED = "incident.acknowledged"
    INCIDENT_NOTED = "incident.noted"
    STATUS_PAGE_ADDED = "status_page.added"
    STATUS_PAGE_CHANGED = "status_page.changed"
    STATUS_PAGE_REMOVED = "status_page.removed"
    HOUSE_KEPT = "house.kept"
    HOUSE_IMPORTED = "house.imported"
    DATABASE_COPIED = "database.copied"
    PROCESS_RESTARTED = "process.restarted"
    DAEMON_RELOADED = "daemon.reloaded"
    DAEMON_STOPPED = "daemon.stopped"


MEANING: Mapping[Action, str] = {
    Action.CALL_ALLOW: "a session's call may run: the command, whole, by which rule",
    Action.CALL_DENY: "a session's call may not run, and why",
    Action.CALL_ASK: "a session's call waits for a person",
    Action.APPROVAL_APPROVED: "a person let exactly this call run",
    Action.APPROVAL_DENIED: "a person said no, and what the model is told",
    Action.APPROVAL_EXPIRED: "nobody decided in time",
    Action.APPROVAL_CANCELLED: "a call that waited will not run: its session is over, or something came in its way",
    Action.RULE_ADDED: "a standing rule was made",
    Action.RULE_REVOKED: "a standing rule was ended",
    Action.COOLDOWN_RESET: "a service's counters begin anew",
    Action.SESSION_STARTED: "a session began that a person, a program, an alert or an incident's rule had asked for",
    Action.SESSION_STOPPED: "a person or a program had a session stopped",
    Action.TRIGGER_ADDED: "a person, a program, an alert or an incident's rule asked for a session",
    Action.TRIGGER_CANCELLED: "a waiting trigger was taken out of the queue, or what asked for it is over",
    Action.MEMORY_ADDED: "a person added a memory, or made one surer",
    Action.MEMORY_CHANGED: "a person changed a memory",
    Action.MEMORY_DELETED: "a person deleted a memory",
    Action.SETTING_CHANGED: "a setting was overridden: the value before and after",
    Action.SETTING_RESET: "an override was taken away: the value before and after",
    Action.USER_SIGNED_IN: "a person signed in, and from where",
    Action.USER_SIGNED_OUT: "a sign-in was ended by its owner, or by signing in anew in the same browser",
    Action.USER_SIGN_IN_FAILED: "a wrong password, and from where; the name only where somebody has it",
    Action.USER_SETUP_LINK: "a one-time link was made that makes an admin",
    Action.USER_SET_UP: "such a link was used",
    Action.USER_ADDED: "a person was added, with a link to set a password",
    Action.USER_ROLE: "a person was given another role",
    Action.USER_DISABLED: "a person was signed out everywhere, and kept out",
    Action.USER_ENABLED: "a person was let in again",
    Action.USER_PASSWORD_LINK: "a person was offered a link to set a password",
    Action.USER_PASSWORD_SET: "such a link was used; the person's other sign-ins ended",
    Action.TOKEN_CREATED: "an API token was made: role, scopes, end",
    Action.TOKEN_REVOKED: "an API token was ended",
    Action.TOKEN_REFUSED: "a token or a key that is none was shown, and from where",
    Action.NOTIFICATION_TEST: "a test was sent to channels",
    Action.NOTIFICATION_RETRY: "what was given up was sent again",
    Action.SERVICE_ADDED: "a service is probed from now on",
    Action.SERVICE_CHANGED: "a service is another: which of its fields",
    Action.SERVICE_PAUSED: "a service is not probed for now",
    Action.SERVICE_RESUMED: "a service is probed again",
    Action.SERVICE_REMOVED: "a service is gone, with all that was found of it",
    Action.SERVICE_PUSH_RENEWED: "a heartbeat has another address",
    Action.SERVICES_IMPORTED: "services were taken from a file: how many",
    Action.MAINTENANCE_ADDED: "a maintenance window was planned, or begun",
    Action.MAINTENANCE_REMOVED: "a maintenance window was ended, or taken back",
    Action.INCIDENT_ACKNOWLEDGED: "a person looks after an incident",
    Action.INCIDENT_NOTED: "a person said something about an incident",
    Action.STATUS_PAGE_ADDED: "a status page was added: whether it is published",
    Action.STATUS_PAGE_CHANGED: "a status page is another: which of its fields, and whether it is published now",
    Action.STATUS_PAGE_REMOVED: "a status page is gone; its address is nobody's",
    Action.HOUSE_KEPT: "what was old was removed: how much of what",
    Action.HOUSE_IMPORTED: "settings and memories were taken in: how many",
    Action.DATABASE_COPIED: "the database was copied to a file",
    Action.PROCESS_RESTARTED: "`claudeopsctl restart` had a process replaced",
    Action.DAEMON_RELOADED: "`claudeopsctl reload` had the environment read anew",
    Action.DAEMON_STOPPED: "`claudeopsctl stop` had the daemon stopped",
}
# Their details are where a person was, which is nobody's business but an admin's.
WITH_ADDRESS = frozenset(
    {
        Action.USER_SIGNED_IN,
        Action.USER_SIGN_IN_FAILED,
        Action.USER_SET_UP,
        Action.USER_PASSWORD_SET,
        Action.TOKEN_REFUSED,
    }
)
