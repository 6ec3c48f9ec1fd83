"""The shim: the small process that keeps one command, writes its output to the log, and outlives the worker."""
