// Both sides are compared: what the payment service never told, told too late or tells otherwise. The service is a
// local stand-in (lib/payment-stand-in.mjs), since no real one can be called from a test.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { PaymentStandIn } from "./lib/payment-stand-in.mjs";
import { Server, takt } from "./lib/server.mjs";
import { execFile } from "node:child_process";

let service, server, customer, product, env;

before(async () => {
  service = await PaymentStandIn.start();
  env = {
    TAKT_SECRET_PAYMENT_SIGNING: service.signing,
    TAKT_SECRET_PAYMENT_KEY: service.key,
    TAKT_CONNECTION_PAYMENT_BASE: service.url,
  };
  server = await Server.start({ env });
  customer = await server.customer("payer");
  [product] = (await server.service("GET", "/rest/v1/products?select=id&active=is.true&stock=gt.60&limit=1")).json;
});
after(async () => {
  await server?.stop();
  await service?.stop();
});

const hook = () => `${server.url}/hooks/v1/payment`;
const cents = (total) => Math.round(Number(total) * 100);
/** Older than the grace time: the message would have come by now. */
const LONG_AGO = { age: 20 * 60 };

async function order(way = "online") {
  const answer = await server.request("POST", "/rest/v1/rpc/checkout", {
    token: customer.token,
    body: { items: [{ product_id: product.id, quantity: 1 }], address_id: customer.addressId, payment_method: way },
  });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

const orders = async (numbers) =>
  (await server.service("GET", `/rest/v1/orders?select=number,status,order_changes(after,by)&number=in.(${numbers})&order=number`)).json;

async function until(what, done) {
  for (let tries = 0; tries < 100; tries++) {
    if (await done()) return;
    await new Promise((wait) => setTimeout(wait, 100));
  }
  assert.fail(`${what} did not come true within 10 s`);
}

/** Compares now; gives exit code, text or JSON. */
function reconcile(...words) {
  const all = ["deliveries", "reconcile", ...words, "--project", server.project, "--data-dir", server.data];
  return new Promise((done) =>
    execFile(takt, all, (error, stdout, stderr) => done({ code: error?.code ?? 0, text: stdout + stderr })));
}
const compared = async (...words) => {
  const { code, text } = await reconcile("payment", "--json", ...words);
  return { code, ...JSON.parse(text).reconciliations[0] };
};

describe("payments of which the message was lost", () => {
  const bought = [];
  const lost = [];

  it("are found, and handled once as though the message had come", async () => {
    for (let n = 0; n < 10; n++) bought.push(await order());
    const payments = bought.map((o) => service.pay(o.number, cents(o.total), LONG_AGO));
    for (const [n, payment] of payments.entries()) {
      if ([2, 5, 7].includes(n)) lost.push(payment);
      else assert.equal((await service.tell(payment, hook())).status, 202);
    }
    const numbers = bought.map((o) => o.number);
    const paid = async () => (await orders(numbers)).filter((o) => o.status === "paid").length;
    await until("seven paid", async () => (await paid()) === 7);

    const looked = await compared("--dry-run");
    assert.deepEqual([looked.code, looked.missing_here, looked.replayed], [3, 3, 0]);
    assert.equal(await paid(), 7, "only looked");

    const done = await compared();
    assert.deepEqual(
      [done.state, done.theirs, done.matched, done.missing_here, done.replayed],
      ["differences", 10, 7, 3, 3],
    );
    await until("all paid", async () => (await paid()) === 10);
    for (const { number, order_changes } of await orders(numbers)) {
      assert.deepEqual(order_changes, [{ after: "paid", by: null }], number);
    }
  });

  it("agree afterwards, however often both sides are compared", async () => {
    const { code, text } = await reconcile("payment", "--lang", "en");
    assert.equal(code, 0, text);
    assert.match(text, /agrees: Orders: 10 expected there, 10 found there, 10 equal/);
    assert.match((await reconcile("payment", "--lang", "de")).text, /stimmt überein: Bestellungen: 10 dort erwartet/);
  });

  it("change nothing when their message comes late after all", async () => {
    assert.deepEqual(await service.tell(lost[0], hook()), { status: 200, json: { received: true, repeated: true } });
    const [one] = await orders([lost[0].metadata.order]);
    assert.deepEqual([one.status, one.order_changes.length], ["paid", 1]);
  });
});

describe("what cannot be settled by itself", () => {
  it("a wrong amount or currency is told, and the order stays open", async () => {
    const [less, other] = [await order(), await order()];
    service.pay(less.number, cents(less.total) - 1, LONG_AGO);
    service.pay(other.number, cents(other.total), { ...LONG_AGO, currency: "usd" });
    const done = await compared();
    assert.deepEqual([done.different, done.missing_here, done.replayed], [2, 0, 0]);
    assert.deepEqual((await orders([less.number, other.number])).map((o) => o.status), ["pending", "pending"]);
    const { text, code } = await reconcile("payment", "--lang", "de");
    assert.equal(code, 3);
    assert.match(text, new RegExp(`${less.number}: „Summe inkl. Steuer“ ist hier`));
    // A person has seen to one of them: it is still seen, and no longer open.
    await server.command("deliveries", "reconcile", "payment", "--settled", less.number);
    const settled = await compared();
    const actions = Object.fromEntries(settled.differences.map((d) => [d.key, d.action]));
    assert.deepEqual(actions, { [less.number]: "settled", [other.number]: null });
    await server.command("deliveries", "reconcile", "payment", "--settled", other.number);
    assert.equal((await compared()).code, 0);
    assert.equal((await reconcile("payment", "--settled", "B-0")).code, 1);
    const noted = JSON.parse(await server.command("audit", "list", "--act", "reconcile", "--json"));
    assert.deepEqual(
      noted.map((row) => [row.act, row.subject]),
      [["reconcile.settle", "connection payment"], ["reconcile.settle", "connection payment"]],
    );
    service.payments = service.payments.filter((p) => ![less.number, other.number].includes(p.metadata.order));
  });

  it("an order paid twice is told", async () => {
    const twice = await order();
    service.pay(twice.number, cents(twice.total), LONG_AGO);
    service.pay(twice.number, cents(twice.total), LONG_AGO);
    const done = await compared();
    assert.deepEqual([done.twice, done.missing_here, done.replayed], [1, 1, 1]);
    await until("paid once", async () => (await orders([twice.number]))[0].status === "paid");
    service.payments.shift();
  });

  it("a payment that has just been made is under way, not missing", async () => {
    const { number, total } = await order();
    const payment = service.pay(number, cents(total));
    const done = await compared();
    assert.deepEqual([done.under_way, done.missing_here], [1, 0]);
    assert.equal((await service.tell(payment, hook())).status, 202);
  });

  it("a service that is down is told as such, never as agreement", async () => {
    service.faults.down = true;
    const { code, text } = await reconcile("payment", "--lang", "en");
    service.faults.down = false;
    assert.equal(code, 1);
    assert.match(text, /failed; whether anything is missing is not known.*503/);
  });

  it("more than a page is asked for page by page", async () => {
    for (let n = 0; n < 230; n++) service.pay(null, 100, { age: 7200 + n });
    service.asked = [];
    assert.equal((await compared()).state, "agreed");
    assert.equal(service.asked.length, 3);
  });
});

describe("a comparison in the middle of which the server is killed", () => {
  it("is told as failed, and the next one does everything once", async () => {
    const { number, total } = await order();
    service.pay(number, cents(total), LONG_AGO);
    let go;
    service.faults.hold = new Promise((release) => (go = release));
    service.asked = [];
    const broken = reconcile("payment");
    await until("asked", () => service.asked.length > 0);
    await server.kill();
    go();
    service.faults.hold = null;
    assert.equal((await broken).code, 1);

    server = await Server.start({ data: server.data, env });
    await until("told as failed", async () => {
      const about = JSON.parse(await server.command("deliveries", "connections", "--about", "--json")).connections;
      return /failed|gescheitert/.test(JSON.stringify(about.find((c) => c.id === "payment")));
    });
    assert.equal((await compared()).replayed, 1);
    await until("paid", async () => (await orders([number]))[0].status === "paid");
    assert.equal((await orders([number]))[0].order_changes.length, 1);
    assert.equal((await compared()).state, "agreed");
  });
});
