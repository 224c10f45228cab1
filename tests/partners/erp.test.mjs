// The example shop and a real Tryton: orders arrive, stock comes back, and when the ERP dies under load nothing is
// lost, doubled or hidden.
// Lives here: what must be true. Not here: how Tryton is made (tryton.py), what the shop says to it (logic/erp.ts).
// TAKT_TRYTON: where `tryton.py prepare` keeps things. TAKT_PLUG_SECONDS: how long the ERP is dead under load.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";

import { Server, shop as shopFolder, takt } from "../e2e/lib/server.mjs";

const run = promisify(execFile);
const script = join(import.meta.dirname, "tryton.py");
const prepared = process.env.TAKT_TRYTON ?? join(tmpdir(), "takt-tryton");
const plugSeconds = Number(process.env.TAKT_PLUG_SECONDS ?? 20);
/** A short run does not wait for the schedule: it presses "try again". A long one shows what happens by itself. */
const helped = plugSeconds < 60;
/** Between two purchases of a customer. Tryton confirms about one sale a second: a long run is no heavier than that. */
const pauseMs = Math.max(700, plugSeconds * 25);

const sleep = (ms) => new Promise((wait) => setTimeout(wait, ms));

async function freePort() {
  const probe = createServer();
  await new Promise((ready) => probe.listen(0, "127.0.0.1", ready));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  return port;
}

/** A real Tryton on a copy of the prepared database. */
class Tryton {
  static async start() {
    const tryton = new Tryton();
    await run("python3", [script, "prepare", prepared]);
    tryton.folder = await mkdtemp(join(tmpdir(), "takt-tryton-"));
    tryton.port = await freePort();
    await tryton.go([]);
    return tryton;
  }

  async go(flags) {
    const words = [script, "start", prepared, this.folder, "--port", String(this.port), ...flags];
    this.process = spawn("python3", words, { stdio: ["ignore", "pipe", "pipe"] });
    this.ended = new Promise((done) => this.process.on("exit", done));
    let said = "";
    this.process.stderr.on("data", (chunk) => (said += chunk));
    this.facts = await new Promise((found, failed) => {
      let out = "";
      this.process.stdout.on("data", (chunk) => {
        out += chunk;
        if (out.includes("\n")) found(JSON.parse(out.split("\n")[0]));
      });
      this.ended.then((code) => failed(new Error(`tryton.py ended with ${code}: ${said}`)));
    });
  }

  /** kill -9 of the server itself. */
  async pull() {
    process.kill(this.facts.pid, "SIGKILL");
    await this.ended;
  }

  async plugIn() {
    await this.go(["--keep"]);
  }

  async ask(...words) {
    const [verb, ...rest] = words;
    return (await run("python3", [script, verb, this.folder, "--port", String(this.port), ...rest])).stdout;
  }

  async sales() {
    return JSON.parse(await this.ask("sales", "--json"));
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill("SIGTERM");
    await this.ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}

let tryton, shop, products;

before(async () => {
  tryton = await Tryton.start();
  shop = await Server.start({
    env: { TAKT_CONNECTION_ERP_BASE: tryton.facts.rest, TAKT_SECRET_ERP_KEY: tryton.facts.key },
  });
  products = (await shop.service("GET", "/rest/v1/products?select=id,slug,stock&active=is.true&order=slug")).json;
});
after(async () => {
  await shop?.stop();
  await tryton?.stop();
});

async function buy(customer, product, quantity = 1) {
  const answer = await shop.request("POST", "/rest/v1/rpc/checkout", {
    token: customer.token,
    body: { items: [{ product_id: product.id, quantity }], address_id: customer.addressId },
  });
  assert.equal(answer.status, 200, answer.text);
  return answer;
}

/** An order whose delivery a person cancelled: it never arrives. */
async function buyWhilePaused(customer) {
  await shop.command("deliveries", "pause", "erp");
  const answer = await buy(customer, products[3]);
  const [{ id }] = await until("its delivery", 30, () =>
    deliveries("--connection", "erp", "--state", "waiting").then((all) => (all.length > 0 ? all : null)));
  await shop.command("deliveries", "cancel", id);
  await shop.command("deliveries", "resume", "erp");
  return answer;
}

const deliveries = async (...words) =>
  JSON.parse(await shop.command("deliveries", "list", "--limit", "200", "--json", ...words)).deliveries;

/** Waits until `done` gives something true; looks every half second. */
async function until(what, seconds, done) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await done();
    if (found) return found;
    if (Date.now() > end) {
      const open = await deliveries("--connection", "erp", "--state", "waiting");
      throw new Error(`${what} not within ${seconds} s; ${open.length} wait: ${JSON.stringify(open[0] ?? null)}`);
    }
    await sleep(500);
  }
}

/** Tries again at once what was sent and not answered: the oldest, for its own pause is longer than a short run. */
async function hurry() {
  const waiting = await deliveries("--connection", "erp", "--state", "waiting");
  const unknown = waiting.filter((d) => !d.claimed && d.outcome === "unknown");
  for (const { id } of unknown) await shop.command("deliveries", "replay", id).catch(() => {});
}

/** Pairs of orders that stand in the ERP the other way round than they were accepted. */
function overtaken(accepted, sales) {
  const place = new Map(sales.map((sale) => [sale.reference, sale.id]));
  const there = accepted.map((number) => place.get(number)).filter((id) => id !== undefined);
  return there.slice(1).filter((id, at) => id < there[at]).length;
}

describe("the shop and a real Tryton", () => {
  it("sends nothing before a person lets it, and loses nothing", async () => {
    const customer = await shop.customer("erp");
    const { json } = await buy(customer, products[0], 2);
    await sleep(1500);
    assert.equal((await tryton.sales()).length, 0);
    await shop.command("deliveries", "resume", "erp");
    await until("the order", 60, async () => (await tryton.sales()).length === 1);
    await until("its number", 60, async () => {
      const [order] = (await shop.service("GET", `/rest/v1/orders?select=erp_number&number=eq.${json.number}`)).json;
      return order.erp_number;
    });
    const [sale] = await tryton.sales();
    assert.equal(sale.reference, json.number);
    assert.equal(sale.state, "processing");
    const [line] = sale.lines;
    assert.deepEqual([line.product, Number(line.quantity)], [products[0].slug, 2]);
  });

  it("is asked whether it is well", async () => {
    const health = async () =>
      JSON.parse(await shop.command("deliveries", "connections", "--json")).connections.find((c) => c.id === "erp").health;
    await until("an answer", 30, async () => (await health()) !== null);
    const { is_well, error } = await health();
    assert.deepEqual([is_well, error], [true, null]);
  });

  it("takes the stock over from the ERP, less what is under way", async () => {
    await tryton.ask("set-stock", products[1].slug, "17");
    // A poll is due every five minutes; pause and resume do not hurry it, a restart asks at once.
    await shop.stop({ keep: true });
    shop = await Server.start({
      data: shop.data,
      env: { TAKT_CONNECTION_ERP_BASE: tryton.facts.rest, TAKT_SECRET_ERP_KEY: tryton.facts.key },
    });
    const stock = async () =>
      (await shop.service("GET", `/rest/v1/products?select=stock&id=eq.${products[1].id}`)).json[0].stock;
    await until("the new stock", 60, async () => (await stock()) === 17);
  });

  it("says which order the ERP does not have, and sends it again when a person says so", async () => {
    const customer = await shop.customer("lost");
    const [{ json: lost }, { json: there }] = [await buyWhilePaused(customer), await buy(customer, products[4])];
    const has = async (number) => (await tryton.sales()).filter((s) => s.reference === number).length;
    await until("the other order", 60, async () => (await has(there.number)) === 1);
    assert.equal(await has(lost.number), 0);

    // Younger than the grace time it would be under way; the comparison is asked as it would be later.
    await shop.service("PATCH", `/rest/v1/orders?number=eq.${lost.number}`, {
      body: { created_at: new Date(Date.now() - 3600_000).toISOString() },
    });
    const compare = async (...words) => {
      const all = ["deliveries", "reconcile", "erp", "--json", "--project", shop.project, "--data-dir", shop.data];
      const { stdout } = await run(takt, [...all, ...words]).catch((error) => error);
      return JSON.parse(stdout).reconciliations[0];
    };
    const seen = await compare();
    assert.deepEqual([seen.state, seen.different, seen.twice], ["differences", 0, 0], JSON.stringify(seen));
    assert.deepEqual(seen.differences.map((d) => [d.kind, d.key, d.action]), [["missing_there", lost.number, null]]);
    assert.equal(await has(lost.number), 0, "offered, not done");

    assert.equal((await compare("--replay")).replayed, 1);
    await until("the lost order", 90, async () => (await has(lost.number)) === 1);
    await until("agreement", 60, async () => (await compare()).state === "agreed");
  });

  it("says which order is cancelled on one side only", async () => {
    const customer = await shop.customer("cancelled");
    const rest = async (method, path, body) => {
      const headers = { authorization: `bearer ${tryton.facts.key}`, "content-type": "application/json" };
      const answer = await fetch(`${tryton.facts.rest}/model/${path}`, { method, headers, body: body && JSON.stringify(body) });
      assert.equal(answer.status, 200, await answer.clone().text());
      return answer.json();
    };
    // Cancelled there: somebody has entered the order by hand, since it never arrived, and then cancelled it.
    const { json: there } = await buyWhilePaused(customer);
    // Cancelled here: the sale stands in Tryton as before.
    const { json: here } = await buy(customer, products[5]);
    await until("the sale", 60, async () => (await tryton.sales()).some((s) => s.reference === here.number));
    const cancelled = await shop.request("POST", "/rest/v1/rpc/cancel_order", {
      token: customer.token,
      body: { order_id: here.order_id },
    });
    assert.equal(cancelled.status, 200, cancelled.text);
    const [party] = await rest("GET", `party.party?d=${Buffer.from(JSON.stringify([["code", "!=", null]])).toString("base64")}&f=addresses&s=1`);
    const address = party.addresses[0].id ?? party.addresses[0];
    const sale = await rest("POST", "sale.sale?f=state", {
      company: 1, currency: 1, warehouse: 5, payment_term: 10, reference: there.number,
      party: party.id, invoice_address: address, shipment_address: address,
    });
    await rest("POST", `sale.sale/${sale.id}/cancel`, {});

    const words = ["deliveries", "reconcile", "erp", "--project", shop.project, "--data-dir", shop.data];
    const compare = async (...more) => (await run(takt, [...words, ...more]).catch((error) => error)).stdout;
    const { differences } = JSON.parse(await compare("--json")).reconciliations[0];
    const states = differences.filter((d) => d.field === "cancelled").map((d) => [d.key, d.ours, d.theirs]);
    assert.deepEqual(states.sort(), [[there.number, "false", "true"], [here.number, "true", "false"]].sort());
    const told = await compare("--lang", "de");
    assert.match(told, new RegExp(`${here.number}: „storniert“ – hier ja, bei Tryton 8.2 \\(eigener Server\\) nein\\.`));
    assert.match(told, new RegExp(`${there.number}: „storniert“ – hier nein, bei Tryton 8.2 \\(eigener Server\\) ja\\.`));
    const { text } = await shop.request("POST", "/rest/v1/rpc/cancel_order", {
      token: customer.token,
      body: { order_id: there.order_id },
    });
    const now = await compare("--lang", "en");
    assert.match(now, new RegExp(`${here.number}: "cancelled"`), text);
    assert.doesNotMatch(now, new RegExp(`${there.number}: "cancelled"`), "both sides say so now");
  });

  it("refuses stock of 0 for everything, which Tryton answers when nobody says where", async () => {
    // The shop as it would be had somebody forgotten the context of the question.
    const forgetful = await mkdtemp(join(tmpdir(), "takt-forgetful-"));
    await cp(shopFolder, forgetful, { recursive: true, filter: (path) => !path.endsWith("/data") });
    const file = join(forgetful, "logic/erp.ts");
    const text = await readFile(file, "utf8");
    assert.match(text, /headers: \{ "X-Tryton-Context": context \},/);
    await writeFile(file, text.replace('headers: { "X-Tryton-Context": context },', ""));
    const other = await Server.start({
      project: forgetful,
      env: { TAKT_CONNECTION_ERP_BASE: tryton.facts.rest, TAKT_SECRET_ERP_KEY: tryton.facts.key },
    });
    try {
      const stock = async () => (await other.service("GET", "/rest/v1/products?select=slug,stock&order=slug")).json;
      const before = await stock();
      await other.command("deliveries", "resume", "erp");
      const open = async () => {
        // Ends with 3 while something waits for a decision.
        const told = await other.command("deliveries", "drift", "--json").catch(({ code, stdout }) => {
          assert.equal(code, 3);
          return stdout;
        });
        return JSON.parse(told).changes.filter((c) => c.open);
      };
      await until("the finding", 60, async () => (await open()).length > 0);
      const [finding] = await open();
      const figures = JSON.parse(finding.after);
      assert.deepEqual([finding.kind, finding.path], ["implausible", "zeros(stock) <= 50% * rows"]);
      assert.equal(figures["zeros(stock)"], figures.rows, "all of them");
      assert.ok(figures.rows > 50);
      assert.deepEqual(await stock(), before, "nothing was written");
    } finally {
      await other.stop();
      await rm(forgetful, { recursive: true, force: true });
    }
  });

  it(`is unharmed when the ERP is killed under load, and everything arrives afterwards, once and in order`, async () => {
    const customers = await Promise.all(Array.from({ length: 3 }, (_, n) => shop.customer(`plug${n}`)));
    const accepted = new Set();
    const slow = [];
    let story;
    const load = async (customer, seconds) => {
      const end = Date.now() + seconds * 1000;
      while (Date.now() < end) {
        const begun = performance.now();
        const answer = await buy(customer, products[2 + (accepted.size % 20)]);
        slow.push(performance.now() - begun);
        accepted.add(answer.json.number);
        story = answer.headers.get("takt-story");
        await sleep(pauseMs);
      }
    };
    const loads = customers.map((c) => load(c, plugSeconds + 6));
    await sleep(3000);
    await tryton.pull();
    await sleep(plugSeconds * 1000);
    if (helped) await hurry();
    const meanwhile = await shop.command("story", story, "--lang", "en", "--depth", "0");
    await tryton.plugIn();
    const back = Date.now();
    await Promise.all(loads);

    const missing = async () => {
      const there = new Map((await tryton.sales()).map((s) => [s.reference, s]));
      return [...accepted].filter((number) => !["processing", "done"].includes(there.get(number)?.state));
    };
    await until("every order", 1800, async () => {
      await sleep(2000);
      return (await missing()).length === 0;
    });
    const seconds = Math.round((Date.now() - back) / 1000);
    const sales = await tryton.sales();
    const references = sales.map((s) => s.reference);
    // Numbers grow with the orders.
    const overtakings = overtaken([...accepted].sort(), sales);
    const doubled = references.filter((r, at) => references.indexOf(r) !== at);
    slow.sort((a, b) => a - b);
    const ms = (sorted, share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
    // What the owner reads first, at depth 0.
    const sentence = meanwhile.split("\n").find((line) => line.includes("Tryton"));
    console.log(
      [
        `the ERP was dead for ${plugSeconds} s, ${customers.length} customers bought`,
        `accepted:  ${accepted.size} orders; checkout: median ${ms(slow, 0.5)} ms, slowest ${ms(slow, 1)} ms`,
        `delivered: ${accepted.size - (await missing()).length}`,
        `doubled:   ${doubled.length}`,
        `order:     ${overtakings} of ${accepted.size} sales stand in the ERP before an earlier order`,
        `caught up: ${seconds} s after the ERP was back, ${helped ? "helped by `takt deliveries replay`" : "by itself"}`,
        `the story of an order placed meanwhile: ${sentence?.trim()}`,
      ].join("\n"),
    );
    assert.deepEqual(doubled, []);
    assert.equal(overtakings, 0, "orders have overtaken each other");
    assert.ok(accepted.size > 10, "hardly any load");
    assert.ok(slow[slow.length >> 1] < 500, "the checkout waits for the ERP");
    // What the owner reads of an order placed meanwhile.
    assert.match(
      sentence,
      /The delivery to "Tryton .*" has not arrived yet, because (nothing got through there lately|nobody takes calls there: .*); nothing is lost\./,
    );
  });
});
