// What the ERP says about stock, less what it cannot have counted yet. A small server speaks as Tryton's REST does;
// the real one is in tests/partners, but nobody can stop that one in the middle of an answer.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, beforeEach, describe, it } from "node:test";

import { Server } from "./lib/server.mjs";

let server, erp, customer, products;
/** What it answers about stock, once it may. */
let counted, mayAnswer, isAsked;

before(async () => {
  erp = createServer(async (request, response) => {
    // Orders do not arrive: they stay open.
    if (!request.url.includes("forecast_quantity")) return void response.writeHead(503).end("{}");
    isAsked();
    await mayAnswer;
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(counted));
  }).listen(0, "127.0.0.1");
  await once(erp, "listening");
  server = await Server.start({
    env: { TAKT_CONNECTION_ERP_BASE: `http://127.0.0.1:${erp.address().port}`, TAKT_SECRET_ERP_KEY: "k" },
  });
  customer = await server.customer("stock");
  products = (await server.service("GET", "/rest/v1/products?select=id,slug,stock&order=slug")).json;
});
after(async () => {
  await server?.stop();
  erp?.close();
});
beforeEach(() => server.command("deliveries", "pause", "erp"));

/** Lets the shop ask; `meanwhile` happens between the question and its answer, which is `tells` for one article. */
async function ask(product, tells, meanwhile = async () => {}) {
  let answer;
  mayAnswer = new Promise((go) => (answer = go));
  const asked = new Promise((seen) => (isAsked = seen));
  counted = products.map((p) => ({ code: p.slug, forecast_quantity: p.id === product.id ? tells : p.stock }));
  await server.command("deliveries", "resume", "erp");
  await asked;
  await meanwhile();
  answer();
}

const stock = async (product) =>
  (await server.service("GET", `/rest/v1/products?select=stock&id=eq.${product.id}`)).json[0].stock;

async function until(what, done) {
  for (let tries = 0; tries < 150; tries++) {
    if (await done()) return;
    await new Promise((wait) => setTimeout(wait, 100));
  }
  const dead = await server.command("deliveries", "list", "--connection", "functions");
  assert.fail(`${what} did not come true within 15 s\n${dead}`);
}

async function buy(product, quantity) {
  const body = { items: [{ product_id: product.id, quantity }], address_id: customer.addressId };
  const answer = await server.request("POST", "/rest/v1/rpc/checkout", { token: customer.token, body });
  assert.equal(answer.status, 200, answer.text);
  return answer.json.order_id;
}

async function taken(id) {
  const body = { erp_number: "S1", erp_at: new Date().toISOString() };
  const { status, text } = await server.service("PATCH", `/rest/v1/orders?id=eq.${id}`, { body });
  assert.equal(status, 204, text);
}

describe("the ERP's stock", () => {
  it("is taken over less the orders that have not arrived there", async () => {
    const product = products.find((p) => p.stock > 20);
    await buy(product, 3);
    await ask(product, 100);
    await until("97", async () => (await stock(product)) === 97);
  });

  it("counts an order that arrives there while it is being asked", async () => {
    const product = products.findLast((p) => p.stock > 20);
    const order = await buy(product, 4);
    // It answered before the order came in, and we hear of both afterwards.
    await ask(product, 200, () => taken(order));
    await until("196", async () => (await stock(product)) === 196);
    // The next answer has it.
    await server.command("deliveries", "pause", "erp");
    await ask(product, 150);
    await until("150", async () => (await stock(product)) === 150);
  });

  it("stays as it was where more orders wait than can be counted, and says why", async () => {
    const product = products.filter((p) => p.stock > 20)[3];
    const many = Array.from({ length: 1001 }, () => ({
      customer_id: customer.id, total: 1, tax_total: 0, ship_name: "n", ship_street: "s", ship_postal_code: "1",
      ship_city: "c", ship_country: "DE",
    }));
    const made = await server.service("POST", "/rest/v1/orders", { body: many });
    assert.equal(made.status, 201, made.text);
    await ask(product, 5000);
    const dead = async () =>
      JSON.parse(await server.command("deliveries", "list", "--connection", "functions", "--state", "dead", "--json")).deliveries;
    await until("a dead letter", async () => (await dead()).length === 1);
    assert.match((await dead())[0].error, /More than 1000 orders wait/);
    assert.equal(await stock(product), product.stock);
  });
});
