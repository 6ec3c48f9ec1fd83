"""Is there a `claude` command, and which version? Asked at start, again while it is missing, and by the check-up."""

import asyncio
import os
import shutil

from daemon import starting
from daemon.sessions import command, rules
from daemon.settings.live import LiveSettings
from ipc.messages.system import CommandLine

PROBE_SECONDS = 10.0
AGAIN_SECONDS = 60.0
INSTALL = "install it with `npm install -g @anthropic-ai/claude-code`, or name it by CLAUDEOPS_CLAUDE_BIN"


class Cli:
    """What the last probe found. `found.text` is the sentence that every surface shows when something is wrong."""

    def __init__(self, settings: LiveSettings, home: str) -> None:
        self._settings = settings
        self._home = home
        self.found = CommandLine(ok=False, path="")
        self.find()

    def find(self) -> CommandLine:
        """Whether there is such a command at all. Takes no time, so that nothing waits for a slow one."""
        settings = self._settings.current
        path = shutil.which(settings.claude_bin, path=self._settings.environ.get("PATH", os.defpath))
        if path is None:
            text = f"there is no command {settings.claude_bin!r}, so no session can run: {INSTALL}"
            self.found = CommandLine(ok=False, path=settings.claude_bin, text=text)
            return self.found
        path = os.path.abspath(path)  # sessions run elsewhere
        if not self.found.ok or self.found.path != path:
            self.found = CommandLine(ok=True, path=path)
        return self.found

    async def probe(self) -> CommandLine:
        """Runs `claude --version` in a session's environment. One that can't tell its version may run all the same."""
        path = self.find().path
        if not self.found.ok:
            return self.found
        try:
            output = await self._version(path)
            version, warning = rules.judge_cli(output)
        except (OSError, ValueError, TimeoutError) as error:
            why = "it did not answer" if isinstance(error, TimeoutError) else str(error)
            text = f"{path} does not tell its version, so sessions may fail: {why}"
            self.found = CommandLine(ok=True, path=path, text=text)
            return self.found
        self.found = CommandLine(ok=True, path=path, version=version, text=warning or "")
        return self.found

    async def _version(self, path: str) -> str:
        settings = self._settings
        environment = command.environment(settings.current, 1, settings.environ, self._home)
        process = await starting.start(
            path,
            "--version",
            env=environment,
            cwd=self._home,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                output, errors = await process.communicate()
        finally:
            await starting.end(process)
        if process.returncode != 0:
            said = errors.decode("utf-8", "replace").strip()[:200]
            raise ValueError(f"exit code {process.returncode}{f': {said}' if said else ''}")
        return output.decode("utf-8", "replace")

    async def watch(self) -> None:
        """Asks for the version; looks again while the command is missing. Until cancelled."""
        while True:
            if not self.found.version:
                await self.probe()
            await asyncio.sleep(AGAIN_SECONDS)
