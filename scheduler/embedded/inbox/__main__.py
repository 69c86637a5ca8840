"""`python -m scheduler.embedded.inbox FOLDER --smtp-port N --page-port N`

Senders log in with T3_INBOX_USER and T3_INBOX_PASSWORD."""

import argparse
import logging
import os
import signal
import threading
import warnings
from pathlib import Path
from zoneinfo import ZoneInfo

from scheduler.embedded.inbox import page, sink


def main() -> None:
    """Serve both ports until SIGTERM."""
    os.umask(0o077)
    parser = argparse.ArgumentParser(prog="python -m scheduler.embedded.inbox", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--page-port", type=int, required=True)
    parser.add_argument("--zone", type=ZoneInfo, default=ZoneInfo("Europe/London"), help="time zone of the page")
    options = parser.parse_args()
    user, password = os.environ["T3_INBOX_USER"], os.environ["T3_INBOX_PASSWORD"]

    # aiosmtpd warns that logins are not encrypted; they never leave the machine.
    warnings.filterwarnings("ignore", message="Requiring AUTH")
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    pages = page.serve(options.folder, options.page_port, options.zone)
    mails = sink.serve(options.folder, options.smtp_port, user, password)
    ended = threading.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: ended.set())
    ended.wait()
    mails.stop()
    pages.shutdown()


if __name__ == "__main__":
    main()
