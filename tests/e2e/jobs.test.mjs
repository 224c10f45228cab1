// Jobs in the console, in a real browser: a job that fails is read in plain words, its story opened, run, cancelled.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { artifacts, launch, openAsOwner } from "./lib/browser.mjs";
import { writeProject } from "./lib/projects.mjs";
import { Server } from "./lib/server.mjs";

const files = {
  "takt.toml": `name = "Zettel"\nlanguages = ["de", "en"]\ntime_zone = "Europe/Berlin"\n`,
  "schema/notes.toml": `label = { de = "Zettel", en = "Notes" }\n[fields]\nid = { type = "uuid", primary_key = true, default = "uuid_v7()" }\ntext = { type = "text" }\n`,
  "logic/report.ts": `
export const kind = "job", schedule = "0 6 * * *", time_zone = "Europe/Berlin";
export const label = { de: "Morgenbericht", en: "Morning report" };
export default async function ({ db, step, note }) {
  await step({ en: "Counted", de: "Gezählt" }, async () => {
    const all = await db.notes.find({ limit: 100 });
    note({ en: all.length + " notes", de: all.length + " Zettel" });
  });
}
`,
  "logic/tidy.ts": `
export const kind = "job", label = { de: "Aufräumen", en: "Tidy up" };
export default async function () { throw new Error("no broom"); }
`,
  "logic/ask.ts": `
export const access = ["anon"], runs_as = "service", label = { de: "Bestellen", en: "Ask" };
export default async function ({ later }) { return later("tidy", {}); }
`,
};

let server, browser, page;

before(async () => {
  const project = await writeProject("takt-jobs-", files);
  server = await Server.start({ project });
  browser = await launch();
  page = await openAsOwner(browser, server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const press = (name) => page.getByRole("button", { name, exact: true }).first().click();
const text = () => page.locator("main").innerText();
const row = (label) => page.locator("main li", { hasText: label });

async function reloadUntil(words) {
  for (let turn = 0; turn < 50; turn += 1) {
    await page.goto(`${server.url}/studio/jobs`);
    if ((await text()).includes(words)) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.fail(`${words} is missing in: ${await text()}`);
}

describe("jobs in the console", () => {
  it("a job that failed says why, when it is tried again, and who had asked for it", async () => {
    assert.equal((await server.request("POST", "/rest/v1/rpc/ask", { body: {} })).status, 200);
    await reloadUntil("ein Fehler im Programm (no broom)");
    assert.match(await text(), /Aufräumen[\s\S]*Fehlversuche: 1/);
    assert.match(await text(), /Morgenbericht[\s\S]*0 6 \* \* \* \(Europe\/Berlin\)[\s\S]*nächstes Mal/);
    await page.screenshot({ path: `${artifacts}/jobs-failed.png`, fullPage: true });
    await row("Aufräumen").getByRole("link", { name: "Geschichte" }).first().click();
    const story = await text();
    for (const words of ["fehlgeschlagen", "ein früherer Vorgang hat es bestellt", "Auslöser: Bestellen",
      "Es wird von selbst noch einmal versucht"]) {
      assert.ok(story.includes(words), `${words} is missing in: ${story}`);
    }
  });

  it("a scheduled job is run by hand, and its story tells what it decided", async () => {
    await page.goto(`${server.url}/studio/jobs`);
    await row("Morgenbericht").getByRole("button", { name: "Jetzt ausführen" }).click();
    await page.getByText("Die Aufgabe läuft in der nächsten Sekunde.").waitFor();
    for (let turn = 0; turn < 50; turn += 1) {
      const told = await server.command("story", "--last", "--lang", "de").catch(() => "");
      if (told.includes("Morgenbericht")) break;
      await new Promise((done) => setTimeout(done, 100));
    }
    const told = await server.command("story", "--last", "--lang", "de", "--depth", "1");
    assert.match(told, /Morgenbericht · .* · ERFOLGREICH/);
    assert.match(told, /Wer: Ein Mensch hat es angestoßen/);
    assert.match(told, /1 ✓ Gezählt[\s\S]*0 Zettel/);
  });

  it("a job is cancelled once, and that is written down", async () => {
    await page.goto(`${server.url}/studio/jobs`);
    page.once("dialog", (dialog) => dialog.accept());
    await row("Aufräumen").getByRole("button", { name: "Nicht mehr erledigen" }).click();
    await page.getByText("Die Aufgabe wird nicht erledigt.").waitFor();
    assert.match(await text(), /Keine Aufgabe wartet/);
    const acts = JSON.parse(await server.command("audit", "list", "--act", "job", "--json"));
    assert.deepEqual(acts.map((a) => [a.name, a.act]), [
      ["owner@example.com", "job.cancel"],
      ["owner@example.com", "job.run"],
    ]);
    assert.deepEqual(page.problems, []);
  });
});
