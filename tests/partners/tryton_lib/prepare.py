"""`tryton.py prepare`: the venv, an empty database with all modules, and from it the filled template.

Each of the three stages keeps a stamp, the hash of what it was made from, and is skipped while that is unchanged.
"""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from .places import DATABASE, FILL, REQUIREMENTS, Prepared, Problem, environment, say, write_configuration

MODULES = ("sale", "stock")  # the rest follows as their dependencies


def prepare(folder, shop):
    """Brings DIR up to date; gives the facts."""
    place = Prepared(folder)
    products = Path(shop).resolve() / "seeds" / "products.csv"
    if not products.exists():
        raise Problem(f"{products} is missing. Name the shop's folder with --shop PATH.")
    place.folder.mkdir(parents=True, exist_ok=True)
    with _alone(place):
        wanted = _wanted_stamps(products)
        _stage(place, "venv", wanted, place.python, _make_venv)
        _stage(place, "base", wanted, place.base, _make_base)
        _stage(place, "template", wanted, place.template, lambda at: _make_template(at, products))
    return json.loads(place.facts.read_text("utf-8"))


@contextmanager
def _alone(place):
    """Only one `prepare` at a time in a folder; a second one waits and then finds the work done."""
    with open(place.folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _wanted_stamps(products):
    version = sys.version.split()[0]
    venv = _digest(version.encode(), REQUIREMENTS.read_bytes())
    base = _digest(venv.encode(), Path(__file__).read_bytes())
    template = _digest(base.encode(), FILL.read_bytes(), products.read_bytes())
    return {"venv": venv, "base": base, "template": template}


def _digest(*parts):
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _stage(place, name, wanted, result, make):
    """Runs `make` unless `result` is there and was made from the same inputs."""
    stamps = json.loads(place.stamps.read_text("utf-8")) if place.stamps.exists() else {}
    if stamps.get(name) == wanted[name] and result.exists():
        return
    began = time.monotonic()
    stamps.pop(name, None)
    _write_stamps(place, stamps)
    make(place)
    _write_stamps(place, {**stamps, name: wanted[name]})
    say(f"{name}: ready after {time.monotonic() - began:.0f} s")


def _write_stamps(place, stamps):
    place.stamps.write_text(json.dumps(stamps, indent=2) + "\n", "utf-8")


def _make_venv(place):
    say("venv: installing Tryton from requirements.txt (about 10 s)")
    shutil.rmtree(place.venv, ignore_errors=True)
    _run([sys.executable, "-m", "venv", place.venv], "Python's venv module is needed: apt-get install python3-venv")
    _run(
        [place.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS],
        "The packages of requirements.txt must be installable with pip: check the network and the pins.",
    )


def _make_base(place):
    say("base: a new database with all modules (about 25 s)")
    with _workshop(place) as (folder, variables):
        database = folder / f"{DATABASE}.sqlite"
        database.touch()  # Tryton does not create the file
        _run(
            [place.python, "-m", "trytond.cli.admin", "-d", DATABASE, "-u", *MODULES,
             "--activate-dependencies", "--email", "admin@example.org"],
            "Delete the folder and run prepare again; if it stays, a pin in requirements.txt is wrong.",
            variables,
        )
        _close(database)
        os.replace(database, place.base)


def _make_template(place, products):
    say("template: company, accounts, products, stock, key")
    with _workshop(place) as (folder, variables):
        database = folder / f"{DATABASE}.sqlite"
        shutil.copyfile(place.base, database)
        facts = folder / "facts.json"
        _run(
            [place.python, FILL, "--products", products, "--facts", facts],
            "Look at the last lines above; tests/partners/tryton_lib/fill.py makes these records.",
            variables,
        )
        _close(database)
        _complete_facts(facts, _admin_password(place))
        os.replace(database, place.template)
        os.replace(facts, place.facts)


@contextmanager
def _workshop(place):
    """A folder for half-made things, with the environment in which Tryton's programs find it."""
    folder = place.folder / "making"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    configuration = folder / "trytond.conf"
    write_configuration(configuration, folder)
    (folder / "password").write_text(_admin_password(place) + "\n", "utf-8")
    yield folder, environment(TRYTOND_CONFIG=str(configuration), TRYTONPASSFILE=str(folder / "password"))
    shutil.rmtree(folder)


def _admin_password(place):
    """The administrator's password: made once for a folder, since base and template share it."""
    file = place.folder / "admin-password"
    if not file.exists():
        file.write_text(secrets.token_urlsafe(18) + "\n", "utf-8")
        file.chmod(0o600)
    return file.read_text("utf-8").strip()


def _complete_facts(file, password):
    facts = json.loads(file.read_text("utf-8"))
    facts["admin"] = {"login": "admin", "password": password}
    file.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _close(database):
    """Moves the write-ahead log into the file, so that one file is the whole database."""
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def _run(command, help_text, variables=None):
    done = subprocess.run(
        [str(part) for part in command], env=variables, stdin=subprocess.DEVNULL, stdout=sys.stderr
    )
    if done.returncode != 0:
        raise Problem(f"'{command[0]} ... {command[-1]}' ended with {done.returncode}. {help_text}")
