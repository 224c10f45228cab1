// Two hundred people want the last ten pieces, and one person clicks twice.
// TAKT_ROUNDS: rounds of the contest (nightly: 20).
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { Server } from "./lib/server.mjs";

const rounds = Number(process.env.TAKT_ROUNDS ?? 3);
let server, customers;

// The two hundred stand in one room here; outside they come from two hundred addresses.
const env = { TAKT_LIMITS_REQUESTS_PER_ADDRESS: "0" };

before(async () => {
  server = await Server.start({ env });
  customers = await Promise.all(Array.from({ length: 8 }, (_, n) => server.customer(`buyer${n}`)));
});
after(() => server.stop());

const buy = (customer, product, headers = {}) =>
  server.request("POST", "/rest/v1/rpc/checkout", {
    token: customer.token,
    headers,
    body: { items: [{ product_id: product, quantity: 1 }], address_id: customer.addressId },
  });

async function productWithStock(stock) {
  const { json } = await server.service("GET", "/rest/v1/products?select=id&active=is.true&limit=1");
  const id = json[0].id;
  const set = await server.service("PATCH", `/rest/v1/products?id=eq.${id}`, { body: { stock } });
  assert.equal(set.status, 204, set.text);
  return id;
}

const stockOf = async (id) =>
  (await server.service("GET", `/rest/v1/products?select=stock&id=eq.${id}`)).json[0].stock;

const numbers = async () =>
  (await server.service("GET", "/rest/v1/orders?select=number&order=number&limit=1000")).json.map((o) => o.number);

describe("200 parallel checkouts of a product with stock 10", () => {
  for (let round = 1; round <= rounds; round++) {
    it(`round ${round}: exactly 10 orders, stock 0, no gap, no 5xx`, async () => {
      const product = await productWithStock(10);
      const before = (await numbers()).length;
      const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => buy(customers[n % 8], product)));
      const by = (status) => answers.filter((a) => a.status === status).length;
      assert.equal(by(200), 10, JSON.stringify(answers.find((a) => a.status !== 200 && a.status !== 409)));
      assert.equal(by(409), 190);
      assert.equal(await stockOf(product), 0);
      const all = await numbers();
      assert.equal(all.length, before + 10);
      const running = all.map((n) => Number(n.split("-")[2]));
      assert.deepEqual(running, running.map((_, at) => at + 1));
    });
  }
});

describe("one idempotency key", () => {
  it("gives one order, in sequence, in parallel, and after a restart; another body is 422", async () => {
    const product = await productWithStock(50);
    const headers = { "idempotency-key": crypto.randomUUID() };
    const parallel = await Promise.all(Array.from({ length: 20 }, () => buy(customers[0], product, headers)));
    assert.deepEqual([...new Set(parallel.map((a) => a.status))], [200]);
    assert.equal(new Set(parallel.map((a) => a.json.number)).size, 1);
    assert.equal(await stockOf(product), 49);
    const { data, project } = server;
    await server.stop({ keep: true });
    server = await Server.start({ data, project, env });
    const again = await buy(customers[0], product, headers);
    assert.equal(again.json.number, parallel[0].json.number);
    assert.equal(await stockOf(product), 49);
    const other = await server.request("POST", "/rest/v1/rpc/checkout", {
      token: customers[0].token,
      headers,
      body: { items: [{ product_id: product, quantity: 2 }], address_id: customers[0].addressId },
    });
    assert.equal(other.status, 422, other.text);
    const stranger = await buy(customers[1], product, headers);
    assert.notEqual(stranger.json.number, again.json.number);
  });
});
