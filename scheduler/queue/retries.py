"""Which errors are retried, and why: an outage ends by itself; a wrong file, a rule or a limit stays.

docs/operating.md shows both tables (tested)."""

import re

from scheduler.runs.runner import NotebookFailedError

ATTEMPTS = 3

# Name of the error -> its cause, which may be gone at the next attempt.
TRIED_AGAIN = {
    "OperationalError": "the database is away, restarts, is full of connections, or a lock was not had in time",
    "InterfaceError": "the connection to the database was lost",
    "SerializationFailure": "another transaction was first",
    "DeadlockDetected": "two transactions waited for each other",
    "GenericError": "the bucket does not answer",
    "ListingError": "the bucket cannot be listed",
    "UnknownConfigurationKeyError": "the bucket does not answer (obstore calls some of it so)",
    "ConnectionError": "the network broke off",
    "ConnectionRefusedError": "a service does not run at the moment",
    "ConnectionResetError": "a service closed the connection",
    "TimeoutError": "a service did not answer in time",
    "StagingMissingError": "staged files were deleted: the stage before makes them again",
    "KernelStartError": "no kernel could be had: the machine is overloaded",
    "KernelKilledError": "the kernel was killed before it could begin",
    "DeadKernelError": "the kernel was killed, by hand or for want of memory",
    "RunStoppedError": "the worker was stopped or cut off",
}
# These take precedence, also where a driver raises them as one of the above: the next attempt would hit the same limit.
NOT_TRIED_AGAIN = {
    "CellTimeoutError": "a cell took longer than `cell_seconds`",
    "RunTimeoutError": "the cells of a notebook took longer than `run_seconds` in all",
    "MemoryError": "a cell asked for more memory than there is",
    "ProgramLimitExceeded": "a statement is larger than Postgres takes",
    "StatementTooComplex": "a statement is deeper than Postgres takes",
    "TooManyColumns": "a table is wider than Postgres takes",
    "TooManyArguments": "a call has more arguments than Postgres takes",
}
# How pandas and SQLAlchemy name the driver's error that they wrap.
_WRAPPED = re.compile(r"\(psycopg2\.(?:\w+\.)*(\w+)\)")


def may_pass(error: BaseException) -> bool:
    """Whether a retry can help."""
    in_notebook = isinstance(error, NotebookFailedError)
    name, words = (error.cause, error.words) if in_notebook else (type(error).__name__, str(error))
    names = {name, *_WRAPPED.findall(words)}
    return bool(names & TRIED_AGAIN.keys()) and not names & NOT_TRIED_AGAIN.keys()
