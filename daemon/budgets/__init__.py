"""What sessions may spend in a day: rules, warnings, and what holds the queue back."""
