// The owner's page in a real browser: from the one-time code to the story of a test order, without a terminal.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { artifacts, launch, open } from "./lib/browser.mjs";
import { Server } from "./lib/server.mjs";

let server, browser, page;

before(async () => {
  server = await Server.start();
  browser = await launch();
  page = await open(browser, `${server.url}/studio`, { viewport: { width: 1100, height: 900 } });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const press = (name) => page.getByRole("button", { name, exact: true }).first().click();
const text = () => page.locator("main").innerText();

describe("the owner", () => {
  it("makes the account with the code that the start printed, and only once", async () => {
    const code = server.output.match(/[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}/)[0];
    await page.fill("[name=code]", "AAAA-AAAA-AAAA");
    await page.fill("[name=email]", "owner@example.com");
    await page.fill("[name=password]", "correct horse battery");
    await press("Konto anlegen");
    await page.locator("[role=alert]").first().waitFor();
    page.problems.length = 0; // the browser itself notes the refused code
    await page.fill("[name=code]", code);
    await page.fill("[name=password]", "correct horse battery");
    await press("Konto anlegen");
    await page.waitForURL(`${server.url}/studio`);
    const again = await open(browser, `${server.url}/studio/setup`);
    assert.match(again.url(), /sign-in/);
  });

  it("sees six lights, and what is not known is not green", async () => {
    await page.screenshot({ path: `${artifacts}/studio.png`, fullPage: true });
    for (const block of ["Gedächtnis", "Maschinenraum", "Regeln", "Schnittstellen", "Zukunft", "Verantwortung"]) {
      assert.ok((await text()).includes(block), block);
    }
    assert.match(await text(), /noch nicht bekannt/i);
  });

  it("places a test order and reads its story", async () => {
    await page.goto(`${server.url}/studio/stories`);
    await press("Testbestellung aufgeben");
    await page.waitForURL(/stories\/[0-9a-f-]{36}/);
    await page.screenshot({ path: `${artifacts}/story.png`, fullPage: true });
    const story = await text();
    for (const words of ["Jetzt kaufen", "Bestand reserviert", "B-2", "order.placed"]) {
      assert.ok(story.includes(words), `${words} is missing in: ${story}`);
    }
    const told = await server.command("story", "--last", "--lang", "de");
    assert.ok(told.includes("Bestand reserviert"));
  });

  it("shows personal values only for a reason, and writes the look down", async () => {
    await page.goto(`${server.url}/studio/stories`);
    await page.locator("main a[href*='/studio/stories/']").first().click();
    const id = page.url().split("/").at(-1).split("?")[0];
    await page.locator("details.change summary").last().click();
    const [{ ship_name: name }] = (await server.service("GET", "/rest/v1/orders?select=ship_name")).json;
    assert.ok(!(await page.content()).includes(name), "masked at first");
    await page.locator("details.reveal summary").click();
    await page.fill("#reason", "weil darum ja");
    await page.evaluate(() => { document.querySelector("#reason").value = "aaaaaa aaaaaa"; });
    await press("Zeigen");
    await page.locator("[role=alert]").first().waitFor();
    assert.ok(!(await page.content()).includes(name), "a reason that is none shows nothing");
    page.problems.length = 0; // the browser itself notes the refusal
    await page.locator("details.reveal summary").click();
    await page.fill("#reason", "Rückfrage der Kundin zur Lieferung");
    await press("Zeigen");
    await page.getByText("Persönliche Werte sind sichtbar.").waitFor();
    assert.ok((await page.content()).includes(name));
    await page.screenshot({ path: `${artifacts}/story-revealed.png`, fullPage: true });
    await page.goto(`${server.url}/studio/stories/${id}`);
    assert.ok(!(await page.content()).includes(name), "the next look is masked again");
    await page.goto(`${server.url}/studio/audit`);
    const rows = await text();
    for (const words of ["owner@example.com", "Rückfrage der Kundin zur Lieferung", id]) {
      assert.ok(rows.includes(words), `${words} is missing in: ${rows}`);
    }
    await page.screenshot({ path: `${artifacts}/audit.png`, fullPage: true });
    const listed = await server.command("audit", "list", "--act", "story.reveal", "--lang", "de");
    assert.match(listed, /owner@example\.com.*persönliche Werte einer Geschichte angesehen.*Rückfrage der Kundin/);
    await page.goto(`${server.url}/studio/jobs`);
    await page.screenshot({ path: `${artifacts}/jobs.png`, fullPage: true });
    assert.deepEqual(page.problems, []);
  });

  it("ships the order; afterwards it cannot be cancelled any more", async () => {
    await page.goto(`${server.url}/studio/orders`);
    await page.locator("main a[href*='/studio/orders/']").first().click();
    await page.locator("main button[name=to][value=shipped]").click();
    await page.waitForLoadState();
    const [order] = (await server.service("GET", "/rest/v1/orders?select=status")).json;
    assert.equal(order.status, "shipped");
    assert.equal(await page.locator("main button[name=to]").count(), 0);
  });

  it("changes a price; the shop shows it", async () => {
    await page.goto(`${server.url}/studio/products`);
    await page.locator("main a[href*='/studio/products/']").first().click();
    const id = page.url().split("/").at(-1);
    await page.fill("[name=f_price]", "12,34");
    await press("Speichern");
    await page.waitForLoadState();
    const [product] = (await server.request("GET", `/rest/v1/products?id=eq.${id}&select=price`)).json;
    assert.equal(product.price, 12.34);
    assert.deepEqual(page.problems, []);
  });

  it("works on a phone in the dark", async () => {
    const state = await page.context().storageState();
    const phone = await open(browser, `${server.url}/studio`, { storageState: state, colorScheme: "dark" });
    await phone.screenshot({ path: `${artifacts}/studio-phone.png`, fullPage: true });
    const overflow = await phone.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(overflow <= 0, `${overflow} px too wide`);
  });
});
