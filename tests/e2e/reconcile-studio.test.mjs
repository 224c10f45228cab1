// Comparing both sides in the console, in a real browser on a phone: what the warehouse does not have is read, sent
// again, and in order afterwards.
import assert from "node:assert/strict";
import { once } from "node:events";
import { cp, mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { artifacts, launch, openAsOwner } from "./lib/browser.mjs";
import { Server, shop } from "./lib/server.mjs";

let server, browser, page, partner, number;
let status = 422;
const there = [];

const connection = (port) => `
purpose = { de = "Bestellungen gehen in das Lager.", en = "Orders go to the warehouse." }
partner = { name = "Lager", contact = "edv@example.de" }
owner = "Vertrieb"
outage = { de = "Bestellungen warten; niemand packt.", en = "Orders wait.", max = "8h" }
data = []
[connect]
protocol = "rest"
base = "http://127.0.0.1:${port}"
allow_private = true
[[op]]
name = "order"
kind = "deliver"
on = "order.placed"
lane = "order.id"
request = "POST /orders"
[reconcile]
every = "1h"
window = "3d"
theirs = "logic/warehouse.ts#orders"
ours = { table = "orders", key = "number", at = "created_at", same = ["total"] }
missing_there = "offer"
send = "order"
`;

const mapping = `
export const kind = "mapping";
export const label = { en: "Warehouse", de: "Lager" };
export const orders = (event, { call }) => call("GET", "/orders").body.map(({ number, total }) => ({ key: number, total }));
`;

before(async () => {
  partner = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    if (request.method === "GET") return void response.end(JSON.stringify(there));
    if (status === 200) there.push(JSON.parse(body).order);
    response.writeHead(status).end("{}");
  }).listen(0, "127.0.0.1");
  await once(partner, "listening");
  const project = await mkdtemp(join(tmpdir(), "takt-reconcile-"));
  await cp(shop, project, { recursive: true, filter: (path) => !path.endsWith("/data") });
  await writeFile(join(project, "interfaces/warehouse.toml"), connection(partner.address().port));
  await writeFile(join(project, "logic/warehouse.ts"), mapping);
  server = await Server.start({ project });
  const customer = await server.customer("lost");
  const [product] = (await server.service("GET", "/rest/v1/products?select=id&active=is.true&stock=gt.5&limit=1")).json;
  const bought = await server.request("POST", "/rest/v1/rpc/checkout", {
    token: customer.token,
    body: { items: [{ product_id: product.id, quantity: 1 }], address_id: customer.addressId },
  });
  number = bought.json.number;
  // Past the grace time.
  const earlier = { created_at: new Date(Date.now() - 3600_000).toISOString() };
  await server.service("PATCH", `/rest/v1/orders?number=eq.${number}`, { body: earlier });
  browser = await launch();
  page = await openAsOwner(browser, server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  partner?.close();
});

const press = (name) => page.getByRole("button", { name, exact: true }).first().click();
const text = () => page.locator("main").innerText();
const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

/** Presses until the page says so: deliveries take a moment. */
async function pressUntil(button, words) {
  for (let turn = 0; turn < 30; turn += 1) {
    await press(button);
    await page.waitForURL(/done=reconcile/);
    if (words.test(await text())) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  assert.fail(`${words} is missing in: ${await text()}`);
}

describe("comparing in the console", () => {
  it("says what the other side does not have, since when", async () => {
    await page.goto(`${server.url}/studio/deliveries/warehouse`);
    await pressUntil("Jetzt abgleichen", new RegExp(`${number} fehlt bei Lager`));
    assert.match(await text(), /stimmt nicht überein: Bestellungen: 1 dort erwartet, 0 dort gefunden/);
    assert.match(await text(), /Zuerst gesehen/);
    assert.equal(there.length, 0, "nothing was sent by itself");
    assert.ok((await overflow()) <= 0);
    await page.screenshot({ path: `${artifacts}/reconcile-missing.png`, fullPage: true });
  });

  it("makes up for it when a person says so, and agrees afterwards", async () => {
    status = 200;
    await press("Abgleichen und Fehlendes nachholen");
    await page.waitForURL(/done=reconcile&count=1/);
    assert.match(await text(), /1 Fehlende nachgeholt/);
    await pressUntil("Jetzt abgleichen", /stimmt überein: Bestellungen: 1 dort erwartet, 1 dort gefunden, 1 gleich/);
    assert.deepEqual(there.map((order) => order.number), [number]);
    await page.getByText("Inzwischen in Ordnung").click();
    assert.match(await text(), /seit .* in Ordnung/);
    await page.screenshot({ path: `${artifacts}/reconcile-agreed.png`, fullPage: true });
    assert.deepEqual(page.problems, []);
  });

  it("lets a person call settled what nobody can mend", async () => {
    there[0].total = "0.01";
    await pressUntil("Jetzt abgleichen", /„Summe inkl. Steuer“ ist hier .*, bei Lager 0.01/);
    await press("Erledigt");
    await page.waitForURL(/done=settled/);
    assert.match(await text(), /von Hand erledigt/);
    assert.equal(await page.getByRole("button", { name: "Erledigt", exact: true }).count(), 0);
    await pressUntil("Jetzt abgleichen", /von Hand erledigt/);
  });

  it("is part of the connection's documentation and of the report", async () => {
    assert.match(await text(), /Was abgeglichen wird/);
    const about = await server.command("deliveries", "connections", "--about");
    assert.match(about, /What is compared|Was abgeglichen wird/);
  });
});
