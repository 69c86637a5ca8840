"""A worker: takes work from the queue and, while it is the leader, keeps the schedule."""
