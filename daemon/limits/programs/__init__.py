"""What programs do, by their arguments: one module for each family, each a table."""
