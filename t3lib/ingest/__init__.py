"""From new files in the bucket to loaded sales: discovery, extraction, staging, and what the notebooks call."""
