"""What the commands of `t3` do."""
