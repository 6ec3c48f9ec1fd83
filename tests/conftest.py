"""What holds for all tests: property tests judge behaviour, never speed, and try the same examples each time.

`make fuzz` tries others, and more of them.
"""

import os
import signal

from hypothesis import HealthCheck, settings

settings.register_profile(
    "claudeops", deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("fuzz", settings.get_profile("claudeops"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "claudeops"))


def pytest_xdist_auto_num_workers() -> int:
    """How many tests run beside each other: two for a processor, for half of their time they wait for processes."""
    return max(2, min(8, 2 * len(os.sched_getaffinity(0))))


# Whoever starts the tests in the background has SIGINT ignored, and so would every program that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
