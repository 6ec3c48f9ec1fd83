"""What holds for all tests: property tests judge behaviour, never speed, and CI tries the same examples each time."""

import os
import signal

from hypothesis import HealthCheck, settings

settings.register_profile(
    "claudeops",
    deadline=None,
    database=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("claudeops")

# Whoever starts the tests in the background has SIGINT ignored, and so would every program that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
