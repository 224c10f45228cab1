// The unmodified @supabase/supabase-js against the example shop.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { createClient } from "@supabase/supabase-js";

import { Server } from "./lib/server.mjs";

const options = { auth: { persistSession: false, autoRefreshToken: false } };
let server, visitor, service;

before(async () => {
  server = await Server.start();
  visitor = createClient(server.url, server.publishableKey, options);
  service = createClient(server.url, server.secretKey, options);
});
after(() => server.stop());

/** The data, or the error as a failure. */
function ok({ data, error }) {
  assert.equal(error, null, JSON.stringify(error));
  return data;
}

async function signedUp(name) {
  const client = createClient(server.url, server.publishableKey, options);
  const email = `${name}-${crypto.randomUUID().slice(0, 8)}@example.com`;
  const { user } = ok(await client.auth.signUp({ email, password: "correct horse battery" }));
  return { client, email, id: user.id };
}

const address = (id, more = {}) => ({
  customer_id: id, name: "Test", street: "Lindenweg 3", postal_code: "10115", city: "Berlin", country: "DE", ...more,
});

describe("a visitor", () => {
  it("reads categories with their products, nested", async () => {
    const categories = ok(await visitor.from("categories").select("slug, products(slug, price)").order("slug"));
    assert.ok(categories.length >= 8);
    assert.ok(categories.flatMap((c) => c.products).length >= 60);
  });

  it("filters, orders and pages", async () => {
    const cheap = ok(await visitor.from("products").select("slug, price").lt("price", 10).order("price").limit(5));
    assert.ok(cheap.length > 0 && cheap.every((p) => p.price < 10));
    assert.deepEqual(cheap.map((p) => p.price), cheap.map((p) => p.price).toSorted((a, b) => a - b));
    const page = ok(await visitor.from("products").select("slug").order("slug").range(5, 9));
    assert.equal(page.length, 5);
  });

  it("searches with or and ilike", async () => {
    const hits = ok(await visitor.from("products").select("slug").or("name_en.ilike.%tea%,name_de.ilike.%tee%"));
    assert.ok(hits.length > 0);
  });

  it("counts exactly, without rows", async () => {
    const { count, data } = await visitor.from("products").select("*", { count: "exact", head: true });
    assert.ok(count >= 60);
    assert.equal(data, null);
  });

  it("sees an error of the dialect for an unknown column and table", async () => {
    assert.equal((await visitor.from("products").select("nonsense")).error.code, "42703");
    assert.equal((await visitor.from("nonsense").select()).error.code, "PGRST205");
  });

  it("cannot write what no policy allows", async () => {
    const { error } = await visitor.from("products").update({ price: 0.01 }).eq("slug", "nothing");
    assert.equal(error.code, "42501");
  });
});

describe("a customer", () => {
  it("signs up, signs out, signs in, and is known", async () => {
    const { client, email } = await signedUp("anna");
    ok(await client.auth.signOut());
    const wrong = await client.auth.signInWithPassword({ email, password: "wrong password" });
    assert.equal(wrong.error.code, "invalid_credentials");
    const unknown = await client.auth.signInWithPassword({ email: "nobody@example.com", password: "wrong password" });
    assert.equal(unknown.error.message, wrong.error.message);
    ok(await client.auth.signInWithPassword({ email, password: "correct horse battery" }));
    assert.equal(ok(await client.auth.getUser()).user.email, email);
    const { error } = await createClient(server.url, server.publishableKey, options)
      .auth.signUp({ email, password: "correct horse battery" });
    assert.equal(error.code, "user_already_exists");
  });

  it("refreshes the session and updates its own data", async () => {
    const { client } = await signedUp("ben");
    const first = (await client.auth.getSession()).data.session;
    const second = ok(await client.auth.refreshSession()).session;
    assert.notEqual(first.refresh_token, second.refresh_token);
    const { user } = ok(await client.auth.updateUser({ data: { nickname: "B" } }));
    assert.equal(user.user_metadata.nickname, "B");
    const { claims } = ok(await client.auth.getClaims());
    assert.equal(claims.sub, user.id);
  });

  it("inserts, updates, upserts, deletes and reads a single row of its own", async () => {
    const { client, id } = await signedUp("carla");
    const made = ok(await client.from("addresses").insert(address(id)).select().single());
    const moved = ok(await client.from("addresses").update({ city: "Potsdam" }).eq("id", made.id).select().single());
    assert.equal(moved.city, "Potsdam");
    const put = ok(await client.from("addresses").upsert(address(id, { id: made.id, city: "Cottbus" })).select().single());
    assert.equal(put.city, "Cottbus");
    const { count } = await client.from("addresses").select("*", { count: "exact", head: true });
    assert.equal(count, 1);
    ok(await client.from("addresses").delete().eq("id", made.id));
    assert.equal(ok(await client.from("addresses").select().maybeSingle()), null);
    assert.equal((await client.from("addresses").select().single()).error.code, "PGRST116");
  });

  it("never sees or touches another customer's rows", async () => {
    const one = await signedUp("dora");
    const two = await signedUp("emil");
    const made = ok(await one.client.from("addresses").insert(address(one.id)).select().single());
    assert.deepEqual(ok(await two.client.from("addresses").select()), []);
    assert.deepEqual(ok(await two.client.from("addresses").update({ city: "X" }).eq("id", made.id).select()), []);
    assert.deepEqual(ok(await two.client.from("addresses").delete().eq("id", made.id).select()), []);
    assert.equal((await two.client.from("addresses").insert(address(one.id))).error.code, "42501");
    assert.equal(ok(await service.from("addresses").select().eq("id", made.id).single()).city, "Berlin");
  });

  it("buys through rpc and finds the order with its items", async () => {
    const { client, id } = await signedUp("frida");
    const { id: address_id } = ok(await client.from("addresses").insert(address(id)).select().single());
    const products = ok(await client.from("products").select("id, price, stock").gt("stock", 3).limit(2));
    const items = products.map((p) => ({ product_id: p.id, quantity: 2 }));
    const order = ok(await client.rpc("checkout", { items, address_id }));
    assert.match(order.number, /^B-\d{4}-\d{5}$/);
    const mine = ok(await client.from("orders").select("number, total, status, order_items(quantity, unit_price)"));
    assert.equal(mine.length, 1);
    assert.equal(mine[0].order_items.length, 2);
    const sum = products.reduce((s, p) => s + Math.round(p.price * 100) * 2, 0);
    assert.equal(Math.round(mine[0].total * 100), sum);
    const left = ok(await client.from("products").select("stock").eq("id", products[0].id).single());
    assert.equal(left.stock, products[0].stock - 2);
    const { error } = await client.from("orders").update({ total: 0.01 }).eq("number", order.number);
    assert.equal(error.code, "42501");
    ok(await client.rpc("cancel_order", { order_id: order.order_id }));
    const back = ok(await client.from("products").select("stock").eq("id", products[0].id).single());
    assert.equal(back.stock, products[0].stock);
  });

  it("is told in words why a function refuses", async () => {
    const { client, id } = await signedUp("gustav");
    const { id: address_id } = ok(await client.from("addresses").insert(address(id)).select().single());
    const [product] = ok(await client.from("products").select("id").limit(1));
    const { error } = await client.rpc("checkout", { items: [{ product_id: product.id, quantity: 100000 }], address_id });
    assert.ok(error.message.length > 3, error.message);
    const foreign = await client.rpc("checkout", { items: [{ product_id: product.id, quantity: 1 }], address_id: crypto.randomUUID() });
    assert.notEqual(foreign.error, null);
    const input = await client.rpc("checkout", { items: "no list", address_id });
    assert.notEqual(input.error, null);
  });
});

describe("the secret key", () => {
  it("sees every row", async () => {
    const { count } = await service.from("addresses").select("*", { count: "exact", head: true });
    assert.ok(count >= 1);
  });

  it("is refused from a browser", async () => {
    const { status } = await server.service("GET", "/rest/v1/orders", { headers: { origin: "https://shop.example" } });
    assert.ok(status === 401 || status === 403, `${status}`);
  });
});
