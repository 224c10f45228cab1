#!/usr/bin/env python3
"""A real Tryton for the partner tests: prepare a database once, run a server on a copy of it, look inside.

The command line lives here; the work is done in tryton_lib/. It needs Python 3.11 and its standard library.
What a client says to the server stands in tryton.http.md.
"""

import argparse
import json
import os
import sys

sys.dont_write_bytecode = True  # nothing is left in the repository

from tryton_lib import prepare, rpc, server  # noqa: E402
from tryton_lib.places import SHOP, Problem, say  # noqa: E402


def main():
    options = _parser().parse_args()
    try:
        code = options.run(options) or 0
        sys.stdout.flush()
        return code
    except Problem as problem:
        say(f"tryton.py: {problem}")
        return 1
    except BrokenPipeError:  # the reader (head, grep -q) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser():
    parser = argparse.ArgumentParser(
        description="Runs a real Tryton server for tests, on SQLite and 127.0.0.1 only.",
        epilog="First: tryton.py prepare DIR. Then, for each test: tryton.py start DIR WORKDIR --port N.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_prepare(commands)
    _add_start(commands)
    sales = _add_question(commands, "sales", run_sales, "The sales in the running server, oldest first.")
    sales.add_argument("--json", action="store_true", help="all fields, as a JSON list")
    stock = _add_question(commands, "stock", run_stock, "How many of a product lie in the storage location.")
    stock.add_argument("code", metavar="CODE", help="the product's code: the shop's slug")
    count = _add_question(commands, "set-stock", run_set_stock, "Sets the stock of a product with an inventory.")
    count.add_argument("code", metavar="CODE", help="the product's code: the shop's slug")
    count.add_argument("quantity", metavar="QUANTITY", type=_quantity, help="how many there shall be")
    _add_question(commands, "products", run_products, "Code and id of every product.")
    return parser


def _add_prepare(commands):
    text = "Makes DIR/venv, DIR/template.sqlite and DIR/facts.json; what is up to date is left alone."
    command = commands.add_parser("prepare", help=text, description=text)
    command.add_argument("dir", metavar="DIR", help="where to keep them, outside the repository")
    command.add_argument(
        "--shop", metavar="PATH", default=SHOP, help="the project with seeds/products.csv (default: %(default)s)"
    )
    command.set_defaults(run=run_prepare)


def _add_start(commands):
    text = "Starts trytond on a copy of the template, prints one line of JSON when it answers, stays until SIGTERM."
    command = commands.add_parser("start", help=text, description=text)
    command.add_argument("dir", metavar="DIR", help="the folder of 'prepare'")
    command.add_argument("workdir", metavar="WORKDIR", help="where the copy and the log go")
    command.add_argument("--port", type=_port, required=True, help="the port on 127.0.0.1")
    command.add_argument("--keep", action="store_true", help="go on with the copy that is in WORKDIR")
    command.set_defaults(run=run_start)


def _add_question(commands, name, run, text):
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument("workdir", metavar="WORKDIR", help="the folder of 'start'")
    command.add_argument("--port", type=_port, required=True, help="the port of 'start'")
    command.set_defaults(run=run)
    return command


def _port(text):
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"'{text}' is no port: give a number from 1 to 65535")
    return int(text)


def _quantity(text):
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is no quantity: give a whole number from 0 up")
    return float(text)


def run_prepare(options):
    facts = prepare.prepare(options.dir, options.shop)
    print(f"{options.dir}: {len(facts['products'])} products, database '{facts['database']}', facts in facts.json")


def run_start(options):
    return server.start(options.dir, options.workdir, options.port, options.keep)


def run_sales(options):
    found = rpc.sales(rpc.Client(options.workdir, options.port))
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for sale in found:
        print(
            f"{sale['id']}  number {sale['number'] or '-'}  reference {sale['reference'] or '-'}  {sale['state']}"
            f"  shipment {sale['shipment_state']}  {sale['party']}  {sale['total']}"
        )
        for line in sale["lines"]:
            print(f"    {line['quantity']:g} x {line['product']} at {line['unit_price']}")


def run_stock(options):
    print(f"{rpc.stock(rpc.Client(options.workdir, options.port), options.code):g}")


def run_set_stock(options):
    client = rpc.Client(options.workdir, options.port)
    rpc.set_stock(client, options.code, options.quantity)
    print(f"{rpc.stock(client, options.code):g}")


def run_products(options):
    for product in rpc.products(rpc.Client(options.workdir, options.port)):
        print(f"{product['code']}  {product['id']}")


if __name__ == "__main__":
    sys.exit(main())
