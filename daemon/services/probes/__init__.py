"""How services are probed: one file for each kind, behind one small protocol."""
