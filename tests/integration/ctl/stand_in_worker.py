"""A worker that only answers: the real `ipc.server.Server`, with handlers over plain files in a directory.

Run as a program with the listening socket as CLAUDEOPS_RPC_FD and the directory as STAND_IN_DIR, so that tests can kill
it, stop it and start another on the same socket. The files: `calls` (one request a line), `effects`, `replies/<id>`,
`session-<id>.log` and `.status`; and by being there: `busy`, `hang` (nothing is answered), `die` (between an effect and
its answer), `long` (prompts). What it knows of triggers, limits and knowledge: `stand_in_rows`.
"""

import asyncio
import json
import os
import time
from pathlib import Path

import msgspec
import zmq
import zmq.asyncio

from ipc import codec
from ipc.errors import CallError, Code
from ipc.messages import sessions, settings, system, users
from ipc.messages.envelope import Done, Reply, Request
from ipc.messages.tables import REQUESTS
from ipc.server import Call, Handler, Server, bound_socket
from schema.sessions import Session
from schema.states import SessionStatus, Trigger
from tests.integration.ctl.stand_in_rows import Rows

ROWS = 250


class StandIn:
    """The handlers. Each call is noted before it is answered."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.interval = "3600"
        self.rows = Rows(directory)

    def session(self, id_: int, prompt: str = "look") -> Session:
        path = self.directory / f"session-{id_}.status"
        status = SessionStatus(path.read_text() if path.exists() else "running")
        return Session(
            id=id_, tier=2 if id_ == 8 else 1, model="haiku", prompt_file="p.md", prompt_text=prompt, status=status,
            parent_session_id=7 if id_ == 8 else None, chain_id=7 if id_ == 8 else None,
            trigger=Trigger.MANUAL, started_at="2026-01-31T08:05:00.000Z", cost_usd=0.0123,
            response="all \x1b[31mwell", log_file=str(self.directory / f"session-{id_}.log"),
        )  # fmt: skip

    async def answer(self, call: Call, request: Request) -> Reply:
        noted = {"subject": request.subject, "id": call.id, "uid": call.peer.uid, "body": msgspec.to_builtins(request)}
        with (self.directory / "calls").open("a") as file:
            file.write(json.dumps(noted) + "\n")
        while (self.directory / "hang").exists():
            await asyncio.sleep(0.02)
        return await self.reply(call, request)

    async def reply(self, call: Call, request: Request) -> Reply:
        match request:
            case sessions.TriggerSession():
                return self.trigger(call, request)
            case sessions.ShowSession(id=id_):
                return sessions.SessionReply(session=self.known(id_))
            case sessions.StopSession(id=id_):
                (self.directory / f"session-{id_}.status").write_text("stopped")
                return sessions.SessionReply(session=self.session(id_))
            case sessions.ListSessions():
                return self.page(request)
            case sessions.ReadLog():
                return await self.log(request)
            case settings.ListSettings():
                return settings.SettingsReply(settings=self.shown_settings())
            case settings.SetSetting():
                return self.set_setting(request)
            case system.Status():
                return system.StatusReply(
                    state="running", version="9.9.9", sessions=system.SessionCount(running=2),
                    processes=[system.Process(name="worker", pid=os.getpid(), state="running", rss_bytes=2_000_000)],
                )  # fmt: skip
            case system.Backup(path=path):
                return system.BackupReply(path=path or "/state/backups/x.db", size=4096)
            case system.Doctor():
                return system.DoctorReply(findings=[system.Finding(name="database", level="ok", text="passes")])
            case users.CreateSetupLink():
                url = "http://127.0.0.1:8080/setup/abc"
                return users.SetupLinkReply(url=url, expires_at="2026-01-31T08:05:00.000Z")
            case _:
                return self.rows.answer(request) or Done()

    def known(self, id_: int) -> Session:
        if id_ == 404:
            raise CallError(Code.NOT_FOUND, "there is no session 404")
        return self.session(id_)

    def trigger(self, call: Call, request: sessions.TriggerSession) -> Reply:
        if (self.directory / "busy").exists():
            raise CallError(Code.BUSY, "tier 1 is busy with session 7; stop it first", {"session": 7})
        reply = sessions.SessionReply(session=self.session(42, request.prompt))
        with (self.directory / "effects").open("a") as file:
            file.write(f"{request.prompt}\n")
        stored = self.directory / "replies" / call.id
        stored.parent.mkdir(exist_ok=True)
        stored.write_bytes(codec.store(reply))
        if (self.directory / "die").exists():
            (self.directory / "die").unlink()
            os._exit(9)
        return reply

    def page(self, request: sessions.ListSessions) -> Reply:
        below = request.before or ROWS + 1
        prompt = "x" * 200_000 if (self.directory / "long").exists() else "look \x1b[2J here"
        ids = range(below - 1, max(0, below - 1 - request.limit), -1)
        return sessions.SessionsReply(sessions=[self.session(id_, prompt) for id_ in ids])

    async def log(self, request: sessions.ReadLog) -> Reply:
        session = self.known(request.id)
        path = self.directory / f"session-{request.id}.log"
        end = time.monotonic() + request.wait_s
        while True:
            over = self.session(session.id).status is not SessionStatus.RUNNING
            data = path.read_bytes()[request.offset :][:4096]
            if data or over or time.monotonic() >= end:
                after = request.offset + len(data)
                return sessions.LogReply(offset=request.offset, next=after, data=data, over=over and not data)
            await asyncio.sleep(0.01)

    def shown_settings(self) -> list[settings.SettingValue]:
        source = "default" if self.interval == "3600" else "override"
        return [
            settings.SettingValue(
                name="interval", env="CLAUDEOPS_INTERVAL", value=self.interval, default="3600", source=source,
                section="Schedule", doc="Time between sessions.", unit="s", live=True,
            ),
            settings.SettingValue(
                name="anthropic_api_key", env="ANTHROPIC_API_KEY", value="set", default="", source="environment",
                section="Integrations", doc="Key.", secret=True,
            ),
        ]  # fmt: skip

    def set_setting(self, request: settings.SetSetting) -> Reply:
        if request.name not in ("interval", "CLAUDEOPS_INTERVAL"):
            raise CallError(Code.NOT_FOUND, f"there is no setting {request.name!r}")
        if request.value is not None and not request.value.isdigit():
            raise CallError(Code.INVALID, f"interval: {request.value!r} is not a whole number of s")
        self.interval = request.value or "3600"
        return settings.SettingReply(setting=self.shown_settings()[0])

    async def recall(self, id_: str) -> bytes | None:
        path = self.directory / "replies" / id_
        return path.read_bytes() if path.exists() else None

    def handlers(self) -> dict[type[Request], Handler]:
        return dict.fromkeys(REQUESTS.values(), self.answer)


async def main() -> None:
    """Serves until killed. Only its own user may ask."""
    stand_in = StandIn(Path(os.environ["STAND_IN_DIR"]))
    socket = bound_socket(zmq.asyncio.Context(), zmq.ROUTER, int(os.environ["CLAUDEOPS_RPC_FD"]))
    own = os.getuid()
    server = Server(socket, stand_in.handlers(), allowed=lambda peer: peer.uid == own, recall=stand_in.recall)
    print("ready", flush=True)
    await server.serve()


if __name__ == "__main__":
    asyncio.run(main())
