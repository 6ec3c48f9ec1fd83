"""The hook that the claude CLI runs before every tool call: asks the worker, and prints what becomes of the call.

Standard library alone, and started as `python -I -S`: it runs once a call, in an environment and a directory that the
session chose.
"""
