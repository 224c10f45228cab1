// Two hundred people want the last ten pieces, and one person clicks twice.
// TAKT_ROUNDS: rounds of the contest (nightly: 20).
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { Server } from "./lib/server.mjs";

const rounds = Number(process.env.TAKT_ROUNDS ?? 3);
let server, customers;

// The two hundred stand in one room here; outside they come from two hundred addresses, so the limit of one address
// (`limits.requests_per_address`) is off: this is about what happens when all two hundred are let in at once.
// With the limit as it is by default they are asked to come again: the contest in waves, below.
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

describe("the same from one address with default settings", () => {
  let waves;
  before(async () => (waves = await Server.start()));
  after(() => waves?.stop());

  it("those who are too many at once are told 429 and come again: exactly 10 orders, stock 0, no 5xx", async () => {
    const buyers = await Promise.all(Array.from({ length: 8 }, (_, n) => waves.customer(`wave${n}`)));
    const { json } = await waves.service("GET", "/rest/v1/products?select=id&active=is.true&limit=1");
    const product = json[0].id;
    await waves.service("PATCH", `/rest/v1/products?id=eq.${product}`, { body: { stock: 10 } });
    const seen = {};
    const buyOne = async (customer) => {
      const body = { items: [{ product_id: product, quantity: 1 }], address_id: customer.addressId };
      for (;;) {
        const answer = await waves.request("POST", "/rest/v1/rpc/checkout", { token: customer.token, body });
        seen[answer.status] = (seen[answer.status] ?? 0) + 1;
        if (answer.status !== 429) return answer;
        assert.equal(answer.json.code, "TAKT016", answer.text);
        const seconds = Number(answer.headers.get("retry-after"));
        assert.ok(seconds >= 1, "the refusal says when to come again");
        await new Promise((done) => setTimeout(done, seconds * 1000 * (0.5 + Math.random())));
      }
    };
    await Promise.all(Array.from({ length: 200 }, (_, n) => buyOne(buyers[n % 8])));
    const { 200: bought, 409: late, 429: again, ...others } = seen;
    assert.deepEqual([bought, late, others], [10, 190, {}], JSON.stringify(seen));
    assert.ok(again > 0, "sixty-four at once are let in");
    const left = await waves.service("GET", `/rest/v1/products?select=stock&id=eq.${product}`);
    assert.deepEqual(left.json, [{ stock: 0 }]);
  });
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
