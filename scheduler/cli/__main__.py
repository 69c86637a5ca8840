"""`python -m scheduler.cli` is the `t3` command."""

from scheduler.cli import main

main()
