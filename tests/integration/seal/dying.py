"""A process that seals October and does not live to finish: `python -m tests.integration.seal.dying BREAK FOLDER TO`.

A fork would not do: the typesetter's threads are not in it."""

import os
import resource
import signal
import sys
from pathlib import Path

from t3lib.editions import edition
from t3lib.seal import contents, documents, keys, writing
from tests.integration.seal.sealing import OCTOBER, Fleet

FULL = 7
BREAKS = {"tables": (contents, "export"), "documents": (documents, "write"), "signing": (keys, "sign"),
          "publishing": (writing, "_publish")}  # fmt: skip


def main(break_: str, folder: Path, packs: Path) -> None:
    """End with FULL where a file could not be written, or by SIGKILL."""
    fleet = Fleet(folder, os.environ["T3_DATABASE_URL"])

    def execute() -> tuple[Path, str | None]:
        made = fleet.execute()
        if break_ == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
        return made

    if break_ != "full":
        module, name = BREAKS[break_]
        whole = getattr(module, name)

        def killed(*given, **more):
            if break_ in ("tables", "documents"):
                whole(*given, **more)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(module, name, killed)
    try:
        writing.seal(OCTOBER, edition("cfo_month"), packs, execute)
    except OSError:
        sys.exit(FULL)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
