// What a stranger tries: hidden columns, closed tables, answers that multiply, keys in the wrong place.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { Server } from "./lib/server.mjs";

let server;
before(async () => {
  server = await Server.start();
});
after(() => server.stop());

const get = (path, options) => server.request("GET", `/rest/v1/${path}`, options);
const leaf = (n) => Array.from({ length: n }, (_, at) => `a${at}:products(*)`).join(",");

describe("a hidden column", () => {
  const touches = [
    (c) => `products?select=${c}`, (c) => `products?select=x:${c}`, (c) => `products?select=id&${c}=gt.1`,
    (c) => `products?select=id&${c}=gt.abc`, (c) => `products?select=id&${c}=like.a*`, (c) => `products?select=id&${c}=is.true`,
    (c) => `products?select=id&or=(${c}.gt.1,stock.gt.0)`, (c) => `products?select=id&order=${c}`,
    (c) => `categories?select=products(${c})`, (c) => `categories?select=id,products!inner(id)&products.${c}=gt.1`,
  ];
  it("is told exactly like one that does not exist, however it is touched", async () => {
    for (const touch of touches) {
      const hidden = await get(touch("cost_price"));
      const unknown = await get(touch("cost_prise"));
      assert.equal(hidden.status, 400, touch("cost_price"));
      assert.equal(hidden.text.replaceAll("cost_price", "cost_prise"), unknown.text, touch("cost_price"));
    }
  });
});

describe("a closed table", () => {
  it("does not tell which columns it has", async () => {
    for (const query of ["select=id", "select=nonsense", "id=eq.x", "nonsense=eq.x"]) {
      const { status, json } = await get(`newsletter_contacts?${query}`);
      assert.deepEqual([status, json.code], [401, "42501"], query);
    }
  });
});

describe("a request that costs much", () => {
  it("stops when its answer grows too large, and others do not wait long", async () => {
    const bomb = `products?select=c:categories(p:products(c:categories(p:products(c:categories(${leaf(20)})))))`;
    const bombs = Promise.all(Array.from({ length: 4 }, () => get(bomb)));
    const begun = performance.now();
    assert.equal((await get("products?select=id&limit=2")).status, 200);
    const waited = performance.now() - begun;
    for (const { status, json } of await bombs) assert.deepEqual([status, json.code], [400, "54000"]);
    assert.ok(waited < 10_000, `${waited} ms`);
  });

  it("is refused for thousands of columns, conditions, values and levels", async () => {
    const many = (n, one) => Array.from({ length: n }, (_, at) => one(at)).join(",");
    for (const query of [
      `select=${many(3000, () => "id")}`,
      `select=id&order=${many(3000, () => "id")}`,
      `select=id&or=(${many(600, () => "stock.gt.1")})`,
      `select=id&slug=in.(${many(1500, (n) => n)})`,
      `select=${"categories(products(".repeat(12)}id${"))".repeat(12)}`,
    ]) {
      const { status } = await get(`products?${query}`);
      assert.ok(status === 400 || status === 414, `${status} ${query.slice(0, 60)}`);
    }
  });
});

describe("the secret key", () => {
  it("is not taken from the address, where logs would keep it", async () => {
    const { status } = await fetch(`${server.url}/rest/v1/orders?apikey=${server.secretKey}`);
    assert.equal(status, 401);
  });
});
