"""Lines from a command to its log file: through the shim (stamped, redacted, in a pipe) against `command > file`.

Commands write lines of 120 bytes: one makes each of its lines, as programs do; the others write a ready block again and
again, as `yes` does, and show the ceiling. Five secrets of usual sizes are looked for. Timed from the start of the
command to the last byte in the file; the best of the rounds counts.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from daemon.runs.launch import launch
from daemon.runs.spec import RunSpec, Secret
from schema import timestamps

LINES = 1_500_000
WIDTH = 120
ROUNDS = 4
NOTE = (
    "The bars are for a command that makes each of its lines, as programs do: making them is what takes the time. "
    "`blocks_…` is one that copies a ready block of the same line again and again, as `yes` does: `command > file` is "
    "then one copy into the page cache, and the shim's ceiling shows: on one core it copies out of the pipe, looks for "
    "five secrets in every form, puts a stamp of 31 bytes before each line, and copies into the page cache. Text that "
    "lacks a byte of a secret is not searched for it; the block of `varied_…` has every byte, so that all of it is "
    "searched for each form."
)
TEXT = '{"type":"assistant","message":{"content":[{"type":"text","text":"GET https://svc.example/health 200"}]}} ' * 2
MAKES_LINES = f"""
import sys
text = {TEXT[: WIDTH - 11]!r}
write = sys.stdout.write
for number in range(LINES):
    write(f"{{number:09d}} {{text}}\\n")
"""
WRITES_BLOCKS = """
import os
block = {line} * 500
for _ in range(LINES // 500):
    left = block
    while left:
        left = left[os.write(1, left):]
"""
SAME = WRITES_BLOCKS.format(line=repr(f"{TEXT[: WIDTH - 1]}\n".encode()))
VARIED = WRITES_BLOCKS.format(line=repr(bytes(33 + n % 94 for n in range(WIDTH - 1)) + b"\n"))
SECRETS = (
    Secret("ANTHROPIC_API_KEY", "sk-ant-api03-" + "Zq7xK2mW9vB4nT6pL1yR8cF3" * 4),
    Secret("GITHUB_TOKEN", "ghp_Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7j"),
    Secret("GITEA_TOKEN", "4f1c9a7be02d8356a9f04cb1de7823a95e6610fb"),
    Secret("CHAT_API_KEY", "kT5%vW8/yB1+eH4=mP7q"),
    Secret("BROWSER_CRED_WIKI_PASS", 'cor"rect horse'),
)


def command(program: str, lines: int) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", f"LINES = {lines}\n{program}")


def to_file(directory: Path, argv: tuple[str, ...], lines: int) -> float:
    """Seconds of `command > file`."""
    path = directory / "plain"
    with path.open("wb") as file:
        began = time.perf_counter()
        subprocess.run(argv, stdout=file, check=True, env={})
        took = time.perf_counter() - began
    if path.stat().st_size != lines * WIDTH:
        raise AssertionError("the command did not write all its lines")
    path.unlink()
    return took


async def through_shim(directory: Path, argv: tuple[str, ...], lines: int, secrets: tuple[Secret, ...]) -> float:
    """Seconds from the start of the command to the last byte in the log."""
    name = f"run-{time.monotonic_ns()}"
    log = directory / f"{name}.log"
    spec = RunSpec(run_id=name, argv=argv, env={}, cwd="/", log_path=str(log), secrets=secrets, max_bytes=1 << 40)
    run = await launch(spec, directory / "runs")
    record = await run.wait()
    facts = log.stat()
    if record.lines != lines or record.exit_code != 0:
        raise AssertionError(f"the log is not whole: {record}")
    log.unlink()
    return facts.st_mtime - timestamps.parse(record.started_at).timestamp()


async def _measure(lines: int, rounds: int) -> dict[str, float]:
    figures: dict[str, float] = {"lines": lines}
    with tempfile.TemporaryDirectory(prefix="claudeops-bench-") as name:
        directory = Path(name)
        for prefix, program in (("", MAKES_LINES), ("blocks_", SAME), ("varied_", VARIED)):
            argv = command(program, lines)
            plain, redacted, bare = [], [], []
            for _ in range(2 * rounds if prefix else rounds):  # the short ones feel more of what else the machine does
                plain.append(to_file(directory, argv, lines))
                os.sync()
                redacted.append(await through_shim(directory, argv, lines, SECRETS))
                bare.append(await through_shim(directory, argv, lines, ()))
            figures[f"{prefix}to_file_lines_per_s"] = round(lines / min(plain))
            figures[f"{prefix}shim_lines_per_s"] = round(lines / min(redacted))
            figures[f"{prefix}shim_without_secrets_lines_per_s"] = round(lines / min(bare))
            figures[f"{prefix}ratio"] = round(min(plain) / min(redacted), 3)
    return figures


def measure(lines: int = LINES, rounds: int = ROUNDS) -> dict[str, float]:
    """Lines per second of each command, and the ratio to `command > file` in the same run. Takes half a minute."""
    return asyncio.run(_measure(lines, rounds))


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
