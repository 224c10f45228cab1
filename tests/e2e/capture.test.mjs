// A payment service that captures and does not answer: it is asked again under the same key, captures once, and the
// comparison of both sides brings what nobody told. The service is a local stand-in (lib/payment-stand-in.mjs).
import assert from "node:assert/strict";
import { cp, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";

import { PaymentStandIn } from "./lib/payment-stand-in.mjs";
import { Server, shop } from "./lib/server.mjs";

const connection = (url) => `
paused = true
purpose = { de = "Zahlungen einziehen.", en = "Capturing payments." }
partner = { name = "Zahlungsdienst" }
owner = "Buchhaltung"
outage = { de = "Zahlungen warten.", en = "Payments wait." }
data = []
[connect]
protocol = "rest"
base = "${url}"
allow_private = true
auth = { kind = "apikey", prefix = "Bearer ", secret = "payment_key" }
[[op]]
name = "capture"
kind = "deliver"
on = "order.placed"
lane = "order.id"
request = "POST /v1/payment_intents/$order.number/capture"
retry = { schedule = ["1s"] }
`;

let service, server;

before(async () => {
  service = await PaymentStandIn.start();
  const project = await mkdtemp(join(tmpdir(), "takt-capture-"));
  await cp(shop, project, { recursive: true, filter: (path) => !path.endsWith("/data") });
  await writeFile(join(project, "interfaces/capture.toml"), connection(service.url));
  const env = {
    TAKT_SECRET_PAYMENT_SIGNING: service.signing,
    TAKT_SECRET_PAYMENT_KEY: service.key,
    TAKT_CONNECTION_PAYMENT_BASE: service.url,
  };
  server = await Server.start({ project, env });
});
after(async () => {
  await server?.stop();
  await service?.stop();
});

const deliveries = async () =>
  JSON.parse(await server.command("deliveries", "list", "--connection", "capture", "--json")).deliveries;

async function until(what, done) {
  for (let tries = 0; tries < 100; tries++) {
    if (await done()) return;
    await new Promise((wait) => setTimeout(wait, 100));
  }
  assert.fail(`${what} did not come true within 10 s`);
}

it("a capture that timed out and says so later is one capture, and one paid order", async () => {
  const customer = await server.customer("payer");
  const [product] = (await server.service("GET", "/rest/v1/products?select=id&active=is.true&stock=gt.5&limit=1")).json;
  const { json: order } = await server.request("POST", "/rest/v1/rpc/checkout", {
    token: customer.token,
    body: { items: [{ product_id: product.id, quantity: 1 }], address_id: customer.addressId, payment_method: "online" },
  });
  const cents = Math.round(Number(order.total) * 100);
  const payment = service.pay(order.number, cents, { age: 1200, status: "requires_capture" });
  service.faults.silent = 1;
  await server.command("deliveries", "resume", "capture");
  await until("delivered", async () => (await deliveries())[0]?.state === "delivered");

  const { tries } = JSON.parse(await server.command("deliveries", "show", (await deliveries())[0].id, "--json")).delivery;
  assert.deepEqual(tries.map((t) => t.outcome), ["unknown", "ok"]);
  const keys = service.asked.filter((a) => a.line.endsWith("/capture")).map((a) => a.key);
  assert.equal(keys.length, 2);
  assert.ok(keys[0] && keys[0] === keys[1], "the same key");
  assert.deepEqual([payment.captures, payment.amount_received], [1, cents]);

  // Its message never came.
  const compare = async () => {
    const said = await server.command("deliveries", "reconcile", "payment", "--json");
    return JSON.parse(said).reconciliations[0];
  };
  assert.equal((await compare()).replayed, 1);
  const changes = async () =>
    (await server.service("GET", `/rest/v1/order_changes?select=after&order_id=eq.${order.order_id}`)).json;
  await until("paid", async () => (await changes()).length > 0);
  assert.deepEqual(await changes(), [{ after: "paid" }]);
  assert.equal((await compare()).state, "agreed");
  assert.equal(payment.captures, 1);
});
