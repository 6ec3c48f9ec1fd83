"""Is there a `claude` command, and which version? Asked at start, again while it is missing, and by the check-up."""

import asyncio
import contextlib
import os
import shutil

from daemon.sessions import command, rules
from daemon.settings.live import LiveSettings
from ipc.messages.system import CommandLine

PROBE_SECONDS = 20.0
INSTALL = "install it with `npm install -g @anthropic-ai/claude-code`, or name it by CLAUDEOPS_CLAUDE_BIN"


class Cli:
    """What the last probe found. `found.text` is the sentence that every surface shows when something is wrong."""

    def __init__(self, settings: LiveSettings, home: str) -> None:
        self._settings = settings
        self._home = home
        self.found = CommandLine(ok=False, path="", text="the claude command has not been looked for yet")

    async def probe(self) -> CommandLine:
        """Runs `claude --version` in a session's environment."""
        settings = self._settings.current
        path = shutil.which(settings.claude_bin, path=self._settings.environ.get("PATH", os.defpath))
        if path is None:
            text = f"there is no command {settings.claude_bin!r}, so no session can run: {INSTALL}"
            self.found = CommandLine(ok=False, path=settings.claude_bin, text=text)
            return self.found
        try:
            output = await self._version(path)
            version, warning = rules.judge_cli(output)
        except (OSError, ValueError, TimeoutError) as error:
            why = "it did not answer" if isinstance(error, TimeoutError) else str(error)
            self.found = CommandLine(ok=False, path=path, text=f"{path} --version failed, so no session can run: {why}")
            return self.found
        self.found = CommandLine(ok=True, path=path, version=version, text=warning or "")
        return self.found

    async def _version(self, path: str) -> str:
        settings = self._settings
        environment = command.environment(settings.current, 1, settings.environ, self._home)
        process = await asyncio.create_subprocess_exec(
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
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode != 0:
            said = errors.decode("utf-8", "replace").strip()[:200]
            raise ValueError(f"exit code {process.returncode}{f': {said}' if said else ''}")
        return output.decode("utf-8", "replace")

    async def watch(self) -> None:
        """Looks again while the command is missing, until cancelled."""
        while True:
            if not self.found.ok:
                await self.probe()
            await asyncio.sleep(60.0)
