"""Property tests here have no deadline: on a busy machine a single slow example says nothing."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
