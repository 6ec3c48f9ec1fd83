"""Everything that a session needs on disk before it starts: its prompt, its system prompt, its log's name.

The edge of `daemon.sessions.command`: files are read here, and values handed to the pure part. Called by
`daemon.sessions.lifecycle`.
"""

import os
import secrets as random
import shutil
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from daemon import trouble
from daemon.limits import hook_settings
from daemon.repositories.shipped import shipped
from daemon.runs.redaction import Redactor
from daemon.runs.spec import RunSpec, Secret
from daemon.sessions import command
from daemon.sessions.rules import Room
from daemon.settings.live import LiveSettings
from ipc.errors import CallError, Code
from schema.configuration import ConfigurationError
from schema.sessions import Session
from schema.settings import Settings

PROMPT_MAX = 4 * 1024 * 1024
RUNBOOK_MAX = 64 * 1024
# Root words that describe a schema and that the CLI does not take.
SCHEMA_WORDS = ("$schema", "$id", "title")
LOG_NAMES_MAX = 1000


class Prompt(NamedTuple):
    """What Claude is asked: the text, and where it came from (`(ad-hoc)` for a person's words)."""

    text: str
    file: str


def prompt(settings: Settings, tier: int, text: str) -> Prompt:
    """A person's words, or the tier's prompt file as it is now. CallError names the setting if it can't be read."""
    if text.strip():
        return Prompt(text, "(ad-hoc)")
    configured = command.prompt_of(settings, tier)
    path = Path(settings.app_dir) / configured
    name = "CLAUDEOPS_PROMPT" if tier == 1 else f"CLAUDEOPS_TIER{tier}_PROMPT"
    if not path.exists() and configured == command.prompt_of(Settings(), tier):
        return Prompt(shipped(path.name).read_text(encoding="utf-8"), f"(shipped) {path.name}")
    try:
        with path.open("rb") as file:
            return Prompt(file.read(PROMPT_MAX).decode("utf-8", "replace"), str(path))
    except OSError as error:
        text = f"can't read the prompt file {path}: {error.strerror}; set {name} or give a prompt"
        raise CallError(Code.INVALID, text) from error


def output_schema(settings: Settings) -> str:
    """The JSON Schema of the structured output, inline as the CLI wants it; ours where the file is missing."""
    path = Path(settings.schema_path)
    try:
        text = path.read_bytes() if path.exists() else _shipped_schema()
        schema = msgspec.json.decode(text, type=dict)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise CallError(Code.INVALID, f"CLAUDEOPS_SCHEMA_PATH: {path} can't be used: {error}") from error
    return msgspec.json.encode({key: schema[key] for key in schema if key not in SCHEMA_WORDS}).decode()


def _shipped_schema() -> bytes:
    return shipped("agent-response.json").read_bytes()


def working_directory(settings: Settings) -> Path:
    """Where sessions run: CLAUDEOPS_APP_DIR, or an empty directory of their own where that is missing."""
    app = Path(settings.app_dir)
    if app.is_dir():
        return app
    own = Path(settings.state_dir) / "work"
    own.mkdir(mode=0o750, parents=True, exist_ok=True)
    return own


def runbook(settings: Settings) -> str:
    """The agents' runbook: CLAUDE.md where sessions run. The CLI reads no file of a directory by itself any more."""
    path = working_directory(settings) / "CLAUDE.md"
    try:
        with path.open("rb") as file:
            return file.read(RUNBOOK_MAX).decode("utf-8", "replace")
    except FileNotFoundError:
        return shipped("agent.md").read_text(encoding="utf-8")
    except OSError as error:
        raise CallError(Code.UNAVAILABLE, f"can't read the runbook {path}: {error.strerror}") from error


def home(settings: Settings) -> Path:
    """HOME of every session: on the state volume, so that the CLI finds its own sessions again."""
    place = Path(settings.state_dir) / "home"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def system_prompt(settings: Settings, run_id: str, text: str) -> Path:
    """The file with what is appended to the system prompt, one a run."""
    place = Path(settings.state_dir) / "system-prompts"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = place / f"{run_id}.md"
    path.write_text(text, encoding="utf-8")
    return path


def tidy(settings: Settings, run_id: str) -> None:
    """Removes what only the run needed."""
    (Path(settings.state_dir) / "system-prompts" / f"{run_id}.md").unlink(missing_ok=True)


def create_log(settings: Settings, moment: datetime) -> Path:
    """An empty log file of its own: `run-YYYYMMDD-HHMMSS.log` in local time, with a suffix where that name is taken."""
    results = Path(settings.results_dir)
    for number in range(1, LOG_NAMES_MAX):
        suffix = "" if number == 1 else f"-{number}"
        path = results / f"run-{moment:%Y%m%d-%H%M%S}{suffix}.log"
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640))
        except FileExistsError:
            continue
        except OSError as error:
            raise trouble.refusal(error, f"CLAUDEOPS_RESULTS_DIR: can't make the log {path}: ") from error
        return path
    raise CallError(Code.CONFLICT, f"{LOG_NAMES_MAX} logs have the name {path.name}; look at {results}")


def further_log(settings: Settings, session: Session) -> tuple[Path, int]:
    """Where the log of a session goes on, and from which offset it is read: where it was.

    A database that was put back elsewhere knows it by another path. It is looked for by its name, and begun anew where
    it was not brought along.
    """
    path = Path(session.log_file or f"run-{session.id}.log")
    if not path.exists():
        path = Path(settings.results_dir) / path.name
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640))
    return path, min(session.log_offset, path.stat().st_size)


def run_name(moment: datetime) -> str:
    """A new run's id, which is its directory's name too."""
    return f"{moment:%Y%m%d-%H%M%S}-{random.token_hex(4)}"


def places(settings: Settings) -> None:
    """Makes the directories that sessions need. ConfigurationError names the one that can't be made or written."""
    for name, place in (("CLAUDEOPS_STATE_DIR", settings.state_dir), ("CLAUDEOPS_RESULTS_DIR", settings.results_dir)):
        try:
            Path(place).mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError([f"{name}: can't make {place}: {error.strerror}"]) from error
        if not os.access(place, os.W_OK | os.X_OK):
            raise ConfigurationError([f"{name}: {place} is not writable for uid {os.getuid()}; change its owner"])


def room(settings: Settings) -> Room:
    """How much is free beneath the state and the results directory, or which of them is gone.

    A results directory that somebody has removed is made anew, as at the start; what the state directory held is lost.
    """
    free = []
    for name, place in (("CLAUDEOPS_STATE_DIR", settings.state_dir), ("CLAUDEOPS_RESULTS_DIR", settings.results_dir)):
        try:
            if place == settings.results_dir and not os.path.lexists(place):
                os.mkdir(place, 0o750)
            free.append(shutil.disk_usage(place).free)
        except OSError as error:
            return Room(0, f"{name}: {place} can't be used: {error.strerror}; mount it again, or put it back")
    return Room(min(free))


def redactor(settings: LiveSettings) -> Redactor:
    """What takes secrets out of text that the worker itself stores, such as prompts."""
    return Redactor(command.secrets(settings.current, settings.environ))


class Material(NamedTuple):
    """What a run is made of besides its session's row. `prompt` and `context` are free of secrets.

    `program` is the CLI's path, `schema` inline JSON, `servers` the path of the MCP servers, `secrets` those in it.
    `cwd`: where it runs, if not where all do.
    """

    prompt: str
    program: str
    schema: str
    servers: str
    memory: str = ""
    resume: command.Resume | None = None
    secrets: tuple[tuple[str, str], ...] = ()
    cwd: str = ""


def run_spec(live: LiveSettings, session: Session, material: Material) -> RunSpec:
    """What is run for a session."""
    settings, environ, tier = live.current, live.environ, session.tier
    run_id = session.run_id or ""
    appended = command.system_prompt(settings, tier, runbook(settings), material.memory, session.context or "")
    argv = command.argv(
        settings,
        tier,
        program=material.program,
        cli_session=session.cli_session_id or "",
        system_prompt=str(system_prompt(settings, run_id, appended)),
        schema=material.schema,
        mcp=material.servers,
        hooks=hook_settings.content(runtime_dir=settings.runtime_dir, run_id=run_id, hold_s=settings.approval_hold),
        resume=material.resume,
        spent=session.cost_before,
    )
    return RunSpec(
        run_id=run_id,
        argv=tuple(argv),
        env=command.environment(settings, tier, environ, str(home(settings))),
        cwd=material.cwd or str(working_directory(settings)),
        log_path=session.log_file or "",
        stdin=material.prompt,
        timeout_s=float(settings.session_timeout),
        grace_int_s=settings.stop_grace_int,
        grace_term_s=settings.stop_grace_term,
        max_bytes=settings.session_max_bytes,
        secrets=tuple(Secret(*secret) for secret in (*command.secrets(settings, environ), *material.secrets)),
        labels={"session": str(session.id), "budget": str(settings.session_max_budget_usd)},
    )
