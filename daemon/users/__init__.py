"""People and their sign-ins, as rows."""
