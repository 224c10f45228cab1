// Payments that come in, signed as Stripe signs: a local stand-in for the payment service, since no real one can be
// called from a test.
import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";

import { Server } from "./lib/server.mjs";

/** What partners send that is not as agreed; exit code 3 says that something waits for a decision. */
async function openDrift(server) {
  const command = server.command("deliveries", "drift", "--connection", "payment", "--json");
  const error = await command.then(() => undefined, (failed) => failed);
  assert.equal(error?.code, 3);
  return error.stdout;
}

const secret = "whsec_only_for_this_test";
let server, customer, product;

before(async () => {
  server = await Server.start({ env: { TAKT_SECRET_PAYMENT_SIGNING: secret } });
  customer = await server.customer("payer");
  [product] = (await server.service("GET", "/rest/v1/products?select=id&active=is.true&stock=gt.10&limit=1")).json;
});
after(() => server?.stop());

async function order() {
  const answer = await server.request("POST", "/rest/v1/rpc/checkout", {
    token: customer.token,
    body: { items: [{ product_id: product.id, quantity: 1 }], address_id: customer.addressId },
  });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

/** What the service sends; `change` spoils it. */
function message(number, cents, { id = `evt_${randomUUID()}`, currency = "eur", type = "payment_intent.succeeded" } = {}) {
  const object = { id: `pi_${randomUUID()}`, amount_received: cents, currency, metadata: { order: number } };
  return JSON.stringify({ id, type, data: { object } });
}

async function send(body, { key = secret, age = 0 } = {}) {
  const time = Math.floor(Date.now() / 1000) - age;
  const signature = createHmac("sha256", key).update(`${time}.${body}`).digest("hex");
  const response = await fetch(`${server.url}/hooks/v1/payment`, {
    method: "POST",
    headers: { "content-type": "application/json", "stripe-signature": `t=${time},v1=${signature}` },
    body,
  });
  return { status: response.status, json: await response.json() };
}

const cents = (total) => Math.round(Number(total) * 100);
const status = async (number) =>
  (await server.service("GET", `/rest/v1/orders?select=status&number=eq.${number}`)).json[0].status;

async function until(what, done) {
  for (let tries = 0; tries < 100; tries++) {
    if (await done()) return;
    await new Promise((wait) => setTimeout(wait, 100));
  }
  assert.fail(`${what} did not come true within 10 s`);
}

const stopped = async () =>
  JSON.parse(await server.command("deliveries", "list", "--state", "dead", "--json")).deliveries;

describe("a payment that comes in", () => {
  it("sets its order to paid, once, however often it is sent", async () => {
    const { number, total } = await order();
    const body = message(number, cents(total));
    assert.deepEqual(await send(body), { status: 202, json: { received: true } });
    assert.deepEqual(await send(body), { status: 200, json: { received: true, repeated: true } });
    await until("paid", async () => (await status(number)) === "paid");
    const told = await server.command("story", "--last", "--function", "payment_received", "--lang", "de");
    assert.match(told, /Zahlung eingegangen/);
  });

  it("is not believed without the right signature, or too late", async () => {
    const { number, total } = await order();
    const body = message(number, cents(total));
    assert.equal((await send(body, { key: "wrong" })).status, 401);
    assert.equal((await send(body, { age: 301 })).status, 401);
    const bare = await fetch(`${server.url}/hooks/v1/payment`, { method: "POST", body });
    assert.equal(bare.status, 401);
    assert.equal(await status(number), "pending");
  });

  it("of the wrong amount changes nothing and waits for a person", async () => {
    const { number, total } = await order();
    assert.equal((await send(message(number, cents(total) - 1))).status, 202);
    await until("a dead letter", async () => (await stopped()).length === 1);
    assert.equal(await status(number), "pending");
    const [{ id, error }] = await stopped();
    assert.match(error, /Paid were.*Bezahlt wurden/, "in all languages of the project");
    const german = await server.command("story", id, "--lang", "de", "--depth", "1");
    assert.match(
      german,
      new RegExp(
        `„Zahlung eingegangen“ hat die Meldung „payment_intent\\.succeeded“ von „Zahlungsdienst“ zu ${number} abgelehnt: ` +
          "Bezahlt wurden [\\d.]+ eur, die Bestellung kostet [\\d.]+ eur\\.\n",
      ),
    );
    const english = await server.command("story", id, "--lang", "en", "--depth", "0");
    assert.match(english, /"Payment received" has refused the message .* of "Payment service" about .*: Paid were/);
    for (const told of [german, english]) assert.doesNotMatch(told, /\{"|message":/);
    const ofOrder = await server.command("story", number, "--lang", "de", "--depth", "1");
    assert.match(ofOrder, /Was sonst noch dazu geschah:\n.*„Zahlung eingegangen“ hat die Meldung .* abgelehnt/);
  });

  it("and what follows later stand in the story of the order", async () => {
    const { number, total } = await order();
    assert.equal((await send(message(number, cents(total)))).status, 202);
    await until("paid", async () => (await status(number)) === "paid");
    const story = await server.command("story", number, "--lang", "de", "--depth", "1");
    assert.match(story, /^Jetzt kaufen/);
    assert.match(story, /Was sonst noch dazu geschah:\n  ✓ .*: Zahlung eingegangen – gelungen\./);
  });

  it("is counted in the documentation of its connection, which also says where the comparison asks", async () => {
    const about = await server.command("deliveries", "connections", "--about");
    const payment = about.slice(about.indexOf("(payment)"));
    assert.match(payment, /(Last arrival|Letzte Ankunft): \d/);
    assert.match(payment, /(Arrived in the last 30 days|Angekommen in den letzten 30 Tagen): [1-9]/);
    assert.match(payment, /(could not be handled|nicht bearbeitet werden konnten): 1/);
    assert.match(payment, /(asked for the comparison|Abgleich gefragt wird): https:\/\/api\.zahlungsdienst\.example/);
  });

  it("is taken while the connection is paused, and booked once it goes on", async () => {
    const { number, total } = await order();
    await server.command("deliveries", "pause", "payment");
    assert.deepEqual(await send(message(number, cents(total))), { status: 202, json: { received: true } });
    await new Promise((wait) => setTimeout(wait, 2500));
    assert.equal(await status(number), "pending");
    await server.command("deliveries", "resume", "payment");
    await until("paid", async () => (await status(number)) === "paid");
  });

  it("in another form is kept and waits; once a person has accepted the change, it is booked", async () => {
    const { number, total } = await order();
    // The service suddenly writes its amounts as texts.
    const body = message(number, String(cents(total)));
    assert.deepEqual(await send(body), { status: 202, json: { received: true } });
    const parked = async () =>
      JSON.parse(await server.command("deliveries", "list", "--state", "asking", "--json")).deliveries;
    await until("parked", async () => (await parked()).length === 1);
    assert.deepEqual(await send(body), { status: 200, json: { received: true, repeated: true } });
    assert.equal(await status(number), "pending");
    const [delivery] = await parked();
    assert.match(delivery.error, /`data\.object\.amount_received` must be integer and is string/);

    const { changes } = JSON.parse(await openDrift(server));
    const change = changes.find((c) => c.open);
    assert.deepEqual(
      [change.kind, change.path, change.detail, change.count],
      ["type", "data.object.amount_received", "integer > string", 1],
    );
    assert.ok(change.before && change.after, "both samples");
    const about = await server.command("deliveries", "connections", "--about");
    assert.match(about, /contracts\/payment\/succeeded\.json/);

    await server.command("deliveries", "drift", "accept", change.id);
    await until("paid", async () => (await status(number)) === "paid");
    assert.equal((await parked()).length, 0);
  });

  it("of a type that nobody wants is answered and not kept", async () => {
    const sent = await send(message("B-1", 1, { type: "customer.created" }));
    assert.deepEqual(sent, { status: 200, json: { received: false } });
  });

  it("finds nothing at a connection that is not there", async () => {
    const response = await fetch(`${server.url}/hooks/v1/nobody`, { method: "POST", body: "{}" });
    assert.equal(response.status, 404);
  });
});
