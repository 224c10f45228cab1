// The declarations that `takt types` writes, judged by the real TypeScript compiler: the example shop is right, and
// mistakes are found. Not here: what the declarations say word for word (crates/takt-logic/tests/it/types.rs).
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, it } from "node:test";
import { promisify } from "node:util";

import { shop, takt } from "./lib/server.mjs";

const run = promisify(execFile);
const tsc = join(import.meta.dirname, "node_modules/typescript/bin/tsc");
const guide = resolve(import.meta.dirname, "../../docs/guide.md");

let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "takt-types-"));
  await cp(shop, join(folder, "shop"), { recursive: true });
  await run(takt, ["types", join(folder, "shop")]);
  // As the guide says it.
  const [, config] = (await readFile(guide, "utf8")).match(/```json tsconfig\.json\n([\s\S]*?)```/);
  await writeFile(join(folder, "shop/tsconfig.json"), config);
});

after(() => rm(folder, { recursive: true, force: true }));

/** What the compiler says about the shop's logic. */
async function compile() {
  try {
    await run(process.execPath, [tsc, "-p", join(folder, "shop")]);
    return [];
  } catch (error) {
    return error.stdout.split("\n").filter((line) => line.includes("error TS"));
  }
}

it("the example shop's logic is right to the compiler", async () => {
  assert.deepEqual(await compile(), []);
});

it("mistakes are found where they stand", async () => {
  const mistakes = [
    ["await db.orders.find({ where: { statu: 'paid' } });", "Did you mean to write 'status'"],
    ["await db.orders.find({ where: { status: 'payed' } });", "payed"],
    ["await db.orders.update({ id: 'x' }, { status: 'payed' });", "payed"],
    ["await db.ordrs.get('x');", "Did you mean 'orders'"],
    ["await db.products.update({ id: 'x' }, { stock: { plus: 1 } });", "'plus' does not exist"],
    ["await db.order_changes.insert({ before: 'paid' });", "No overload matches"],
    ["later('nightly');", "is not assignable to parameter of type 'never'"],
    ["talk.call('GET');", "Expected 2-3 arguments"],
    ["talk.refuse(7);", "not assignable to parameter of type 'string'"],
  ];
  const body = mistakes.map(([line]) => line).join("\n");
  const text = `export async function bad({ db, later }: Takt.Context, talk: Takt.Talk) {\n${body}\n}\n`;
  await writeFile(join(folder, "shop/logic/_bad.ts"), text);
  const told = await compile();
  mistakes.forEach(([line, words], at) => {
    const here = told.find((error) => error.includes(`_bad.ts(${at + 2},`));
    assert.ok(here?.includes(words), `${line}: ${here}`);
  });
  assert.equal(told.length, mistakes.length, told.join("\n"));
});
