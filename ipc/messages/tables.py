"""Every request and every event by type: what the codec decodes by and what the reference page lists."""

from ipc.messages import knowledge, limits, repositories, sessions, settings, system, triggers, users
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
        sessions.ShowChain,
        sessions.ReadLog,
        settings.ListSettings,
        settings.SetSetting,
        users.CreateSetupLink,
        users.SetUp,
        users.SignIn,
        users.SignInFailed,
        users.SignInSeen,
        users.SignOut,
        triggers.AddTrigger,
        triggers.CancelTrigger,
        triggers.ListTriggers,
        limits.AskCall,
        limits.CheckCommand,
        limits.ListApprovals,
        limits.ShowApproval,
        limits.Decide,
        limits.ListRules,
        limits.AddRule,
        limits.RevokeRule,
        limits.ListCooldowns,
        limits.ClearCooldown,
        limits.ListAudit,
        knowledge.ListEvents,
        knowledge.ListMemories,
        knowledge.AddMemory,
        knowledge.ChangeMemory,
        knowledge.DeleteMemory,
        knowledge.ListHealth,
        repositories.ListRepositories,
        repositories.ListServers,
    )
}

EVENTS: dict[str, type[Event]] = {
    event.subject: event
    for event in (
        system.Beat,
        system.StateChanged,
        sessions.SessionGrew,
        sessions.SessionChanged,
        triggers.TriggersChanged,
        limits.ApprovalChanged,
        limits.CallJudged,
        knowledge.EventSaid,
        knowledge.KnowledgeChanged,
    )
}
