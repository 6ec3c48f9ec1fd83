"""Runs: one command kept alive by a shim of its own, whatever happens to the daemon. Sessions and jobs run by it."""
