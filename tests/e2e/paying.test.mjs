// How orders are paid: chosen at the checkout, noted by staff, with who and when.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { Server } from "./lib/server.mjs";

let server, customer, staff, product;

before(async () => {
  server = await Server.start();
  customer = await server.customer("payer");
  staff = await server.customer("staff");
  await server.command("account", "role", staff.email, "--add", "staff");
  const session = await server.request("POST", "/auth/v1/token?grant_type=password", {
    body: { email: staff.email, password: staff.password },
  });
  staff.token = session.json.access_token;
  [product] = (await server.service("GET", "/rest/v1/products?select=id&active=is.true&stock=gt.20&limit=1")).json;
});
after(() => server?.stop());

const checkout = (more) =>
  server.request("POST", "/rest/v1/rpc/checkout", {
    token: customer.token,
    body: { items: [{ product_id: product.id, quantity: 1 }], address_id: customer.addressId, ...more },
  });
const field = async (id, name) => (await server.service("GET", `/rest/v1/orders?select=${name}&id=eq.${id}`)).json[0][name];
const set = (who, id, status) =>
  server.request("PATCH", `/rest/v1/orders?id=eq.${id}`, {
    token: who.token,
    headers: { prefer: "return=representation" },
    body: { status },
  });

describe("the way of paying", () => {
  it("is on invoice for who says nothing, and else what was chosen", async () => {
    for (const [more, way] of [
      [{}, "invoice"],
      [{ payment_method: "invoice" }, "invoice"],
      [{ payment_method: "prepayment" }, "prepayment"],
      [{ payment_method: "online" }, "online"],
    ]) {
      const { status, json, text } = await checkout(more);
      assert.equal(status, 200, text);
      assert.equal(await field(json.order_id, "payment_method"), way);
    }
  });

  it("is none that the shop does not know", async () => {
    const { status } = await checkout({ payment_method: "seashells" });
    assert.equal(status, 400);
  });
});

describe("an order that staff set to paid", () => {
  it("says who did it and when, and announces it once", async () => {
    const { json } = await checkout({ payment_method: "prepayment" });
    const begun = Date.now();
    assert.equal((await set(staff, json.order_id, "paid")).json.length, 1);
    const history = await server.request("GET", `/rest/v1/order_changes?order_id=eq.${json.order_id}`, { token: staff.token });
    const [one, ...more] = history.json;
    assert.deepEqual([one.before, one.after, one.by_account, one.by], ["pending", "paid", staff.id, staff.email]);
    assert.ok(Date.parse(one.at) >= begun - 1000);
    assert.deepEqual(more, []);
    // Set again, it stays as it is.
    await set(staff, json.order_id, "paid");
    const again = await server.request("GET", `/rest/v1/order_changes?order_id=eq.${json.order_id}`, { token: staff.token });
    assert.equal(again.json.length, 1);
  });

  it("is set by staff only", async () => {
    const { json } = await checkout({});
    assert.equal((await set(customer, json.order_id, "paid")).json?.length ?? 0, 0);
    assert.equal(await field(json.order_id, "status"), "pending");
    const history = await server.request("GET", "/rest/v1/order_changes", { token: customer.token });
    assert.ok(history.status !== 200 || history.json.length === 0);
  });
});
