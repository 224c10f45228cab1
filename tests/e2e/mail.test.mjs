// What customers read: the shop's mails, through a real SMTP server, from the purchase to the newsletter.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { artifacts, launch, open, openAsOwner } from "./lib/browser.mjs";
import { Mailbox } from "./lib/mailbox.mjs";
import { Server } from "./lib/server.mjs";

let server, browser, mailbox, staff, products;

before(async () => {
  mailbox = await Mailbox.start();
  server = await Server.start({ env: { TAKT_CONNECTION_MAIL_BASE: `127.0.0.1:${mailbox.port}` } });
  browser = await launch();
  staff = await server.customer("staff");
  await server.command("account", "role", staff.email, "--add", "staff");
  const session = await server.request("POST", "/auth/v1/token?grant_type=password", {
    body: { email: staff.email, password: staff.password },
  });
  staff.token = session.json.access_token;
  products = (await server.service("GET", "/rest/v1/products?select=id,slug,name_de,name_en,price&stock=gt.50&limit=2")).json;
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await mailbox?.close();
});

/** A customer whose profile has a language. */
async function customer(language) {
  const who = await server.customer(language);
  const profile = await server.request("POST", "/rest/v1/customers", {
    token: who.token,
    body: { id: who.id, name: "Test", language },
  });
  assert.equal(profile.status, 201, profile.text);
  return who;
}

async function buy(who, addressId = who.addressId) {
  const items = products.map(({ id }, at) => ({ product_id: id, quantity: at + 1 }));
  const bought = await server.request("POST", "/rest/v1/rpc/checkout", {
    token: who.token,
    body: { items, address_id: addressId },
  });
  assert.equal(bought.status, 200, bought.text);
  return bought.json;
}

const deliveries = async (...which) =>
  JSON.parse(await server.command("deliveries", "list", "--json", "--limit", "200", ...which)).deliveries;

/** Waits until nothing is on its way by mail any more. */
async function settled() {
  for (let tries = 0; tries < 100; tries++) {
    // Events are dispatched a moment after their commit.
    await new Promise((wait) => setTimeout(wait, 100));
    const waiting = await deliveries("--connection", "mail", "--state", "waiting");
    if (waiting.length === 0 && tries > 5) return;
  }
  assert.fail("mails are still on their way");
}

const inGerman = (amount) => `${amount.toFixed(2).replace(".", ",")}\u00a0€`;
const inEnglish = (amount) => `€${amount.toFixed(2)}`;
const statusOf = async (id) => (await server.service("GET", `/rest/v1/orders?select=status&id=eq.${id}`)).json[0].status;
const ship = (id) =>
  server.request("PATCH", `/rest/v1/orders?id=eq.${id}`, { token: staff.token, body: { status: "shipped" } });
const subscribe = (email, language = "de") =>
  server.request("POST", "/rest/v1/rpc/subscribe", { body: { email, language } });
const contact = async (email) =>
  (await server.service("GET", `/rest/v1/newsletter_contacts?email=eq.${email}`)).json[0];
const linkIn = (mail) => mail.text.match(/http:\/\/\S+\/#\/newsletter\/[0-9a-f-]{36}/)[0];

let german, english;

describe("orders", () => {
  it("send nothing until somebody lets the mails go, and lose nothing", async () => {
    german = await customer("de");
    german.order = await buy(german);
    await new Promise((wait) => setTimeout(wait, 500));
    assert.equal(mailbox.mails.length, 0);
    await server.command("deliveries", "resume", "mail");
    await mailbox.waitFor(german.email);
  });

  it("are confirmed once, in the customer's language, with number and amounts", async () => {
    english = await customer("en");
    english.order = await buy(english);
    const [toEnglish] = await mailbox.waitFor(english.email);
    await settled();
    const [toGerman] = mailbox.to(german.email);
    const expected = [
      [toGerman, german, "Ihre Bestellung", "Blatt & Kanne", inGerman, "name_de"],
      [toEnglish, english, "Your order", "Blatt & Kanne", inEnglish, "name_en"],
    ];
    for (const [mail, who, subject, shop, money, name] of expected) {
      assert.equal(mailbox.to(who.email).length, 1);
      assert.deepEqual(mail.recipients, [who.email]);
      assert.equal(mail.sender, "post@blatt-kanne.example");
      assert.equal(mail.from.name, shop);
      assert.ok(mail.subject.startsWith(`${subject} ${who.order.number}`), mail.subject);
      for (const words of [who.order.number, money(who.order.total), products[0][name], products[1][name]]) {
        assert.ok(mail.text.includes(words), `${words} is missing in: ${mail.text}`);
      }
      for (const item of who.order.items) assert.ok(mail.text.includes(money(item.line_total)), mail.text);
      assert.ok(mail.html.includes(who.order.number) && mail.html.includes(`${server.url}/#/orders`), mail.html);
    }
  });

  it("tell once that the parcel is under way, when staff ship it", async () => {
    const shipped = await ship(german.order.order_id);
    assert.equal(shipped.status, 204, shipped.text);
    const [, mail] = await mailbox.waitFor(german.email, 2);
    assert.equal(mail.subject, `Ihr Paket ist unterwegs: Bestellung ${german.order.number}`);
    assert.ok(mail.text.includes(products[0].name_de) && mail.text.includes(inGerman(german.order.total)), mail.text);
    assert.notEqual((await ship(german.order.order_id)).status, 500); // nothing to ship any more
    await settled();
    assert.equal(mailbox.to(german.email).length, 2);
    const told = await deliveries("--connection", "mail", "--lane", german.order.order_id);
    assert.deepEqual(told.map((d) => d.operation).sort(), ["order_confirmation", "order_shipped"]);
  });

  it("tell it once as well when the console ships it", async () => {
    const page = await openAsOwner(browser, server, { viewport: { width: 1100, height: 900 } });
    await page.goto(`${server.url}/studio/orders/${english.order.order_id}`);
    await page.locator("main button[name=to][value=shipped]").click();
    await page.waitForLoadState();
    assert.equal(await statusOf(english.order.order_id), "shipped");
    const [, mail] = await mailbox.waitFor(english.email, 2);
    assert.equal(mail.subject, `Your parcel is on its way: order ${english.order.number}`);
    await settled();
    assert.equal(mailbox.to(english.email).length, 2);
  });

  it("tell that they were cancelled", async () => {
    const who = await customer("de");
    const order = await buy(who);
    const cancelled = await server.request("POST", "/rest/v1/rpc/cancel_order", {
      token: who.token,
      body: { order_id: order.order_id },
    });
    assert.equal(cancelled.status, 200, cancelled.text);
    const mails = await mailbox.waitFor(who.email, 2);
    // One order's mails leave in their order.
    assert.match(mails[0].subject, /^Ihre Bestellung .* bei/);
    assert.equal(mails[1].subject, `Ihre Bestellung ${order.number} ist storniert`);
    assert.ok(mails[1].text.includes(products[1].name_de), mails[1].text);
  });

  it("are taken as fast while the mail server is down; the mail arrives afterwards, once", async () => {
    const who = await customer("de");
    await mailbox.close();
    const begun = performance.now();
    const order = await buy(who);
    const took = performance.now() - begun;
    assert.ok(took < 1000, `${took} ms`);
    let failed = [];
    for (let tries = 0; failed.length === 0 && tries < 100; tries++) {
      await new Promise((wait) => setTimeout(wait, 100));
      failed = (await deliveries("--connection", "mail", "--lane", order.order_id)).filter((d) => d.attempts > 0);
    }
    assert.equal(failed[0].state, "waiting", JSON.stringify(failed));
    await mailbox.open();
    await server.command("deliveries", "replay", failed[0].id); // it would leave by itself a minute later
    const [mail] = await mailbox.waitFor(who.email);
    assert.ok(mail.subject.includes(order.number), mail.subject);
    await settled();
    assert.equal(mailbox.to(who.email).length, 1);
  });

  it("do not let a name with line breaks add recipients or mails", async () => {
    const who = await customer("de");
    const before = mailbox.mails.length;
    const names = [
      "Eva\r\nBcc: thief@example.com",
      "Eva\r\n.\r\nMAIL FROM:<x@example.com>\r\nRCPT TO:<thief@example.com>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.",
    ];
    let accepted = 0;
    for (const name of names) {
      const address = await server.request("POST", "/rest/v1/addresses", {
        token: who.token,
        headers: { prefer: "return=representation" },
        body: { customer_id: who.id, name, street: "Weg 1", postal_code: "12345", city: "Ort", country: "DE" },
      });
      assert.equal(address.status, 201, address.text);
      await buy(who, address.json[0].id);
      accepted += 1;
    }
    const mails = await mailbox.waitFor(who.email, accepted);
    await settled();
    assert.equal(mailbox.mails.length, before + accepted);
    for (const mail of mails) {
      assert.deepEqual(mail.recipients, [who.email]);
      assert.equal(mail.bcc, undefined);
      assert.ok(mail.text.includes("Herzliche Grüße"), mail.text);
    }
    const smuggled = await subscribe("eva@example.com\r\nBcc: thief@example.com");
    assert.equal(smuggled.status, 422, smuggled.text);
    assert.deepEqual(mailbox.to("thief@example.com"), []);
  });
});

describe("the newsletter", () => {
  const email = "neugierig@example.com";
  let link;

  it("sends nothing but one mail that asks", async () => {
    for (const spelled of [email, "Neugierig@example.com "]) {
      assert.deepEqual((await subscribe(spelled)).json, { accepted: true });
    }
    const [mail] = await mailbox.waitFor(email);
    await settled();
    assert.equal(mailbox.to(email).length, 1);
    assert.equal(mail.subject, "Bitte bestätigen Sie den Newsletter von Blatt & Kanne");
    link = linkIn(mail);
    assert.ok(link.startsWith(`${server.url}/#/newsletter/`), link);
    assert.ok(mail.html.includes(link), mail.html);
    assert.equal((await contact(email)).confirmed_at, null);
  });

  it("does not show the link's token to staff", async () => {
    const { json } = await server.request("GET", "/rest/v1/newsletter_contacts?select=token", { token: staff.token });
    assert.ok(!JSON.stringify(json).includes(link.split("/").at(-1)), JSON.stringify(json));
    const all = await server.request("GET", "/rest/v1/newsletter_contacts", { token: staff.token });
    assert.equal(all.json[0].email, email);
    assert.equal(all.json[0].token, undefined);
  });

  it("is not confirmed by opening the link: programs that look through mails do that too", async () => {
    const page = await open(browser, link);
    await page.getByTestId("newsletter-confirm").waitFor();
    await settled();
    assert.equal((await contact(email)).confirmed_at, null);
  });

  it("is confirmed by the button behind the link, and keeps the proof", async () => {
    const page = await open(browser, link);
    await page.getByTestId("newsletter-confirm").click();
    const outcome = page.getByTestId("newsletter-outcome");
    await outcome.waitFor();
    assert.equal(await outcome.getAttribute("data-outcome"), "confirmed");
    assert.match(await outcome.innerText(), /Willkommen im Newsletter/);
    await page.screenshot({ path: `${artifacts}/newsletter-confirmed.png`, fullPage: true });
    const proof = await contact(email);
    assert.match(proof.consent_text, /^Ja, ich möchte/);
    assert.ok(proof.consent_at <= proof.confirmed_at, JSON.stringify(proof));
    // Once more, by somebody who reads English.
    const again = await open(browser, link, { locale: "en-GB" });
    await again.getByTestId("newsletter-confirm").click();
    await again.getByTestId("newsletter-outcome").waitFor();
    assert.match(await again.getByTestId("newsletter-outcome").innerText(), /Confirmed already/);
    assert.equal((await contact(email)).confirmed_at, proof.confirmed_at);
    assert.deepEqual([...page.problems, ...again.problems], []);
  });

  it("answers the same to who has confirmed, and writes to them no more", async () => {
    assert.deepEqual((await subscribe(email)).json, { accepted: true });
    await settled();
    assert.equal(mailbox.to(email).length, 1);
  });

  it("is left by the other link, and keeps the proof", async () => {
    const page = await open(browser, `${link}/leave`);
    await page.getByTestId("newsletter-leave").waitFor();
    await settled();
    assert.equal((await contact(email)).left_at, null, "opening the link changes nothing");
    await page.getByTestId("newsletter-leave").click();
    const outcome = page.getByTestId("newsletter-outcome");
    await outcome.waitFor();
    assert.equal(await outcome.getAttribute("data-outcome"), "left");
    assert.match(await outcome.innerText(), /keinen Newsletter mehr/);
    assert.deepEqual(page.problems, []);
    const left = await contact(email);
    assert.match(left.consent_text, /^Ja, ich möchte/);
    assert.ok(left.confirmed_at < left.left_at, JSON.stringify(left));
    // The old link no longer confirms.
    const token = link.split("/").at(-1);
    assert.equal((await server.request("POST", "/rest/v1/rpc/confirm_newsletter", { body: { token } })).status, 404);
  });

  it("says kindly that it does not know a link", async () => {
    for (const [locale, words] of [["de-DE", /Diesen Link kennen wir nicht/], ["en-GB", /We do not know this link/]]) {
      for (const token of [crypto.randomUUID(), "nonsense"]) {
        const page = await open(browser, `${server.url}/#/newsletter/${token}`, { locale });
        await page.getByTestId("newsletter-confirm").click();
        await page.getByTestId("newsletter-outcome").waitFor();
        assert.match(await page.getByTestId("newsletter-outcome").innerText(), words);
      }
    }
    for (const [language, words] of [["de", /kennen wir nicht/], ["en", /do not know/]]) {
      const refused = await server.request("POST", "/rest/v1/rpc/confirm_newsletter", {
        body: { token: crypto.randomUUID() },
        headers: { "accept-language": language },
      });
      assert.equal(refused.status, 404, refused.text);
      assert.match(refused.json.message, words);
    }
  });

  it("asks in English who signed up in English", async () => {
    await subscribe("curious@example.com", "en");
    const [mail] = await mailbox.waitFor("curious@example.com");
    assert.equal(mail.subject, "Please confirm the newsletter of Blatt & Kanne");
    assert.match((await contact("curious@example.com")).consent_text, /^Yes, I would like/);
  });
});
