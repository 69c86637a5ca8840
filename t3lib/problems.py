"""What went wrong, in one plain line that says what to do."""

import errno
import re
from urllib.parse import urlsplit

from t3lib.settings import SettingsError
from t3lib.urls import scrubbed


class ServiceError(RuntimeError):
    """A service that T3 needs is not available; the text is one plain line that says what to do."""


class RefusedError(ValueError):
    """What a person requested cannot be done; the text is one plain line that says why and what to do."""


class WrongUseError(RefusedError):
    """What a person typed cannot be understood: a command ends with exit code 2, not 1."""


def explain(error: BaseException) -> str | None:
    """One plain line for an error of a service or the machine, None for a defect of the program.

    The causes of an error are examined too, so a wrapped OperationalError is still recognised."""
    for cause in _chain(error):
        for reader in (_own, _system, _database, _store):
            if line := reader(cause):
                return scrubbed(" ".join(line.split()))
    return None


def error_line(error: BaseException) -> str:
    """One line for any error: the plain one, or else the class and text of a defect; never with a part of a login."""
    return explain(error) or scrubbed(f"{type(error).__name__}: {error}")


def explain_raised(name: str, text: str) -> str | None:
    """The plain line for an error raised in a kernel, from its class name and text; None for a defect."""
    if name in ("SettingsError", "ServiceError", "ListingError"):
        return scrubbed(text)
    if found := re.search(r"\[Errno (\d+)\][^:]*(?:: '([^']*)')?", text):
        return _system(OSError(int(found[1]), "", found[2]))
    line = _of_database(text) or explain_store(text)
    return line and scrubbed(line)


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = getattr(error, "orig", None) or error.__cause__ or error.__context__
    return found


def _own(error: BaseException) -> str | None:
    return str(error) if isinstance(error, SettingsError | ServiceError | RefusedError) else None


_SYSTEM = {
    errno.ENOSPC: "The disk is full{at}: free some space (outputs/ is safe to delete) and start again.",
    errno.EDQUOT: "The disk quota is used up{at}: free some space (outputs/ is safe to delete), start again.",
    errno.EACCES: "Permission denied{at}: give this account access, or set T3_HOME and T3_OUTPUTS elsewhere.",
    errno.EPERM: "Permission denied{at}: give this account access, or set T3_HOME and T3_OUTPUTS elsewhere.",
    errno.EROFS: "The file system{at} is read-only: set T3_HOME and T3_OUTPUTS to a folder that can be written.",
    errno.EADDRINUSE: "The port is used by another program{at}: stop that program or choose another port.",
    errno.EMFILE: "Too many open files: raise the limit with `ulimit -n 4096` and start again.",
    errno.ECONNREFUSED: "Nothing answers at the address{at}: start the service or correct its URL.",
}


def _system(error: BaseException) -> str | None:
    if not isinstance(error, OSError) or error.errno not in _SYSTEM:
        return None
    return _SYSTEM[error.errno].format(at=f" ({error.filename})" if error.filename else "")


# Parts of the messages of libpq and the server (as psycopg2 gives them), and what a person does about them.
_DATABASE = [
    (
        r"password authentication failed for user",
        "The database refuses the login: correct the user and password in T3_DATABASE_URL.",
    ),
    (
        r"no password supplied",
        "The database asks for a password: write it into T3_DATABASE_URL (postgresql://user:password@host/db).",
    ),
    (
        r'database "(?P<name>[^"]*)" does not exist',
        "The database {name} does not exist: create it (`createdb {name}`) or correct T3_DATABASE_URL.",
    ),
    (
        r"role .* does not exist",
        "The database does not know the user: create it (`t3 db roles` prints the SQL) or correct T3_DATABASE_URL.",
    ),
    (
        r"(?:could not translate host name|failed to resolve host) ['\"](?P<name>[^'\"]*)",
        "The database host {name} is not known: correct T3_DATABASE_URL.",
    ),
    (
        r"no pg_hba.conf entry",
        "The database does not let this user in from here: ask its administrator for an entry in pg_hba.conf.",
    ),
    (
        r"the database system is (starting up|shutting down|in recovery mode|not yet accepting)",
        "The database is starting or stopping: try again in a moment.",
    ),
    (
        r'connection to server at "(?P<name>[^"]*)".*(refused|timed out|timeout|unreachable|No route)',
        "No database answers at {name}: start it or correct T3_DATABASE_URL.",
    ),
    (
        r'connection to server on socket "(?P<name>[^"]*)"',
        "The database does not run (nothing listens on {name}): start it with `t3 up` or set T3_DATABASE_URL.",
    ),
    (r"too many clients|remaining connection slots", "The database has no free connection: try again later."),
    (
        r"terminating connection|server closed the connection|SSL connection has been closed",
        "The database closed the connection (restarted or stopped): try again.",
    ),
    (
        r"could not (receive data from|send data to) server",
        "The network to the database broke off: try again.",
    ),
    (r"No space left on device", "The disk of the database is full: free some space and start again."),
    (
        r"permission denied for (?P<name>[a-z ]+ \S+)",
        "The database user may not use {name}: `t3 db roles` grants what T3 needs, or prints the SQL for it.",
    ),
    (
        r'(relation|schema) "(?P<name>(ops|core|mart)[^"]*)" does not exist',
        "The database has no {name} yet: run `t3 db upgrade`.",
    ),
    (
        r"canceling statement due to statement timeout",
        "The database stopped a query that took too long: ask for a shorter range.",
    ),
]


def _database(error: BaseException) -> str | None:
    if type(error).__module__.split(".")[0] not in ("psycopg2", "psycopg", "sqlalchemy"):
        return None
    return _of_database(str(error))


def _of_database(text: str) -> str | None:
    for pattern, line in _DATABASE:
        if found := re.search(pattern, text, re.DOTALL):
            return line.format(**found.groupdict())
    return None


_STORE = [
    (
        r"NoSuchBucket|The specified bucket does not exist",
        "The bucket at {at} does not exist: create it or correct T3_LANDING_URL and T3_ARCHIVE_URL.",
    ),
    (
        r"SignatureDoesNotMatch",
        "{at} refuses the secret: correct T3_S3_ACCESS_KEY_ID and T3_S3_SECRET_ACCESS_KEY.",
    ),
    (
        r"InvalidAccessKeyId",
        "{at} does not know the key: correct T3_S3_ACCESS_KEY_ID and T3_S3_SECRET_ACCESS_KEY.",
    ),
    (
        r"169\.254\.169\.254",  # asked for a role's key, because no key is set
        "No key for the bucket is set: set T3_S3_ACCESS_KEY_ID and T3_S3_SECRET_ACCESS_KEY.",
    ),
    (
        r"AccessDenied|40[13] (Forbidden|Unauthorized)|\(40[13]\)",
        "{at} denies access: correct T3_S3_ACCESS_KEY_ID and T3_S3_SECRET_ACCESS_KEY, or ask for the right to it.",
    ),
    (
        r"(?i)credential",
        "No key for the bucket is set: set T3_S3_ACCESS_KEY_ID and T3_S3_SECRET_ACCESS_KEY.",
    ),
    (
        r"(?i)dns error|failed to lookup|tcp connect|connection refused|error sending request|timed out|connect",
        "Nothing answers at {at}: check the network and T3_S3_ENDPOINT.",
    ),
    (r"No space left on device", "The disk of the object store is full: free some space and start again."),
    (r"Permission denied", "The folder of the object store may not be used by this account: change its rights."),
    (r"response body|IncompleteBody", "{at} broke off its answer: try again."),
    (
        r"5\d\d (Internal|Service|Bad|Gateway)|\(5\d\d\)|\((SlowDown|\w+Error|\w+Unavailable)\)",
        "The object store at {at} fails at the moment: try again later.",
    ),
]


def _store(error: BaseException) -> str | None:
    if not type(error).__module__.startswith("obstore"):
        return None
    return explain_store(str(error)) or f"The object store failed: {str(error).split('Debug source')[0]}"


def explain_store(text: str) -> str | None:
    """One plain line for the error of an object store's client; the address is taken from its text."""
    address = re.search(r"https?://[^\s?\"]+", text)
    at = urlsplit(address[0])._replace(query="").geturl() if address else "the object store"
    return next((line.format(at=at) for pattern, line in _STORE if re.search(pattern, text)), None)
