// A partner changes its format under a running shop: what follows stops, the console says what is different in plain
// words with both samples, a person accepts it on a phone, and nothing was sent twice.
import assert from "node:assert/strict";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { artifacts, launch, openAsOwner } from "./lib/browser.mjs";
import { Server, shop } from "./lib/server.mjs";

let server, browser, page, partner, customer, product;
const sent = [];
let answer = { number: 1, state: "new" };

const connection = (port) => `
purpose = { de = "Bestellungen gehen in die Warenwirtschaft.", en = "Orders go to the ERP." }
partner = { name = "Warenwirtschaft" }
owner = "Vertrieb"
outage = { de = "Bestellungen warten.", en = "Orders wait." }
data = [{ fields = ["ship_name"], purpose = "Versand", basis = "Art. 6 (1) b", country = "DE" }]
[connect]
protocol = "rest"
base = "http://127.0.0.1:${port}"
allow_private = true
[[op]]
name = "order"
kind = "deliver"
on = "order.placed"
lane = "order.customer_id"
request = "POST /orders"
contract = { response = "contracts/warehouse.json" }
`;

const schema = {
  type: "object",
  required: ["number"],
  properties: { number: { type: "integer" }, state: { enum: ["new", "packed"] } },
};

before(async () => {
  partner = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    sent.push(JSON.parse(body).order.number);
    response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }).listen(0, "127.0.0.1");
  await once(partner, "listening");
  const project = await mkdtemp(join(tmpdir(), "takt-contracts-"));
  await cp(shop, project, { recursive: true, filter: (path) => !path.endsWith("/data") });
  await mkdir(join(project, "contracts"), { recursive: true });
  await writeFile(join(project, "contracts/warehouse.json"), JSON.stringify(schema));
  await writeFile(join(project, "interfaces/warehouse.toml"), connection(partner.address().port));
  server = await Server.start({ project });
  customer = await server.customer("contracts");
  [product] = (await server.service("GET", "/rest/v1/products?select=id&active=is.true&stock=gt.10&limit=1")).json;
  browser = await launch();
  page = await openAsOwner(browser, server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  partner?.close();
});

async function order() {
  const bought = await server.request("POST", "/rest/v1/rpc/checkout", {
    token: customer.token,
    body: { items: [{ product_id: product.id, quantity: 1 }], address_id: customer.addressId },
  });
  assert.equal(bought.status, 200, bought.text);
  return bought.json.number;
}

const deliveries = async (state) =>
  JSON.parse(await server.command("deliveries", "list", "--connection", "warehouse", "--state", state, "--json"))
    .deliveries;

async function until(what, done) {
  for (let tries = 0; tries < 100; tries++) {
    if (await done()) return;
    await new Promise((wait) => setTimeout(wait, 100));
  }
  assert.fail(`${what} did not come true within 10 s`);
}

const text = () => page.locator("main").innerText();

describe("a partner that changes its format", () => {
  it("stops what follows and parks the order, whose call is not made again", async () => {
    const numbers = [await order()];
    await until("the first", async () => (await deliveries("delivered")).length === 1);
    answer = { order_number: 2, state: "new" };
    numbers.push(await order());
    await until("parked", async () => (await deliveries("asking")).length === 1);
    numbers.push(await order());
    await until("the third waits", async () => (await deliveries("waiting")).length === 1);
    const [parked] = await deliveries("asking");
    await server.command("deliveries", "replay", parked.id);
    await until("judged anew", async () => (await deliveries("asking")).length === 1);
    assert.deepEqual(sent, numbers.slice(0, 2));
  });

  it("is told on the connection's page in plain words, with both samples", async () => {
    await page.goto(`${server.url}/studio/deliveries/warehouse`);
    assert.match(await text(), /„number“ fehlt; daneben steht neu „order_number“ – wohl umbenannt/);
    await page.getByText("Beide Proben zeigen").click();
    assert.match(await text(), /"number":1/);
    assert.match(await text(), /"order_number":2/);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `${wide} px too wide`);
    await page.screenshot({ path: `${artifacts}/contract.png`, fullPage: true });
    const [parked] = await deliveries("asking");
    await page.goto(`${server.url}/studio/deliveries/warehouse/${parked.id}`);
    assert.match(await text(), /kam bei „Warenwirtschaft“ an; was daraus folgt, wartet/);
  });

  it("is accepted by a person, and everything arrives once", async () => {
    await page.goto(`${server.url}/studio/deliveries/warehouse`);
    page.once("dialog", (dialog) => dialog.accept());
    await page.getByRole("button", { name: "Das ist richtig so" }).click();
    await page.waitForURL(/done=accept/);
    assert.match(await text(), /Als richtig vermerkt; 1 wartende gehen weiter/);
    await until("all", async () => (await deliveries("delivered")).length === 3);
    assert.equal(sent.length, 3);
    assert.equal(new Set(sent).size, 3, "none twice");
    const [row] = JSON.parse(await server.command("audit", "list", "--act", "drift", "--json"));
    assert.deepEqual([row.act, row.subject, row.actor], ["drift.accept", "connection warehouse", "account"], "who accepts is noted");
    assert.deepEqual(page.problems, []);
  });
});
