"""Whether a request comes from inside a session, by the processes above its sender.

A session runs as the same user as the daemon and could open its socket: it may ask whether its calls may run, and may
not decide about them, nor change what holds it. All that a session starts stays below its shim, which is a subreaper.
"""

import os
from collections.abc import Iterable, Iterator

from daemon import procfs
from daemon.runs import shim
from ipc.errors import CallError, Code
from ipc.messages import (
    access,
    alerts,
    incidents,
    keeping,
    keys,
    knowledge,
    limits,
    notifications,
    services,
    sessions,
    settings,
    status_pages,
    system,
    triggers,
    users,
)
from ipc.messages.envelope import Reply
from ipc.server import Call, Handler

TITLE = b"claudeops: run "
SHIM = os.fsencode(os.path.join(os.path.dirname(shim.__file__), "__main__.py"))
REFUSED = "a session can't do this; a person has to, from the dashboard or a shell of their own"
UNSEEN = "the process that asks can't be seen from here, so it may be a session's; ask from where the daemon runs"

# What people do, and what decides about sessions.
BY_PEOPLE: tuple[type, ...] = (
    limits.Decide,
    limits.AddRule,
    limits.RevokeRule,
    limits.ClearCooldown,
    settings.SetSetting,
    settings.ChangeSettings,
    sessions.TriggerSession,
    sessions.StopSession,
    triggers.AddTrigger,
    triggers.CancelTrigger,
    alerts.TakeAlerts,
    keys.CheckKey,
    keys.CheckSignature,
    knowledge.AddMemory,
    knowledge.ChangeMemory,
    knowledge.DeleteMemory,
    knowledge.DeleteMemories,
    system.RestartProcess,
    system.Reload,
    system.Stop,
    system.Backup,
    keeping.Housekeep,
    keeping.Import,
    services.AddService,
    services.ChangeService,
    services.PauseServices,
    services.RemoveServices,
    services.TryService,
    services.ImportServices,
    services.RenewPush,
    services.HearService,
    incidents.AddWindow,
    incidents.RemoveWindow,
    incidents.NoteIncident,
    services.TagServices,
    status_pages.AddStatusPage,
    status_pages.ChangeStatusPage,
    status_pages.RemoveStatusPage,
    notifications.TestNotification,
    notifications.RetryNotifications,
    users.CreateSetupLink,
    users.SetUp,
    users.SignIn,
    users.SignInFailed,
    users.SignInSeen,
    users.SignOut,
    access.TokenUsed,
    access.CreateToken,
    access.RevokeToken,
    access.AddUser,
    access.ChangeUser,
    access.OfferPassword,
    access.SetPassword,
)


def run_of(pid: int) -> str | None:
    """The run that a process is part of; None if it is part of none. CallError `forbidden` if it can't be seen."""
    found = None
    for process in _upwards(pid):
        # The uppermost: a process of a session may call itself what it likes, those above it are ours.
        found = _run_named_by(process.pid) or found
    return found


def _upwards(pid: int) -> Iterator[procfs.Process]:
    while pid > 1:
        process = procfs.read(pid)
        if process is None:
            raise CallError(Code.FORBIDDEN, UNSEEN)
        yield process
        pid = process.parent


def _run_named_by(pid: int) -> str | None:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            line = file.read()
    except OSError:
        return None
    if line.startswith(TITLE):
        return line.removeprefix(TITLE).rstrip(b"\0").decode("utf-8", "replace")
    words = line.rstrip(b"\0").split(b"\0")
    return os.path.basename(os.fsdecode(words[-1])) if SHIM in words else None


def refuse_session(call: Call) -> None:
    """CallError `forbidden` where a request comes from inside a session, or from where that can't be told."""
    if call.peer.uid != os.geteuid() and _keeps_its_user():
        return  # another user, whom ProtectProc=invisible or a namespace may hide: no session can become one
    if call.peer.pid <= 0:
        raise CallError(Code.FORBIDDEN, UNSEEN)
    run = run_of(call.peer.pid)
    if run is not None:
        raise CallError(Code.FORBIDDEN, REFUSED, {"run_id": run})


def _keeps_its_user() -> bool:
    """Whether nothing that we start can run as another user, as below the unit (NoNewPrivileges, and not root)."""
    with open("/proc/self/status", "rb") as status:
        return keeps_its_user(status.read())


def keeps_its_user(status: bytes) -> bool:
    """The same, from what /proc/<pid>/status says: no new privileges, no capability, not root."""
    fields = dict(line.split(b":\t", 1) for line in status.splitlines() if b":\t" in line)
    uids = set(fields.get(b"Uid", b"0").split())
    return fields.get(b"NoNewPrivs") == b"1" and b"0" not in uids and not int(fields.get(b"CapPrm", b"1"), 16)


def people_only(table: dict[type, Handler], kinds: Iterable[type] = BY_PEOPLE) -> dict[type, Handler]:
    """The worker's table with these requests refused to sessions."""
    return {**table, **{kind: _guarded(table[kind]) for kind in kinds if kind in table}}


def _guarded(handler: Handler) -> Handler:
    async def guarded(call: Call, request: object) -> Reply:
        refuse_session(call)
        return await handler(call, request)

    return guarded
