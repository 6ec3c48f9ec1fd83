"""Every request and every event by type: what the codec decodes by and what the reference page lists."""

from ipc.messages import sessions, settings, system, users
from ipc.messages.envelope import Event, Request

REQUESTS: dict[str, type[Request]] = {
    request.subject: request
    for request in (
        system.Hello,
        system.Status,
        system.RestartProcess,
        system.Reload,
        system.Stop,
        system.Backup,
        system.Doctor,
        sessions.TriggerSession,
        sessions.StopSession,
        sessions.ShowSession,
        sessions.ListSessions,
        sessions.ReadLog,
        settings.ListSettings,
        settings.SetSetting,
        users.CreateSetupLink,
        users.SetUp,
        users.SignIn,
        users.SignInFailed,
        users.SignInSeen,
        users.SignOut,
    )
}

EVENTS: dict[str, type[Event]] = {
    event.subject: event for event in (system.Beat, system.StateChanged, sessions.SessionGrew, sessions.SessionChanged)
}
