// Debian's Chromium, and pages that remember every script error and blocked content.
import { mkdir } from "node:fs/promises";

import { chromium } from "playwright-core";

export const artifacts = process.env.TAKT_ARTIFACTS ?? "artifacts";

const flags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export async function launch() {
  await mkdir(artifacts, { recursive: true });
  return chromium.launch({ executablePath: process.env.TAKT_CHROMIUM ?? "/usr/bin/chromium", args: flags });
}

/** A page in a context of its own: a German phone unless `more` says otherwise. */
export async function open(browser, url, more = {}) {
  const context = await browser.newContext({ locale: "de-DE", viewport: { width: 390, height: 844 }, ...more });
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (m) => m.type() === "error" && page.problems.push(m.text()));
  await page.goto(url);
  return page;
}

/** The console as its owner, whose account is made with the code of the first start. */
export async function openAsOwner(browser, server, more = {}) {
  const page = await open(browser, `${server.url}/studio/setup`, more);
  await page.fill("[name=code]", server.output.match(/[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}/)[0]);
  await page.fill("[name=email]", "owner@example.com");
  await page.fill("[name=password]", "correct horse battery");
  await page.getByRole("button", { name: "Konto anlegen", exact: true }).first().click();
  await page.waitForURL(`${server.url}/studio`);
  return page;
}
