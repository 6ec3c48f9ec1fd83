"""The version of all of it: read by the build, told by every process."""

VERSION = "0.1.0"
