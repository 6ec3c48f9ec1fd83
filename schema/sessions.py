"""The row of one session, as stored and as every process passes it on. Built from `queries/sessions.sql`."""

from pathlib import Path

import msgspec

from schema.states import SessionStatus, Trigger


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One session. Times are stored times (UTC), money is dollars, `usage`, `result` and `structured` are JSON text."""

    id: int
    tier: int
    model: str
    prompt_file: str
    prompt_text: str | None = None
    status: SessionStatus
    trigger: Trigger
    requested_by: str | None = None
    started_at: str
    ended_at: str | None = None
    exit_code: int | None = None
    reason: str | None = None
    log_file: str | None = None
    run_id: str | None = None
    cli_session_id: str | None = None
    cli_version: str | None = None
    model_id: str | None = None
    log_offset: int = 0
    lines: int = 0
    context: str | None = None
    response: str | None = None
    structured: str | None = None
    summary: str | None = None
    cost_usd: float | None = None
    num_turns: int | None = None
    duration_ms: int | None = None
    usage: str | None = None
    estimated_usd: float | None = None
    result: str | None = None
    parent_session_id: int | None = None
    chain_id: int | None = None
    dry_run: bool = False
    cost_before: float = 0.0
    turns_before: int = 0
    duration_before: int = 0
    servers: str | None = None
    log_removed_at: str | None = None
    emptied_at: str | None = None
    handoff_at: str | None = None
    spent_at: str | None = None
    incident_id: int | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of a session, as its result event reports them.

    `context`: what the last message read and wrote; `window`: how much its model can, 0 while not known.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_creation: int = 0
    context: int = 0
    window: int = 0


def log_path(session: Session, results_dir: str) -> Path | None:
    """Where a session's log lies, or None without one: only files beneath the results directory are ever read, and a
    path that leads elsewhere, such as one from before that was moved, is taken by its name alone."""
    if not session.log_file:
        return None
    results = Path(results_dir).resolve()
    path = (results / session.log_file).resolve()
    return path if path.is_relative_to(results) else results / path.name


def from_row(row: dict[str, object]) -> Session:
    """A row of the table as a value; the statuses become Enums, and 0 and 1 a truth."""
    return msgspec.convert({**row, "dry_run": bool(row["dry_run"])}, Session)
