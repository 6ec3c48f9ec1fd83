"""Acts: the supervisor, the worker, and what they keep alive. `python -m daemon` starts it all."""
