"""A client of Tryton's JSON-RPC as the administrator, and what tests ask it: sales, stock, products."""

import base64
import datetime
import http.client
import json
from decimal import Decimal

from .places import DATABASE, Problem, Work

TIMEOUT = 60.0  # seconds for one answer
SALE_FIELDS = [
    "number", "reference", "state", "shipment_state", "invoice_state", "total_amount", "party",
    "lines.product.code", "lines.quantity", "lines.unit_price",
]


class Client:
    """Signed in as the administrator at the server on `port`; `facts` is what `prepare` wrote."""

    def __init__(self, workdir, port):
        self.facts = Work(workdir).read_facts()
        self.port = port
        self.session = None
        admin = self.facts["admin"]
        user, token, *_ = self.call("common.db.login", admin["login"], {"password": admin["password"]})
        self.session = base64.b64encode(f"{admin['login']}:{user}:{token}".encode()).decode()

    def model(self, name, method, *arguments, **context):
        """Calls `method` of a model. The context always names the company; more is added by name."""
        return self.call(f"model.{name}.{method}", *arguments, {"company": self.facts["company"], **context})

    def call(self, method, *params):
        answer = self._post({"id": 0, "method": method, "params": params})
        if "error" in answer:
            raise Problem(f"Tryton refuses {method}: {answer['error']}")
        return answer["result"]

    def _post(self, message):
        headers = {"Content-Type": "application/json"}
        if self.session:
            headers["Authorization"] = f"Session {self.session}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.request("POST", f"/{DATABASE}/rpc/", json.dumps(message, default=_encode), headers)
            response = connection.getresponse()
            body = response.read()
        except OSError as error:
            raise Problem(
                f"No Tryton answers on port {self.port} ({error}). "
                f"Run first: tryton.py start DIR WORKDIR --port {self.port}"
            ) from None
        finally:
            connection.close()
        if response.status != 200:
            raise Problem(_explain(message["method"], response.status, body))
        return json.loads(body, object_hook=_decode)


def _explain(method, status, body):
    hint = "Does the server run on a copy in this WORKDIR?" if status in (401, 404) else "See trytond.log in WORKDIR."
    return f"Tryton answers {method} with {status}: {body[:200].decode('utf-8', 'replace')}\n{hint}"


def _encode(value):
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    raise TypeError(f"{type(value).__name__} has no form in Tryton's JSON")


def _decode(value):
    """Tryton tags what JSON has no type for."""
    if value.get("__class__") == "Decimal":
        return Decimal(value["decimal"])
    if value.get("__class__") == "date":
        return datetime.date(value["year"], value["month"], value["day"])
    return value


def sales(client):
    """Every sale, oldest first, as plain values (prices are strings)."""
    rows = client.model("sale.sale", "search_read", [], 0, None, [["id", "ASC"]], SALE_FIELDS)
    parties = _parties(client, {row["party"] for row in rows})
    return [_sale(row, parties.get(row["party"], {})) for row in rows]


def _parties(client, ids):
    """Asked for apart: one sale with a party that does not exist (SQLite lets it in) would fail the whole list."""
    rows = client.model("party.party", "search_read", [["id", "in", sorted(ids)]], 0, None, None, ["name", "code"])
    return {row["id"]: row for row in rows}


def _sale(row, party):
    return {
        "id": row["id"],
        "number": row["number"],
        "reference": row["reference"],
        "state": row["state"],
        "shipment_state": row["shipment_state"],
        "invoice_state": row["invoice_state"],
        "party": party.get("name"),
        "party_code": party.get("code"),
        "total": str(row["total_amount"]),
        "lines": [_line(line) for line in row["lines."]],
    }


def _line(row):
    return {
        "product": row["product."]["code"] if row["product."] else None,
        "quantity": row["quantity"],
        "unit_price": str(row["unit_price"]),
    }


def products(client):
    """Code and id of every product."""
    rows = client.model("product.product", "search_read", [], 0, None, [["code", "ASC"]], ["code"])
    return [{"code": row["code"], "id": row["id"]} for row in rows]


def stock(client, code):
    """What lies in the storage location. Without `locations` Tryton would answer 0."""
    (row,) = client.model(
        "product.product", "read", [_product(client, code)], ["quantity"], locations=[client.facts["storage"]]
    )
    return row["quantity"]


def set_stock(client, code, quantity):
    """An inventory, as a person counting would enter it; Tryton itself works out the difference."""
    line = {"product": _product(client, code), "quantity": quantity}
    (inventory,) = client.model(
        "stock.inventory", "create", [{"location": client.facts["storage"], "lines": [["create", [line]]]}]
    )
    client.model("stock.inventory", "confirm", [inventory])


def _product(client, code):
    found = client.model("product.product", "search", [["code", "=", code]], 0, 1, None)
    if not found:
        raise Problem(f"Tryton has no product '{code}'. List them: tryton.py products WORKDIR --port {client.port}")
    return found[0]
