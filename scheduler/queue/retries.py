"""Which errors are retried, and why: an outage ends by itself; a wrong file, a rule or a limit stays.

docs/operating.md shows both tables (tested)."""

import re

from scheduler.runs.runner import NotebookFailedError

ATTEMPTS = 3

# The module that raises or names it -> name of the error -> its cause, which may be gone at the next attempt.
RAISED_BY = {
    "sqlalchemy.exc": {  # around what psycopg2 raises; warehouse.cursor makes psycopg's OperationalError of its own
        "OperationalError": "the database is away, restarts, is full of connections, or a lock was not had in time",
        "InterfaceError": "the connection to the database was lost",
    },
    "psycopg2.errors": {  # named in the text of a pandas DatabaseError
        "SerializationFailure": "another transaction was first",
        "DeadlockDetected": "two transactions waited for each other",
    },
    "obstore.exceptions": {
        "GenericError": "the bucket does not answer",
        "UnknownConfigurationKeyError": "the bucket does not answer (obstore calls some of it so)",
    },
    "t3lib.landing.listing": {"ListingError": "the bucket cannot be listed"},
    "t3lib.ingest.staging": {"StagingMissingError": "staged files were deleted: the stage before makes them again"},
    "scheduler.kernels.client": {"KernelStartError": "no kernel could be had: the machine is overloaded"},
    "scheduler.kernels.provisioner": {"KernelKilledError": "the kernel was killed before it could begin"},
    "nbclient.exceptions": {"DeadKernelError": "the kernel was killed, by hand or for want of memory"},
    "scheduler.runs.papermill_engine": {"RunStoppedError": "the worker was stopped or cut off"},
    "builtins": {"TimeoutError": "a service did not answer in time"},  # by jupyter_client, whose kernel does not reply
}
TRIED_AGAIN = {name: why for errors in RAISED_BY.values() for name, why in errors.items()}
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
    if isinstance(error, NotebookFailedError):
        name, words = error.cause, error.words
    else:
        name, words = type(error).__name__, str(error)
    names = {name, *_WRAPPED.findall(words)}
    return bool(names & TRIED_AGAIN.keys()) and not names & NOT_TRIED_AGAIN.keys()
