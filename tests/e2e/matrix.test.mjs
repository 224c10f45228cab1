// The policy matrix of the shop: table x role x verb, each cell proved by a request.
// The golden text is matrix.golden.txt; TAKT_UPDATE=1 writes it anew.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, it } from "node:test";

import { Server } from "./lib/server.mjs";
import { changes as change, samples } from "./matrix.samples.mjs";

const golden = join(import.meta.dirname, "matrix.golden.txt");
let server, roles, own, other, fresh, staff;

before(async () => {
  server = await Server.start();
  own = await server.customer("own");
  other = await server.customer("other");
  fresh = await server.customer("fresh");
  staff = await server.customer("staff");
  await server.command("account", "role", staff.email, "--add", "staff");
  const session = await server.request("POST", "/auth/v1/token?grant_type=password", {
    body: { email: staff.email, password: staff.password },
  });
  staff.token = session.json.access_token;
  roles = {
    "visitor": undefined,
    "customer": own.token,
    "other customer": other.token,
    "staff": staff.token,
    "service": server.secretKey,
  };
});
after(() => server.stop());

/** Rows of the customer `own`, made new for every cell, so that no cell spoils another. */
async function fixture(table) {
  const service = (method, path, body) =>
    server.service(method, path, { body, headers: { prefer: "return=representation" } });
  const made = async (path, body) => {
    const answer = await service("POST", path, body);
    assert.equal(answer.status, 201, `${path}: ${answer.text}`);
    return answer.json[0];
  };
  const tag = crypto.randomUUID().slice(0, 8);
  const category = () => made("/rest/v1/categories", sample.categories(tag));
  const product = async () => made("/rest/v1/products", sample.products(tag, (await category()).id));
  const order = () => made("/rest/v1/orders", sample.orders(own.id));
  switch (table) {
    case "categories": return category();
    case "products": return product();
    case "customers": {
      const there = (await service("GET", `/rest/v1/customers?id=eq.${own.id}`)).json[0];
      return there ?? made("/rest/v1/customers", sample.customers(own.id));
    }
    // Staff see the addresses of those who have ordered: own has, fresh has not.
    case "addresses": {
      await order();
      return made("/rest/v1/addresses", sample.addresses(own.id));
    }
    case "addresses, nothing ordered": return made("/rest/v1/addresses", sample.addresses(fresh.id));
    case "orders": return order();
    case "order_changes": return made("/rest/v1/order_changes", sample.order_changes((await order()).id));
    case "order_items": return made("/rest/v1/order_items", sample.order_items((await order()).id, (await product()).id));
    case "pages": return made("/rest/v1/pages", sample.pages(tag));
    case "newsletter_contacts": return made("/rest/v1/newsletter_contacts", sample.newsletter_contacts(tag));
  }
}

/** Rows of somebody else than `own`. */
const owners = {};

const texts = (...names) => Object.fromEntries(names.flatMap((n) => [[`${n}_de`, n], [`${n}_en`, n]]));
const sample = samples(texts);

/** `x` the verb works on that row, `-` it does not (refused, or the row is not there for this role). */
async function cell(rows, role, verb) {
  const table = rows.split(",")[0];
  const token = rows in owners && role === "customer" ? owners[rows].token : roles[role];
  const key = role === "service" ? server.secretKey : server.publishableKey;
  const headers = { prefer: "return=minimal" };
  const row = await fixture(rows);
  const path = `/rest/v1/${table}?id=eq.${row.id}`;
  const exists = async () => (await server.service("GET", path)).json[0];
  switch (verb) {
    case "select": {
      const { status, json } = await server.request("GET", path, { token, key });
      return status === 200 && json.length === 1 ? "x" : "-";
    }
    case "insert": {
      // A copy needs the place that the row has.
      if (table === "customers" || table === "order_items") await server.service("DELETE", path);
      const copy = { ...row };
      for (const field of ["id", "number", "slug", "sku", "email", "token", "created_at", "updated_at"]) delete copy[field];
      if (table === "customers") copy.id = own.id;
      const tag = crypto.randomUUID().slice(0, 8);
      if ("slug" in row) copy.slug = `copy-${tag}`;
      if ("sku" in row) copy.sku = `copy-${tag}`;
      if ("email" in row && row.email) copy.email = `copy-${tag}@example.com`;
      const { status } = await server.request("POST", `/rest/v1/${table}`, { token, key, headers, body: copy });
      return status === 201 ? "x" : "-";
    }
    case "update": {
      const { status } = await server.request("PATCH", path, { token, key, headers, body: change[table] });
      const [field, value] = Object.entries(change[table])[0];
      const changed = (await exists())[field] === value;
      assert.ok(status === 204 || !changed, `${table} ${role}: changed in spite of ${status}`);
      return changed ? "x" : "-";
    }
    case "delete": {
      await server.request("DELETE", path, { token, key, headers });
      return (await exists()) === undefined ? "x" : "-";
    }
  }
}

it("holds in every cell", async () => {
  const verbs = ["select", "insert", "update", "delete"];
  owners["addresses, nothing ordered"] = fresh;
  const lines = ["The policy matrix of the shop, on rows of one customer: x works, - does not.", ""];
  for (const table of [...Object.keys(change), ...Object.keys(owners)].sort()) {
    lines.push(table.padEnd(22) + (table.length < 22 ? "" : "  ") + verbs.join("  "));
    for (const role of Object.keys(roles)) {
      let line = `  ${role.padEnd(20)}`;
      for (const verb of verbs) line += (await cell(table, role, verb)).padStart(3).padEnd(8);
      lines.push(line.trimEnd());
    }
    lines.push("");
  }
  const text = lines.join("\n");
  if (process.env.TAKT_UPDATE) await writeFile(golden, text);
  assert.equal(text, await readFile(golden, "utf8"));
});
