"""Operational memory: what sessions are told again, how sure it is, and how it fades."""
