"""Sessions as people read them: every fact of one, a table of many. For programs, the rows as they are."""

import argparse
from collections.abc import Sequence

from ipc.ctl.calls import call_line
from ipc.ctl.connection import Body
from ipc.ctl.terminal import clean, dollars, duration, fields, moment, number, show_json, table, toned


def show_session(session: Body, arguments: argparse.Namespace, approval: Body | None = None) -> None:
    """Prints a session: for people every fact of it, for programs the row."""
    if arguments.json:
        show_json(session)
        return
    reason = clean(f" – {session['reason']}") if session["reason"] else ""
    print(f"session {session['id']}: {toned(session['status'])}{reason}")
    milliseconds = session["duration_ms"]
    by = f" by {session['requested_by']}" if session["requested_by"] else ""
    chain, parent = session["chain_id"], session["parent_session_id"]
    print(
        fields(
            [
                ("tier", f"{session['tier']} ({session['model_id'] or session['model']})"),
                ("trigger", f"{session['trigger']}{by}"),
                *([("parent", f"session {parent}")] if parent else []),
                *([("chain", f"{chain}; `claudeopsctl sessions chain {chain}` lists it")] if chain else []),
                *([("dry run", "yes")] if session["dry_run"] else []),
                ("started", session["started_at"]),
                ("ended", session["ended_at"] or "–"),
                ("duration", duration(None if milliseconds is None else milliseconds / 1000)),
                ("cost", dollars(session["cost_usd"])),
                ("turns", str(session["num_turns"] or "–")),
                ("exit code", number(session["exit_code"])),
                ("log", session["log_file"] or "–"),
                *([("waits for", call_line(approval))] if approval else []),
            ]
        )
    )
    if approval:
        print(f"{'':<10} until {approval['expires_at']}; `claudeopsctl approvals show {approval['id']}` shows it whole")
    if session["response"]:
        print(clean(f"\n{session['response']}"))


def sessions_table(sessions: Sequence[Body]) -> str:
    """Sessions, a line each."""
    rows = [
        (
            str(session["id"]),
            str(session["tier"]),
            session["status"],
            session["trigger"],
            moment(session["started_at"]),
            duration(None if session["duration_ms"] is None else session["duration_ms"] / 1000),
            dollars(session["cost_usd"]),
            " ".join((session["prompt_text"] or session["prompt_file"]).split())[:50],
        )
        for session in sessions
    ]
    return table(("ID", "TIER", "STATUS", "TRIGGER", "STARTED (UTC)", "TOOK", "COST", "PROMPT"), rows)
