// Pages of the console with names that nobody can break well, on the narrowest phones.
import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";

import { launch, openAsOwner } from "./lib/browser.mjs";
import { Server, shop } from "./lib/server.mjs";

const LONG = "an_order_that_nobody_in_the_whole_house_wants_to_take_care_of";

const consumer = `
export const kind = "consumer";
export const on = "newsletter.subscribed";
export default function ({ reject }) {
  reject(422, { en: "No.", de: "Nein." });
}
`;

let server, browser, project;

before(async () => {
  project = await mkdtemp(join(tmpdir(), "takt-narrow-"));
  await cp(shop, project, { recursive: true, filter: (path) => !path.endsWith("/data") });
  await writeFile(join(project, `logic/${LONG}.ts`), consumer);
  server = await Server.start({ project });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await rm(project, { recursive: true, force: true });
});

async function deadLetter() {
  for (let tries = 0; tries < 100; tries++) {
    const { deliveries } = JSON.parse(await server.command("deliveries", "list", "--state", "dead", "--json"));
    if (deliveries.length > 0) return deliveries[0].id;
    await new Promise((soon) => setTimeout(soon, 100));
  }
  throw new Error("no dead letter");
}

it("a dead letter of a function with a long name fits a narrow phone", async () => {
  const body = { email: "ada@example.com", language: "de" };
  const answer = await server.request("POST", "/rest/v1/rpc/subscribe", { body });
  assert.equal(answer.status, 200);
  const id = await deadLetter();
  const page = await openAsOwner(browser, server, { viewport: { width: 360, height: 740 } });
  for (const path of ["/studio/deliveries/functions", `/studio/deliveries/functions/${id}`]) {
    await page.goto(server.url + path);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(overflow <= 0, `${path} is ${overflow} px too wide`);
  }
  assert.match(await page.locator("body").innerText(), new RegExp(LONG));
});
