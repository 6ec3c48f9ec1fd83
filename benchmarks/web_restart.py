"""From `kill -9` of the web process to the first byte of a stream that resumes, with a session running."""

import json
import statistics
import tempfile
import time
from pathlib import Path

from tests.acceptance.harness import running
from tests.acceptance.stream import Reader

ROUNDS = 20


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds (median, 90th percentile, worst), and how many connections were refused."""
    took = []
    with tempfile.TemporaryDirectory(prefix="claudeops-bench-") as name, running(Path(name)) as daemon:
        daemon.sign_in()
        session = daemon.trigger(until=f"{name}/enough", interval=0.01)
        reader = Reader(daemon, session["id"])
        reader.start()
        time.sleep(1.0)
        for _ in range(rounds):
            seen = len(reader.first_at)
            web = daemon.kill("web")
            killed = time.monotonic()
            while len(reader.first_at) == seen:
                time.sleep(0.001)
            took.append((reader.first_at[-1] - killed) * 1000)
            daemon.wait_replaced("web", web)
            time.sleep(0.3)
        Path(f"{name}/enough").touch()
        daemon.wait_ended(session["id"])
        reader.join(30)
    took.sort()
    return {
        "median_ms": round(statistics.median(took), 1),
        "p90_ms": round(took[int(len(took) * 0.9)], 1),
        "worst_ms": round(took[-1], 1),
        "refused": reader.refused,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
