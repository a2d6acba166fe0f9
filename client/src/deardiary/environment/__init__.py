"""What an iteration runs on: captured, kept as its snapshot, restored. Every part is imported when it is used."""
