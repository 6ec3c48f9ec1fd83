"""Status pages: what people without a sign-in may see of some services."""
