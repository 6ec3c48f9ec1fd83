"""Everything that a session needs on disk before it starts: its prompt, its system prompt, its log's name.

The edge of `daemon.sessions.command`: files are read here, and values handed to the pure part. Called by
`daemon.sessions.lifecycle`.
"""

import os
import secrets as random
import shutil
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import msgspec

from daemon.runs.redaction import Redactor
from daemon.runs.spec import RunSpec, Secret
from daemon.sessions import command
from daemon.settings.live import LiveSettings
from ipc.errors import CallError, Code
from schema.configuration import ConfigurationError
from schema.sessions import Session
from schema.settings import Settings

PROMPT_MAX = 4 * 1024 * 1024
NO_SERVERS = '{"mcpServers":{}}'
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
    if not path.exists() and configured == command.prompt_of(Settings(), tier) and tier == 1:
        shipped = resources.files("daemon").joinpath("prompts", path.name)
        return Prompt(shipped.read_text(encoding="utf-8"), f"(shipped) {path.name}")
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
    return resources.files("daemon").joinpath("prompts", "agent-response.json").read_bytes()


def working_directory(settings: Settings) -> Path:
    """Where sessions run: CLAUDEOPS_APP_DIR, or an empty directory of their own where that is missing."""
    app = Path(settings.app_dir)
    if app.is_dir():
        return app
    own = Path(settings.state_dir) / "work"
    own.mkdir(mode=0o750, parents=True, exist_ok=True)
    return own


def home(settings: Settings) -> Path:
    """HOME of every session: on the state volume, so that the CLI finds its own sessions again."""
    place = Path(settings.state_dir) / "home"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def mcp(settings: Settings) -> str:
    """The MCP servers: the configured file, or none at all."""
    return settings.mcp_config if Path(settings.mcp_config).is_file() else NO_SERVERS


def system_prompt(settings: Settings, tier: int, run_id: str) -> Path:
    """The file with what is appended to the system prompt, one a run."""
    place = Path(settings.state_dir) / "system-prompts"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = place / f"{run_id}.md"
    path.write_text(command.system_prompt(settings, tier), encoding="utf-8")
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
        return path
    raise CallError(Code.CONFLICT, f"{LOG_NAMES_MAX} logs have the name {path.name}; look at {results}")


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


def free_space(settings: Settings) -> int:
    """Bytes free beneath the state and the results directory, the smaller of both."""
    return min(shutil.disk_usage(place).free for place in (settings.state_dir, settings.results_dir))


def redactor(settings: LiveSettings) -> Redactor:
    """What takes secrets out of text that the worker itself stores, such as prompts."""
    return Redactor(command.secrets(settings.current, settings.environ))


def run_spec(live: LiveSettings, session: Session, prompt: str, program: str, schema: str) -> RunSpec:
    """What is run for a session. `prompt` is free of secrets; `program` is the CLI's path, `schema` inline JSON."""
    settings, environ, tier = live.current, live.environ, session.tier
    run_id = session.run_id or ""
    argv = command.argv(
        settings,
        tier,
        program=program,
        cli_session=session.cli_session_id or "",
        system_prompt=str(system_prompt(settings, tier, run_id)),
        schema=schema,
        mcp=mcp(settings),
    )
    return RunSpec(
        run_id=run_id,
        argv=tuple(argv),
        env=command.environment(settings, tier, environ, str(home(settings))),
        cwd=str(working_directory(settings)),
        log_path=session.log_file or "",
        stdin=prompt,
        timeout_s=float(settings.session_timeout),
        grace_int_s=settings.stop_grace_int,
        grace_term_s=settings.stop_grace_term,
        max_bytes=settings.session_max_bytes,
        secrets=tuple(Secret(*secret) for secret in command.secrets(settings, environ)),
        labels={"session": str(session.id)},
    )
