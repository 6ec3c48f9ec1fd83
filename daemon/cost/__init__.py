"""What sessions cost, added up for whoever asks."""
