// Deliveries in the console, in a real browser on a phone: a dead letter is read, changed, sent again.
import assert from "node:assert/strict";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { artifacts, launch, open, openAsOwner } from "./lib/browser.mjs";
import { Server, shop } from "./lib/server.mjs";

let server, browser, page, partner;
let status = 422;
const sent = [];

const connection = (port) => `
purpose = { de = "Bestellungen gehen in die Warenwirtschaft.", en = "Orders go to the ERP." }
partner = { name = "Warenwirtschaft", contact = "edv@example.de" }
owner = "Vertrieb"
outage = { de = "Bestellungen warten; niemand packt.", en = "Orders wait.", max = "8h" }
data = [{ fields = ["ship_name"], purpose = "Versand", basis = "Art. 6 (1) b", country = "DE" }]
[connect]
protocol = "rest"
base = "http://127.0.0.1:${port}"
allow_private = true
[[op]]
name = "order"
kind = "deliver"
on = "order.placed"
request = "POST /orders"
`;

before(async () => {
  partner = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    sent.push(body);
    response.writeHead(status).end(status === 200 ? "{}" : "Artikel unbekannt");
  }).listen(0, "127.0.0.1");
  await once(partner, "listening");
  const project = await mkdtemp(join(tmpdir(), "takt-deliveries-"));
  await cp(shop, project, { recursive: true, filter: (path) => !path.endsWith("/data") });
  await mkdir(join(project, "interfaces"), { recursive: true });
  await writeFile(join(project, "interfaces/warehouse.toml"), connection(partner.address().port));
  server = await Server.start({ project });
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

async function reloadUntil(words) {
  for (let turn = 0; turn < 50; turn += 1) {
    if ((await text()).includes(words)) return;
    await new Promise((done) => setTimeout(done, 100));
    await page.reload();
  }
  assert.fail(`${words} is missing in: ${await text()}`);
}

describe("deliveries in the console", () => {
  it("the story says that something stands still, and leads there", async () => {
    await page.goto(`${server.url}/studio/stories`);
    await press("Testbestellung aufgeben");
    await page.waitForURL(/stories\/[0-9a-f-]{36}/);
    await reloadUntil("Die Übergabe an „Warenwirtschaft“ ist stehen geblieben");
    await page.screenshot({ path: `${artifacts}/story-later.png`, fullPage: true });
    await page.getByRole("link", { name: /nicht angekommen nach 1 Versuch/ }).click();
    await page.waitForURL(/deliveries\/warehouse\//);
    assert.match(await text(), /kam nicht bei „Warenwirtschaft“ an/);
    assert.match(await text(), /Artikel unbekannt/);
  });

  it("the overview and the list say what did not arrive where", async () => {
    await page.goto(`${server.url}/studio`);
    assert.match(await text(), /1 Zustellung ist nicht angekommen/);
    await page.getByRole("link", { name: "Ansehen" }).click();
    await page.waitForURL(/studio\/deliveries/);
    assert.match(await text(), /Bestellungen gehen in die Warenwirtschaft/);
    assert.ok((await overflow()) <= 0, `${await overflow()} px too wide`);
    await page.screenshot({ path: `${artifacts}/deliveries.png`, fullPage: true });
  });

  it("the content is changed and sent", async () => {
    await page.locator("main a.row").first().click();
    await page.waitForURL(/deliveries\/warehouse\//);
    assert.ok((await overflow()) <= 0, `${await overflow()} px too wide`);
    await page.screenshot({ path: `${artifacts}/delivery.png`, fullPage: true });
    await page.locator("details.reveal summary").click();
    await page.fill("#reason", "Die Nummer des Artikels ist falsch");
    await press("Inhalt zeigen und ändern");
    await page.locator("textarea").waitFor();
    status = 200;
    await page.fill("textarea", `{"number": "von Hand"}`);
    await press("So senden");
    await reloadUntil("von Hand kam bei");
    assert.equal(sent.at(-1), `{"number":"von Hand"}`);
    const noted = JSON.parse(await server.command("audit", "list", "--act", "delivery", "--json"));
    const [edited, shown] = noted.filter((row) => row.act !== "delivery.look");
    assert.deepEqual([shown.act, shown.reason], ["delivery.reveal", "Die Nummer des Artikels ist falsch"]);
    assert.deepEqual([edited.act, edited.subject], ["delivery.edit", shown.subject], "who decides is noted");
  });

  it("the connection documents itself, in the dark too", async () => {
    const state = await page.context().storageState();
    const address = `${server.url}/studio/deliveries/warehouse`;
    const dark = await open(browser, address, { storageState: state, colorScheme: "dark" });
    const told = await dark.locator("main").innerText();
    for (const words of ["edv@example.de", "Vertrieb", "niemand packt", "Angekommen in den letzten 30 Tagen"]) {
      assert.ok(told.includes(words), words);
    }
    await dark.screenshot({ path: `${artifacts}/connection.png`, fullPage: true });
    assert.deepEqual([...page.problems, ...dark.problems], []);
  });
});
