"""The commands that docs/chat.md and docs/webhooks.md show, run as they stand there."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.harness import running

ROOT = Path(__file__).parents[2]
KEY, SECRET = "chat-key-made-up-0123456789", "hush-made-up-0123456789"
WORDS = {"chat.md": "all is well", "webhooks.md": '"status":"'}


def commands(page: str) -> list[str]:
    """Each indented block that has a curl in it."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^    \S.*\n(?:^    .*\n)*)", text, re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks if "curl " in block]


@pytest.mark.parametrize("page", sorted(WORDS))
def test_each_command_is_answered(page: str, tmp_path: Path) -> None:
    found = commands(page)
    assert len(found) >= 3
    settings = {"CLAUDEOPS_CHAT_API_KEY": KEY, "CLAUDEOPS_WEBHOOK_SECRET": SECRET, "CLAUDEOPS_DEMO": "true"}
    with running(tmp_path, **settings) as daemon:
        for command in found:
            ran = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command],
                env={
                    "PATH": os.environ["PATH"],
                    "OPS": f"http://127.0.0.1:{daemon.port}",
                    "KEY": KEY,
                    "SECRET": SECRET,
                    "NO_PROXY": "127.0.0.1",
                },
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert ran.returncode == 0, (command, ran.stderr)
            told = "claude-ops" if "models" in command or "tags" in command else WORDS[page]
            assert told in ran.stdout, (command, ran.stdout)
            assert '"error"' not in ran.stdout, (command, ran.stdout)
