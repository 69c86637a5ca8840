"""Loading: cleaned batches, files that are reprocessed, and the dimensions."""
