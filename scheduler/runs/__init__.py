"""One run of one notebook: its parameters, its kernel, its executed notebook and its row in ops.run."""
