"""Measurements of the daemon, each against a floor or a peer in the same run. `make bench` runs all of them."""
