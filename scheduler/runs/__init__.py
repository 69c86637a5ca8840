"""One run of one notebook: its parameters, its kernel, its executed copy and its row in ops.run."""
