"""Runs inside the venv: fills a fresh Tryton database with a company, accounts, the shop's products, stock and a key.

It uses Tryton's own client library, so every record is made as a person at a Tryton client would make it.
"""

import argparse
import csv
import json
import sys
from decimal import Decimal

from proteus import Model, Wizard, config

DATABASE = "erp"
STOCK = 100
CHART = "account.account_template_root_en"  # the universal chart, part of the account module
COUNTRIES = {"DE": "Germany", "AT": "Austria"}  # where the shop delivers to
GROUPS = ("Sales Administrator", "Stock")  # the key's rights; plain Sales may not `process` a sale that got stuck


def main():
    options = _options()
    session = config.set_trytond(f"sqlite:///{DATABASE}")
    rows = list(csv.DictReader(open(options.products, encoding="utf-8", newline="")))
    facts = {"database": DATABASE}
    facts.update(make_company(session))
    accounts = make_accounts(facts["company"])
    facts["countries"] = make_countries()
    facts["payment_term"] = make_payment_term()
    facts["taxes"] = make_taxes(rows, accounts)
    facts.update(find_places())
    facts.update(make_products(rows, accounts))
    bring_in(facts["products"].values(), facts["storage"])
    facts.update(make_key(facts["company"]))
    with open(options.facts, "w", encoding="utf-8") as file:
        json.dump(facts, file)


def _options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", required=True, help="the shop's seeds/products.csv")
    parser.add_argument("--facts", required=True, help="where to write what a client needs to know")
    return parser.parse_args()


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def make_company(session):
    say("company Blatt & Kanne, currency EUR")
    currency = Model.get("currency.currency")(name="Euro", code="EUR", symbol="€", rounding=Decimal("0.01"))
    currency.save()
    party = Model.get("party.party")(name="Blatt & Kanne")
    party.save()
    wizard = Wizard("company.company.config")
    wizard.execute("company")
    wizard.form.party = party
    wizard.form.currency = currency
    wizard.execute("add")
    session._context = Model.get("res.user").get_preferences(True, {})
    (company,) = Model.get("company.company").find()
    return {"company": company.id, "currency": currency.id}


def make_accounts(company):
    say("universal chart of accounts")
    template = Model.get("ir.model.data").get_id(CHART, config.get_config().context)
    wizard = Wizard("account.create_chart")
    wizard.execute("account")
    wizard.form.account_template = Model.get("account.account.template")(template)
    wizard.form.company = Model.get("company.company")(company)
    wizard.execute("create_account")
    accounts = {kind: _account(kind) for kind in ("receivable", "payable", "revenue", "expense")}
    wizard.form.account_receivable = accounts["receivable"]
    wizard.form.account_payable = accounts["payable"]
    wizard.form.category_account_revenue = accounts["revenue"]
    wizard.form.category_account_expense = accounts["expense"]
    wizard.execute("create_properties")
    (accounts["tax"],) = Model.get("account.account").find([("code", "=", "6.3.6")])
    return accounts


def _account(kind):
    wanted = [(f"type.{kind}", "=", True), ("closed", "!=", True)]
    if kind in ("receivable", "payable"):
        wanted.append(("party_required", "=", True))
    return Model.get("account.account").find(wanted, limit=1)[0]


def make_countries():
    Country = Model.get("country.country")
    records = {code: Country(name=name, code=code) for code, name in COUNTRIES.items()}
    Country.save(list(records.values()))
    return {code: record.id for code, record in records.items()}


def make_payment_term():
    term = Model.get("account.invoice.payment_term")(name="Rechnung, 14 Tage")
    line = term.lines.new(type="remainder")
    line.relativedeltas.new(days=14)
    term.save()
    return term.id


def make_taxes(rows, accounts):
    """The shop's tax rates, for clients that send `taxes`. No category names them: see `make_products`."""
    rates = sorted({row["tax_rate"] for row in rows}, key=Decimal)
    taxes = {}
    for rate in rates:
        tax = Model.get("account.tax")(name=f"USt {rate} %", description=f"USt {rate} %", type="percentage")
        tax.rate = Decimal(rate) / 100
        tax.invoice_account = tax.credit_note_account = accounts["tax"]
        tax.save()
        taxes[rate] = tax.id
    return taxes


def find_places():
    Location = Model.get("stock.location")
    (warehouse,) = Location.find([("type", "=", "warehouse")])
    return {"warehouse": warehouse.id, "storage": warehouse.storage_location.id}


def make_products(rows, accounts):
    """One product per seed. The list price is the shop's price, tax included; hence no taxes on the category."""
    say(f"{len(rows)} products")
    (unit,) = Model.get("product.uom").find([("name", "=", "Unit")])
    category = Model.get("product.category")(name="Blatt & Kanne", accounting=True)
    category.account_revenue = accounts["revenue"]
    category.account_expense = accounts["expense"]
    category.save()
    Template = Model.get("product.template")
    templates = [_template(Template, row, unit, category) for row in rows]
    Template.save(templates)
    found = Model.get("product.product").find([])
    return {"unit": unit.id, "products": {product.code: product.id for product in found}}


def _template(Template, row, unit, category):
    template = Template(name=row["name_de"], code=row["slug"], type="goods")
    template.default_uom = unit
    template.salable = True
    template.list_price = Decimal(row["price"])
    template.account_category = category
    return template


def bring_in(products, storage):
    say(f"inventory: {STOCK} of each")
    inventory = Model.get("stock.inventory")(location=Model.get("stock.location")(storage))
    Product = Model.get("product.product")
    for product in products:
        line = inventory.lines.new(product=Product(product))
        line.quantity = float(STOCK)
        line.expected_quantity = 0.0
    inventory.click("confirm")


def make_key(company):
    say("user 'shop' and its REST key")
    Group = Model.get("res.group")
    user = Model.get("res.user")(name="Shop", login="shop")
    for name in GROUPS:
        user.groups.append(Group.find([("name", "=", name)])[0])
    user.companies.append(Model.get("company.company")(company))
    user.company = Model.get("company.company")(company)
    user.save()
    application = Model.get("res.user.application")(user=user, application="rest")
    application.save()
    if application.state != "validated":
        raise SystemExit(f"The key is '{application.state}', not validated: this Tryton does it in another way.")
    return {"user": user.id, "key": application.key}


if __name__ == "__main__":
    main()
