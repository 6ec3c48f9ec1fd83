"""Starts, watches, restarts, reaps and stops worker and web process. Standard library and setproctitle alone."""
