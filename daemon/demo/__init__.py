"""The demo: a scripted Messages API and a few small services, so that a newcomer sees a session at no cost."""
