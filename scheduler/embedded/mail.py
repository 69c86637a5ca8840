"""The embedded mail sink: `python -m scheduler.embedded.inbox` over T3_HOME/inbox."""

import os
import smtplib
import sys
from http.client import HTTPConnection, HTTPException

from scheduler import environment
from scheduler.embedded.loopback import Loopback
from t3lib.settings import ROOT, load

USER = "t3"


class Inbox(Loopback):
    """Accepts every mail, forwards none, and shows them as a page."""

    name, title = "inbox", "mail sink"
    ports = {"smtp_port": "mail sink", "page_port": "inbox page"}  # noqa: RUF012

    @property
    def settings(self) -> dict[str, str]:
        """Where to send mail."""
        password = self.home.secret(self.name, "password")
        return {"smtp_url": f"smtp://{USER}:{password}@127.0.0.1:{self.known['smtp_port']}"}

    @property
    def page(self) -> str:
        """Address of the page that shows the mails."""
        return f"http://127.0.0.1:{self.known['page_port']}/"

    def command(self, ports: dict[str, int]) -> tuple[list[str], dict[str, str]]:
        """The mail sink's process, which serves both ports."""
        command = [sys.executable, "-m", "scheduler.embedded.inbox", str(self.home.folder("inbox"))]
        command += ["--smtp-port", str(ports["smtp_port"]), "--page-port", str(ports["page_port"])]
        command += ["--zone", load().timezone]
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        login = {"T3_INBOX_USER": USER, "T3_INBOX_PASSWORD": self.home.secret(self.name, "password")}
        return command, environment.system() | login | {"PYTHONPATH": paths}

    def answers(self) -> bool:
        """Whether the SMTP port accepts the password and the other port serves T3's page."""
        try:
            with smtplib.SMTP("127.0.0.1", self.known["smtp_port"], timeout=5) as smtp:
                smtp.login(USER, self.home.secret(self.name, "password"))
            page = HTTPConnection("127.0.0.1", self.known["page_port"], timeout=5)
            page.request("GET", "/healthz")
            return page.getresponse().read() == b"t3 inbox"
        except (OSError, smtplib.SMTPException, HTTPException):
            return False
