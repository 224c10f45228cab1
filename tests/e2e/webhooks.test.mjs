// Webhook subscriptions of a running `takt`: what really left is checked by the reference libraries of npm and PyPI,
// also while two secrets sign; a secret is shown once and never again; the console makes, tests and removes them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { artifacts, launch, openAsOwner } from "./lib/browser.mjs";
import { judge, prepare } from "./lib/reference.mjs";
import { Server } from "./lib/server.mjs";

const env = { TAKT_WEBHOOKS_ALLOW_PRIVATE: "true" };
let server, receiver, address;
let status = 200;
const got = [];

before(async () => {
  await prepare();
  receiver = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    got.push({ path: request.url, headers: request.headers, body });
    response.writeHead(status).end("thank you");
  }).listen(0, "127.0.0.1");
  await once(receiver, "listening");
  address = `http://127.0.0.1:${receiver.address().port}`;
  server = await Server.start({ env });
});
after(async () => {
  await server?.stop();
  receiver?.close();
});

const wanted = (more = {}) => ({
  url: `${address}/hooks`,
  events: ["order.*"],
  purpose: { en: "The carrier knows what comes.", de: "Der Paketdienst weiß, was kommt." },
  partner: { name: "Carrier", contact: "it@carrier.example" },
  owner: "Shipping",
  outage: { en: "Parcels wait.", de: "Pakete warten." },
  ...more,
});
const api = (method, path, body) => server.service(method, `/takt/v1/webhooks${path}`, { body });

/** Somebody buys; the event leaves. */
async function buy(by = server) {
  const customer = await by.customer("hook");
  const [product] = (await by.request("GET", "/rest/v1/products?select=id&stock=gt.5&limit=1")).json;
  const items = [{ product_id: product.id, quantity: 1 }];
  const body = { items, address_id: customer.addressId };
  const bought = await by.request("POST", "/rest/v1/rpc/checkout", { token: customer.token, body });
  assert.equal(bought.status, 200, bought.text);
  return customer;
}

async function until(what, found) {
  for (let turn = 0; turn < 200; turn += 1) {
    if (await found()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail(`${what} did not happen`);
}

describe("a subscription by API", () => {
  const secrets = [];
  let hook;

  it("is made with the secret key only, and says what is missing", async () => {
    const body = wanted();
    assert.equal((await server.request("POST", "/takt/v1/webhooks", { body })).status, 401);
    const { token } = await server.customer("stranger");
    for (const [method, path] of [["GET", ""], ["POST", ""], ["GET", "/hook-x"], ["POST", "/hook-x/rotate"]]) {
      const denied = await server.request(method, `/takt/v1/webhooks${path}`, { token, ...(method === "POST" ? { body } : {}) });
      assert.equal(denied.status, 403, `${method} ${path}`);
    }
    const wrong = await api("POST", "", { url: `${address}/hooks`, events: ["order placed"] });
    assert.deepEqual([wrong.status, wrong.json.code], [422, "TAKT030"]);
    assert.deepEqual(wrong.json.details.map((d) => d.field), ["events", "purpose", "partner", "owner", "outage"]);
    assert.match(wrong.json.details[1].message, /who answers for the project must be able to judge it/);
    const made = await api("POST", "", body);
    assert.equal(made.status, 201, made.text);
    assert.match(made.json.secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    assert.equal(made.headers.get("location"), `/takt/v1/webhooks/${made.json.id}`);
    hook = made.json;
    secrets.push(made.json.secret);
  });

  it("sends signed messages that both reference libraries accept", async () => {
    await buy();
    await until("the message", () => got.length === 1);
    const [{ headers, body }] = got;
    const cases = [
      { secret: secrets[0], headers, body },
      { secret: secrets[0], headers, body: `${body} ` },
      { secret: secrets[0], headers: { ...headers, "webhook-id": "other" }, body },
      { secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", headers, body },
    ];
    const right = [true, false, false, false];
    assert.deepEqual(await judge(cases), { npm: right, pypi: right });
    const message = JSON.parse(body);
    assert.equal(message.type, "order.placed");
    assert.ok(message.data.order.number.startsWith("B-"));
    assert.ok(!body.includes("@example.com") && !("email" in message.data.order), "nothing personal was declared");
  });

  it("signs with both secrets while they are exchanged, after a crash too, then with the new one alone", async () => {
    const rotated = await api("POST", `/${hook.id}/rotate`, { overlap: "1h" });
    assert.equal(rotated.status, 200, rotated.text);
    secrets.push(rotated.json.secret);
    assert.ok(Date.parse(rotated.json.both_sign_until) > Date.now() + 59 * 60_000);
    const judged = async (n) => {
      await buy();
      await until("the message", () => got.length === n);
      const { headers, body } = got.at(-1);
      return judge(secrets.map((secret) => ({ secret, headers, body })));
    };
    assert.deepEqual(await judged(2), { npm: [true, true], pypi: [true, true] });
    assert.equal(got.at(-1).headers["webhook-signature"].split(" ").length, 2);
    await server.kill();
    server = await Server.start({ data: server.data, env });
    assert.deepEqual(await judged(3), { npm: [true, true], pypi: [true, true] });
    const last = await api("POST", `/${hook.id}/rotate`, { overlap: "0s" });
    assert.equal(last.json.both_sign_until, null);
    secrets.push(last.json.secret);
    assert.deepEqual(await judged(4), { npm: [false, false, true], pypi: [false, false, true] });
  });

  it("is changed, tested and told about; what was sent stands in the log", async () => {
    const changed = await api("PATCH", `/${hook.id}`, { description: "for the warehouse", events: ["order.placed"] });
    assert.deepEqual([changed.status, changed.json.description, changed.json.owner], [200, "for the warehouse", "Shipping"]);
    const test = await api("POST", `/${hook.id}/test`);
    assert.deepEqual([test.json.verdict, test.json.status, test.json.answer], ["arrived", 200, "thank you"]);
    assert.equal(JSON.parse(got.at(-1).body).type, "takt.test");
    status = 302;
    const refused = await server.command("deliveries", "test", hook.id).catch((error) => error);
    assert.equal(refused.code, 1, "a script sees that it was not taken");
    assert.match(refused.stdout, /points elsewhere \(302/);
    status = 200;
    assert.match(await server.command("deliveries", "test", hook.id), /\S/, "exit code 0");
    const audit = JSON.parse(await server.command("audit", "list", "--act", "webhook.test", "--json"));
    const ours = audit.filter((row) => row.subject === `connection ${hook.id}`);
    assert.equal(ours.length, 3, "by the API and twice by the command");
    const told = await server.command("deliveries", "connections");
    assert.match(told, new RegExp(`${hook.id} +subscription`));
    assert.match(told, /erp +file/);
    const [delivery] = JSON.parse(await server.command("deliveries", "list", "--connection", hook.id, "--json")).deliveries;
    const shown = await server.command("deliveries", "show", delivery.id);
    assert.match(shown, /sent: \{"type":"order.placed"/);
    assert.match(shown, /answer: thank you/);
  });

  it("never shows a secret again: not to programs, commands, pages, logs or whoever reads the files", async () => {
    const places = {
      list: (await api("GET", "")).text,
      one: (await api("GET", `/${hook.id}`)).text,
      change: (await api("PATCH", `/${hook.id}`, { owner: "Sales" })).text,
      test: (await api("POST", `/${hook.id}/test`)).text,
      connections: await server.command("deliveries", "connections", "--about", "--json"),
      secrets: await server.command("secrets", "list", "--json"),
      settings: await server.command("settings", "--json"),
      table: (await server.service("GET", "/rest/v1/takt.subscriptions")).text,
      log: server.output,
    };
    for (const name of await readdir(server.data, { recursive: true })) {
      places[name] = await readFile(join(server.data, name), "latin1").catch(() => "");
    }
    assert.ok(Object.keys(places).some((name) => name.endsWith(".db")), "the database was looked at");
    for (const [place, text] of Object.entries(places)) {
      for (const secret of secrets) {
        assert.ok(!text.includes(secret) && !text.includes(secret.slice(6)), `a secret stands in ${place}`);
      }
    }
    assert.ok(!places.secrets.includes(hook.id), "nobody sets it by hand");
  });

  it("is switched off by 410, says so, and goes when it is removed", async () => {
    status = 410;
    await buy();
    await until("the end", async () => !(await api("GET", `/${hook.id}`)).json.enabled);
    assert.equal((await api("GET", `/${hook.id}`)).json.off.why, "gone");
    status = 200;
    const removed = await api("DELETE", `/${hook.id}`);
    assert.deepEqual([removed.status, removed.json.cancelled], [200, 1], removed.text);
    assert.match(removed.json.message, /1 delivery that waited was cancelled/);
    assert.equal((await api("GET", `/${hook.id}`)).status, 404);
    assert.deepEqual((await api("GET", "")).json, []);
    const log = JSON.parse(await server.command("deliveries", "list", "--connection", hook.id, "--json"));
    assert.ok(log.deliveries.length >= 4, "the log stays");
    const noted = JSON.parse(await server.command("audit", "list", "--act", "webhook", "--json"));
    const acts = noted.filter((row) => row.subject === `connection ${hook.id}` && row.act !== "webhook.test").reverse();
    assert.ok(acts.every((row) => row.actor === "key" && row.place === "127.0.0.1"), JSON.stringify(acts));
    assert.deepEqual(
      [...new Set(acts.map((row) => row.act))],
      ["webhook.make", "webhook.exchange", "webhook.change", "webhook.remove"],
    );
  });

  it("does not lead into the own network unless the settings say so", async () => {
    const closed = await Server.start();
    try {
      for (const url of [`${address}/hooks`, "https://127.1/", "https://2130706433/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/"]) {
        const refused = await closed.service("POST", "/takt/v1/webhooks", { body: wanted({ url }) });
        assert.deepEqual([refused.status, refused.json.details[0].field], [422, "url"], url);
      }
    } finally {
      await closed.stop();
    }
  });
});

describe("a subscription in the console", () => {
  let browser, page;

  before(async () => {
    browser = await launch();
    page = await openAsOwner(browser, server);
  });
  after(() => browser?.close());

  const press = (name) => page.getByRole("button", { name, exact: true }).first().click();
  const text = () => page.locator("main").innerText();
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

  it("is made with a form that loses nothing, and shows its secret once", async () => {
    await page.goto(`${server.url}/studio/deliveries`);
    await page.getByRole("link", { name: "Neuen Empfänger anlegen" }).click();
    const fields = {
      url: "http://user:pass@127.0.0.1/",
      events: "order.placed, order.shipped",
      purpose: "Der Paketdienst weiß, was kommt.",
      partner: "Paketdienst",
      owner: "Versand",
      outage: "Pakete warten.",
    };
    for (const [name, value] of Object.entries(fields)) await page.fill(`[name=${name}]`, value);
    await page.screenshot({ path: `${artifacts}/webhook-form.png`, fullPage: true });
    assert.ok((await overflow()) <= 0, `${await overflow()} px too wide`);
    await press("Anlegen");
    await page.locator("[role=alert]").first().waitFor();
    page.problems.length = 0; // the browser itself notes the refused form
    assert.match(await text(), /Adresse: darf weder Benutzer noch Passwort/);
    assert.equal(await page.inputValue("[name=partner]"), "Paketdienst");
    await page.fill("[name=url]", `${address}/console`);
    await press("Anlegen");
    await page.locator("#secret").waitFor();
    const secret = (await page.locator("#secret").innerText()).trim();
    await page.screenshot({ path: `${artifacts}/webhook-secret.png`, fullPage: true });
    await page.getByRole("link", { name: "Weiter zur Verbindung" }).click();
    await page.waitForURL(/deliveries\/hook-/);
    assert.ok(!(await page.content()).includes(secret));
    got.length = 0;
    await buy();
    await until("the message", () => got.length === 1);
    const { headers, body, path } = got[0];
    assert.equal(path, "/console");
    assert.deepEqual(await judge([{ secret, headers, body }]), { npm: [true], pypi: [true] });
  });

  it("is tested, exchanged and removed", async () => {
    await press("Empfänger testen");
    await page.locator("[role=status]").waitFor();
    assert.match(await text(), /Angekommen: 127\.0\.0\.1:\d+ hat in \d+ ms mit 200 geantwortet/);
    await page.screenshot({ path: `${artifacts}/webhook.png`, fullPage: true });
    assert.ok((await overflow()) <= 0, `${await overflow()} px too wide`);
    await press("Geheimnis tauschen");
    await page.locator("#secret").waitFor();
    assert.match(await text(), /Das bisherige Geheimnis gilt daneben noch bis/);
    await page.getByRole("link", { name: "Weiter zur Verbindung" }).click();
    await page.locator("main a.row, main a[href*='#list']").first().waitFor();
    await page.getByRole("link", { name: "Entfernen …" }).click();
    await press("Jetzt entfernen");
    await page.waitForURL(/deliveries\?removed=/);
    assert.match(await text(), /Der Empfänger ist entfernt/);
    assert.deepEqual(page.problems, []);
    assert.deepEqual((await api("GET", "")).json, []);
  });
});
