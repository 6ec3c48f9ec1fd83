"""An operator's own check: a command, kept by a shim as every command is. Its exit code is [STATUS], its output [BODY].

Only where CLAUDEOPS_PROBE_COMMANDS allows it: whoever may add a service may then run commands as the daemon's user.
"""

import secrets
import shutil
import time
from pathlib import Path

from daemon.runs.executor import LocalExecutor
from daemon.runs.record import ExitRecord
from daemon.runs.spec import RunSpec
from daemon.runs.states import EndReason
from daemon.services.probes.probe import ProbeError, Target, mark, phases
from daemon.settings.live import LiveSettings
from schema.facts import Cause, Facts

OUTPUT_MAX = 64 * 1024
NAME = "checks"
NOT_ALLOWED = "commands are not allowed; an admin sets CLAUDEOPS_PROBE_COMMANDS=true"


class Commands:
    """All checks by command. What an earlier worker left is ended by `clear`."""

    def __init__(self, settings: LiveSettings) -> None:
        self._settings = settings
        self._place = Path(settings.current.state_dir).absolute() / NAME
        self._executor = LocalExecutor(self._place)

    async def __call__(self, target: Target) -> Facts:
        """One run. ProbeError, OSError."""
        if not self._settings.current.probe_commands:
            raise ProbeError(Cause.DENIED, NOT_ALLOWED)
        run_id = f"check-{secrets.token_hex(8)}"
        self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = self._place / f"{run_id}.log"
        spec = RunSpec(
            run_id=run_id,
            argv=target.definition.command,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
            cwd="/",
            log_path=str(log),
            timeout_s=target.definition.timeout,
            grace_int_s=0.5,
            grace_term_s=0.5,
            max_bytes=4 * OUTPUT_MAX,
        )
        began = time.perf_counter()
        mark("wait")
        try:
            ended, output = await self._run(spec, log)
        finally:
            log.unlink(missing_ok=True)
            shutil.rmtree(self._executor.directory(run_id), ignore_errors=True)
        end = time.perf_counter()
        if ended.exit_code is None:
            raise ProbeError(Cause.FAILED, f"the command did not end by itself: {ended.reason.value}")
        return Facts(
            latency_ms=(end - began) * 1000,
            connected=True,
            status=ended.exit_code,
            body=output,
            phases=phases(end),
        )

    async def clear(self) -> None:
        """Ends checks of an earlier worker, and forgets them."""
        for found in await self._executor.adopt():
            await self._executor.stop(found.run, EndReason.INTERRUPTED, "restart", at_once=True)
        shutil.rmtree(self._place, ignore_errors=True)

    async def _run(self, spec: RunSpec, log: Path) -> tuple[ExitRecord, bytes]:
        run = await self._executor.start(spec)
        try:
            ended = await self._executor.result(run)
        except BaseException:
            await self._executor.stop(run, EndReason.STOPPED, "timeout", at_once=True)
            raise
        with log.open("rb") as file:
            lines = file.read(4 * OUTPUT_MAX).splitlines()
        # Each line has its time before a tab.
        return ended, b"\n".join(line.partition(b"\t")[2] for line in lines)[:OUTPUT_MAX]
