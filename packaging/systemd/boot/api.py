"""The Messages API of the unit's check: the demo's, with scripts for a look around and for calls that are held.

Started by boot_check.py inside its machine with the installed interpreter, so that sessions are real ones.
"""

import asyncio

from daemon.demo.messages_api import MessagesApi
from daemon.demo.turns import Playbook, Script, Text, ToolUse, Turn

KEY = "sk-ant-made-up-for-the-unit-check"
PORT = 8901
HELD = f"http://127.0.0.1:{PORT + 1}/hold"
# What a session can see below the unit; checks.py knows what each must say.
LOOKS = ("uptime", "free -m", "df -h /", "ps aux", "systemctl is-active claudeops", f"curl -sS {HELD}/0")


def bash(command: str) -> Turn:
    return Turn([ToolUse("Bash", {"command": command, "description": "as the check wants"})])


def report(summary: str) -> Turn:
    """The structured end of a session, which its schema asks for."""
    body = {"summary": summary, "events": [], "escalation": {"needed": False}, "services_checked": []}
    return Turn([ToolUse("StructuredOutput", body)])


def held(*seconds: int) -> Script:
    """Long calls, then two after the daemon has died. The CLI waits 120 s for a call, and writes its output to /tmp."""
    long = [bash(f"curl -sS {HELD}/{each}") for each in seconds]
    return [*long, bash("uptime"), bash("df -h /tmp"), report("All calls are done.")]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """`GET /hold/N` is answered after N seconds."""
    try:
        request = await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(float(request.split()[1].rpartition(b"/")[2]))
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nheld\n")
        await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        print("a held call has gone away")
    finally:
        writer.close()


async def main() -> None:
    look: Script = [*map(bash, LOOKS), report("I have looked.")]
    scripts = {
        "script look": look,
        "script hold": held(60),
        "script long": held(100, 100),
        "script forever": held(3000),
    }
    api = MessagesApi(Playbook([Turn([Text("Nothing to do.")])], scripts), KEY)
    await api.start(PORT)
    async with await asyncio.start_server(answer, "127.0.0.1", PORT + 1) as listening:
        print("serves", flush=True)
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
