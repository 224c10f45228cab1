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

it("the README's supabase-js program runs", async () => {
  const program = readme.match(/```js\n([\s\S]*?)```/)[1];
  assert.ok(program.split("\n").length <= 15, "ten lines, says the README");
  const server = await Server.start();
  const folder = await mkdtemp(join(tmpdir(), "takt-readme-"));
  try {
    // The README speaks of the default address; this server has another.
    const moved = program.replaceAll("http://127.0.0.1:8000", server.url);
    await writeFile(join(folder, "buy.mjs"), moved);
    await symlink(join(import.meta.dirname, "node_modules"), join(folder, "node_modules"));
    const env = { ...process.env, TAKT_KEY: server.publishableKey };
    const { stdout } = await promisify(execFile)(process.execPath, ["buy.mjs"], { cwd: folder, env });
    assert.match(stdout, /B-\d{4}-\d{5}/);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
