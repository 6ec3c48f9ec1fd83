"""Alerts that other programs send in: read by rules, put into the queue, told to sessions as material."""
