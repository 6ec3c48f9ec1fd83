"""A tool that does not want to end: ignores SIGINT and SIGTERM, and has children in sessions of their own.

`command_stubborn.py MARK`: starts a child, and a double-forked grandchild whose parent is gone, each in a session of
its own and as deaf as itself. All have MARK in their argv. Prints "ready" when all run; then sleeps for ever.
"""

import os
import signal
import subprocess
import sys
import time

DEAF = (
    "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (2, 15)]; print('up', flush=True); time.sleep(1e6)"
)

mark = sys.argv[1]
for signum in (signal.SIGINT, signal.SIGTERM):
    signal.signal(signum, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", DEAF, mark], stdout=subprocess.PIPE, start_new_session=True)
assert child.stdout is not None
child.stdout.readline()
reading, writing = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.dup2(writing, 1)
        os.execv(sys.executable, [sys.executable, "-c", DEAF, mark])
    os._exit(0)
os.wait()
os.close(writing)
os.read(reading, 3)
print("ready", flush=True)
time.sleep(1e6)
