"""The pages: one module each with a typed context, and what they share."""
