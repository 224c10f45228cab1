// A customer buys in a real browser and finds the order under "my orders".
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { artifacts, launch, open as openAt } from "./lib/browser.mjs";
import { Server } from "./lib/server.mjs";

let server, browser;

before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const open = (path, more) => openAt(browser, server.url + path, more);

describe("the storefront", () => {
  it("sells a product to a new customer on a phone", async () => {
    const page = await open("/");
    const by = (id) => page.getByTestId(id);
    await by("product-card").first().waitFor();
    await by("product-card").first().locator("a").first().click();
    await by("add-to-basket").first().click();
    await by("basket-link").first().click();
    await by("checkout-link").first().click();
    // Not signed in yet: the shop offers to make an account.
    const email = `browser-${crypto.randomUUID().slice(0, 8)}@example.com`;
    if (await by("signup-link").count()) await by("signup-link").first().click();
    const signup = by("signup-form");
    await signup.waitFor();
    await signup.getByTestId("signup-name").fill("Probe Kundin");
    await signup.getByTestId("signup-email").fill(email);
    await signup.getByTestId("signup-password").fill("correct horse battery");
    await by("signup-submit").click();
    await by("my-orders-link").first().waitFor({ state: "attached" });
    const { width, height } = page.viewportSize();
    await page.setViewportSize({ width: 320, height });
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(tooWide <= 0, `signed in, the smallest phone's page is ${tooWide} px wider than its screen`);
    await page.setViewportSize({ width, height });
    await page.goto(`${server.url}/#/checkout`);
    const form = by("address-form");
    await form.waitFor();
    for (const [field, value] of Object.entries({
      name: "Probe Kundin", street: "Lindenweg 3", postal_code: "10115", city: "Berlin",
    })) {
      await form.locator(`[name=${field}]`).fill(value);
    }
    await by("address-save").click();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(overflow <= 0, `the checkout is ${overflow} px wider than the screen`);
    assert.equal(await by("payment-choice").first().isChecked(), true, "on invoice, if nothing is chosen");
    await page.locator("[data-testid=payment-choice][value=prepayment]").check();
    await by("buy-now").click();
    const number = (await by("order-number").textContent()).trim();
    assert.match(number, /B-\d{4}-\d{5}/);
    await page.screenshot({ path: `${artifacts}/confirmation.png`, fullPage: true });
    assert.match(await by("thanks-text").textContent(), /Bitte überweisen Sie .*B-\d{4}-\d{5}/);
    await page.goto(`${server.url}/#/orders`);
    await by("order-row").first().waitFor();
    assert.ok((await by("order-row").first().textContent()).includes(number.match(/B-\d{4}-\d{5}/)[0]));
    assert.match(await by("order-payment").first().textContent(), /Vorkasse/);
    await page.screenshot({ path: `${artifacts}/my-orders.png`, fullPage: true });
    assert.deepEqual(page.problems, []);
  });

  it("speaks English to an English browser, and switches", async () => {
    const page = await open("/", { locale: "en-GB", viewport: { width: 1280, height: 900 } });
    await page.getByTestId("product-card").first().waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
    await page.getByTestId("language-switch").first().click();
    await page.waitForFunction(() => document.documentElement.lang === "de");
    await page.screenshot({ path: `${artifacts}/catalogue.png` });
    assert.deepEqual(page.problems, []);
  });

  it("finds by searching and takes a newsletter address", async () => {
    const page = await open("/", { viewport: { width: 1280, height: 900 } });
    await page.getByTestId("product-card").first().waitFor();
    const all = await page.getByTestId("product-card").count();
    await page.getByTestId("search-input").first().fill("sencha");
    await page.getByTestId("search-input").first().press("Enter");
    await page.waitForFunction((n) => document.querySelectorAll("[data-testid=product-card]").length < n, all);
    const newsletter = page.getByTestId("newsletter-form");
    await newsletter.getByTestId("newsletter-email").fill("news@example.com");
    await newsletter.getByTestId("newsletter-consent").check();
    await newsletter.getByTestId("newsletter-submit").click();
    await page.getByTestId("newsletter-done").waitFor();
    for (let tries = 0; tries < 50; tries++) {
      const { json } = await server.service("GET", "/rest/v1/newsletter_contacts?select=email");
      if (json.length === 1) return;
      await new Promise((wait) => setTimeout(wait, 100));
    }
    assert.fail("the newsletter contact never arrived");
  });
});
