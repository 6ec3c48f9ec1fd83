"""Tells people, by the channels of CLAUDEOPS_APPRISE_URLS, from an outbox in the database."""
