"""Carries: messages between the processes, their codec, the client, the server, and `claudeopsctl` (`ipc.ctl`)."""
