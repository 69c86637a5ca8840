"""What every server of ours does with a request before it answers: its size, its time, its name and its sender."""
