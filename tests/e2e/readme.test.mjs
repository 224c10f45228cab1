// The program in the README works as it stands against the running shop.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { it } from "node:test";
import { promisify } from "node:util";

import { Server } from "./lib/server.mjs";

const readme = await readFile(resolve(import.meta.dirname, "../../README.md"), "utf8");

it("the README says how to save and run its program, and names what is there", async () => {
  assert.match(readme, /save this as `shop\.mjs`/);
  assert.match(readme, /npm install @supabase\/supabase-js\nTAKT_KEY=sb_publishable_\S+ node shop\.mjs/);
  const policies = await readFile(resolve(import.meta.dirname, "../../examples/shop/schema/products.toml"), "utf8");
  const policy = readme.match(/the policy "([^"]+)" ends with `(using = [^`]+)`/);
  assert.ok(policies.includes(`name = "${policy[1]}"`), policy[1]);
  assert.ok(policies.includes(policy[2].replaceAll("\\", "")), policy[2]);
});

it("the README shows the first start as it is", async () => {
  const server = await Server.start();
  try {
    const shown = readme.match(/```\n(Blatt & Kanne is being served[\s\S]*?)```/)[1];
    const names = (text, what) => text.match(new RegExp(`^  ${what} +(.*)$`, "m"))?.[1];
    const code = /[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}/;
    for (const [en, de] of [["Tables", "Tabellen"], ["Functions", "Funktionen"]]) {
      assert.equal(names(shown, en), names(server.output, en) ?? names(server.output, de));
    }
    assert.match(shown, code);
    assert.match(server.output, code);
  } finally {
    await server.stop();
  }
});

it("the README's supabase-js program runs", async () => {
  const program = readme.match(/```js\n([\s\S]*?)```/)[1];
  assert.ok(program.split("\n").length <= 15, "short enough to be copied");
  const server = await Server.start();
  const folder = await mkdtemp(join(tmpdir(), "takt-readme-"));
  try {
    // The README speaks of the default address; this server has another.
    const moved = program.replaceAll("http://127.0.0.1:8000", server.url);
    await writeFile(join(folder, "shop.mjs"), moved);
    await symlink(join(import.meta.dirname, "node_modules"), join(folder, "node_modules"));
    const env = { ...process.env, TAKT_KEY: server.publishableKey };
    const { stdout } = await promisify(execFile)(process.execPath, ["shop.mjs"], { cwd: folder, env });
    assert.match(stdout, /B-\d{4}-\d{5}/);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
