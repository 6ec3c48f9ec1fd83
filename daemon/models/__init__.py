"""Which models the API of the sessions offers."""
