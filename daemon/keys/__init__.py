"""What programs show to be let in: the chat key, and signatures of webhooks. The web process knows neither secret."""
