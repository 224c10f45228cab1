"""Names and places that all parts share: the database, the files in DIR and WORKDIR, and the one error type."""

import json
import os
import sys
from pathlib import Path

DATABASE = "erp"
HERE = Path(__file__).resolve().parent.parent
REQUIREMENTS = HERE / "requirements.txt"
FILL = HERE / "tryton_lib" / "fill.py"
SHOP = HERE.parent.parent / "examples" / "shop"


class Problem(Exception):
    """Something the caller can mend; the text says how."""


class Prepared:
    """What `prepare` leaves in DIR."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.venv = self.folder / "venv"
        self.python = self.venv / "bin" / "python"
        self.base = self.folder / "base.sqlite"
        self.template = self.folder / "template.sqlite"
        self.facts = self.folder / "facts.json"
        self.stamps = self.folder / "stamps.json"

    def check(self):
        for file in (self.python, self.template, self.facts):
            if not file.exists():
                raise Problem(f"{file} is missing. Run first: tryton.py prepare {self.folder}")
        return self


class Work:
    """One running copy of the template: its database, configuration and log in WORKDIR."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.database = self.folder / f"{DATABASE}.sqlite"
        self.configuration = self.folder / "trytond.conf"
        self.facts = self.folder / "facts.json"
        self.log = self.folder / "trytond.log"

    def read_facts(self):
        try:
            return json.loads(self.facts.read_text("utf-8"))
        except FileNotFoundError:
            raise Problem(f"{self.facts} is missing. Run first: tryton.py start DIR {self.folder} --port N") from None


def write_configuration(file, folder, port=None):
    """Tryton's own configuration: SQLite files in `folder`, loopback only, nothing served but the interfaces."""
    lines = ["[database]", "uri = sqlite://", f"path = {folder}", "language = en", "", "[web]", "root ="]
    if port is not None:
        lines.append(f"listen = 127.0.0.1:{port}")
    file.write_text("\n".join(lines) + "\n", "utf-8")


def environment(**more):
    """The environment for Tryton's programs: none of the caller's own TRYTOND_ settings, no .pyc files."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TRYTON")}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **more}


def say(text):
    """Progress goes to standard error; standard output is for answers."""
    print(text, file=sys.stderr, flush=True)
