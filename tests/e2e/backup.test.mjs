// Backups of a running shop by real processes: while it is written to, killed in the middle, given back by restic
// alone as docs/guide.md says, tried by the clock of the server itself.
// TAKT_KILLED_BACKUPS: how often a backup is killed (nightly: 50).
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";

import { Server, shop, takt } from "./lib/server.mjs";

const run = promisify(execFile);
const kills = Number(process.env.TAKT_KILLED_BACKUPS ?? 6);
const place = await mkdtemp(join(tmpdir(), "takt-backup-"));
const project = join(place, "shop");
const repository = join(place, "repository");
const env = { TAKT_BACKUP_REPOSITORY: repository };
let server, customer, product, young;

const json = async (...words) => JSON.parse(await server.command(...words, "--json"));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function buy() {
  const answer = await server.request("POST", "/rest/v1/rpc/checkout", {
    token: customer.token,
    body: { items: [{ product_id: product, quantity: 1 }], address_id: customer.addressId },
  });
  assert.equal(answer.status, 200, answer.text);
  return answer.json.number;
}

before(async () => {
  // Commands look for the repository where the server does.
  process.env.TAKT_BACKUP_REPOSITORY = repository;
  await cp(shop, project, { recursive: true });
  // Served for the first time; nobody asks it for a backup.
  await cp(shop, join(place, "young"), { recursive: true });
  const first = { TAKT_BACKUP_REPOSITORY: "", TAKT_BACKUP_SCHEDULE: "30 2 * * *" };
  young = await Server.start({ project: join(place, "young"), data: join(place, "young/data"), env: first });
  server = await Server.start({ project, data: join(project, "data"), env });
  customer = await server.customer("quillwort");
  product = (await server.service("GET", "/rest/v1/products?select=id&active=is.true&limit=1")).json[0].id;
  await server.service("PATCH", `/rest/v1/products?id=eq.${product}`, { body: { stock: 1_000_000 } });
});
after(async () => {
  await young?.stop({ keep: true });
  await server?.stop({ keep: true });
  await rm(place, { recursive: true, force: true });
});

/** Starts a copy, asks it for its orders, and stops it. */
async function ordersOf(folder) {
  const copy = await Server.start({ project: folder, data: join(folder, "data") });
  const { json } = await copy.service("GET", "/rest/v1/orders?select=number,total,order_items(line_total)&order=number");
  const signedIn = await copy.request("POST", "/auth/v1/token?grant_type=password", {
    body: { email: customer.email, password: customer.password },
  });
  await copy.stop({ keep: true });
  assert.equal(signedIn.status, 200, "people sign in to the copy as before");
  return json;
}

describe("backups of a running shop", () => {
  it("are made while it sells, and hold whole orders", async () => {
    let selling = true;
    const sold = [];
    const load = Promise.all(
      Array.from({ length: 3 }, async () => {
        while (selling) sold.push(await buy());
      }),
    );
    const before = sold.length;
    const { backup } = await json("backup");
    const { drill } = await json("drill");
    selling = false;
    await load;
    assert.equal(drill.fault, null);
    const rows = Object.fromEntries(drill.tables.map((t) => [t.name, t.rows]));
    assert.ok(rows.orders >= before && rows.orders <= sold.length, `${rows.orders} of ${sold.length}`);
    assert.equal(rows.order_items, rows.orders, "each order has its one item");
    assert.ok(backup.files > 100 && backup.rows > rows.orders);
  });

  it("go back into an empty folder, which is a shop again", async () => {
    await json("backup");
    const folder = join(place, "copy");
    const { rows } = await json("restore", "--to", folder);
    assert.ok(rows > 0);
    const here = (await server.service("GET", "/rest/v1/orders?select=number&order=number")).json.map((o) => o.number);
    const there = await ordersOf(folder);
    assert.deepEqual(there.map((o) => o.number), here);
    assert.ok(there.every((o) => o.order_items.length === 1));
  });

  it("are not put over data that is served", async () => {
    await assert.rejects(server.command("restore", "--overwrite-data"), /Another takt \(process \d+\) serves/);
    await assert.rejects(server.command("restore", "--to", project), /is not empty/);
    await assert.rejects(server.command("restore"), /--to <DIR>|--overwrite-data/);
  });

  it("put back the data of a shop that nobody serves, and keep what was there", async () => {
    const { backup } = await json("backup");
    const kept = backup.snapshot;
    const late = await buy();
    await server.stop({ keep: true });
    const { before } = await json("restore", kept.slice(0, 12), "--overwrite-data");
    assert.ok(existsSync(join(before, "takt.db")));
    server = await Server.start({ project, data: join(project, "data"), env });
    const numbers = (await server.service("GET", "/rest/v1/orders?select=number")).json.map((o) => o.number);
    assert.ok(!numbers.includes(late), "the shop is as it was when the backup was made");
    assert.equal((await server.request("GET", "/rest/v1/orders?select=number", { token: customer.token })).status, 200);
  });

  it("open with the owner's key, on a machine that has nothing else", async () => {
    const { key } = await json("backup", "owner-key");
    const file = join(place, "key.txt");
    await writeFile(file, key.toLowerCase());
    const { drill } = await json("drill", "--key-file", file);
    assert.deepEqual([drill.fault, drill.by_owner], [null, true]);
    const folder = join(place, "elsewhere");
    const words = ["restore", "--repository", repository, "--to", folder, "--key-file", file, "--json"];
    const bare = { cwd: place, env: { PATH: process.env.PATH } };
    await run(takt, words, bare);
    assert.ok((await ordersOf(folder)).length > 0);
    await assert.rejects(run(takt, [...words.slice(0, 4), join(place, "no")], bare), /There is no key here/);
    await writeFile(file, "WRONG-WRONG");
    await assert.rejects(run(takt, [...words.slice(0, 4), join(place, "no"), "--key-file", file], bare), /does not open/);
  });

  it("stay usable when the server is killed while it makes one", async () => {
    await json("backup");
    for (let kill = 0; kill < kills; kill += 1) {
      await buy();
      const making = spawn(takt, ["backup", "--project", project, "--data-dir", server.data], { stdio: "ignore" });
      const ended = new Promise((done) => making.on("exit", done));
      await sleep((kill * 700) / kills + Math.random() * 60);
      await server.kill();
      await ended;
      server = await Server.start({ project, data: server.data, env });
      const { snapshots } = await json("snapshots");
      assert.ok(snapshots.length > 0, "backups are still listed");
      const { drill } = await json("drill");
      assert.equal(drill.fault, null, `after kill ${kill}`);
    }
    await json("backup");
    assert.equal((await json("drill")).drill.fault, null);
    assert.ok(!existsSync(join(server.data, "scratch")), "no scratch place is left");
    console.log(`${kills} kills, each time the newest backup was complete`);
  });

  it("are given back by restic alone, as the guide says", async (t) => {
    try {
      await run("restic", ["version"]);
    } catch (error) {
      if (process.env.TAKT_NEEDS_RESTIC) throw error;
      return t.skip("restic is not installed");
    }
    const { key } = await json("backup", "owner-key");
    await json("backup");
    const clean = join(place, "clean");
    const guide = await readFile(join(import.meta.dirname, "../../docs/guide.md"), "utf8");
    const script = guide.match(/```sh\n(# Without Takt[\s\S]*?)```/)[1];
    const lines = script.replaceAll("/mnt/backup", repository).replaceAll("/srv/shop", clean);
    const { stdout } = await run("sh", ["-eu", "-c", lines], { env: { PATH: process.env.PATH, HOME: place, KEY: key } });
    assert.match(stdout, /no errors were found/);
    const here = (await server.service("GET", "/rest/v1/orders?select=number&order=number")).json.map((o) => o.number);
    assert.deepEqual((await ordersOf(clean)).map((o) => o.number), here);
  });

  it("are made and tried by themselves within two minutes of the first start", async () => {
    for (let turn = 0; turn < 600 && !young.output.includes("trial restore passed"); turn += 1) await sleep(200);
    assert.match(young.output, /backed up[\s\S]*trial restore passed/);
    assert.ok(existsSync(join(place, "young/data-backups/config")));
    const report = await young.command("snapshots", "--json", "--repository", join(place, "young/data-backups"));
    assert.equal(JSON.parse(report).snapshots.length, 1);
  });

  it("that are damaged do not pass, and nothing live is touched", async () => {
    const { readdir } = await import("node:fs/promises");
    const packs = (await readdir(join(repository, "data"), { recursive: true })).filter((name) => name.length > 60);
    const pack = join(repository, "data", packs[0]);
    const whole = await readFile(pack);
    const damaged = Buffer.from(whole);
    damaged[damaged.length >> 1] ^= 1;
    await writeFile(pack, damaged);
    const failed = await server.command("drill", "--json").then(
      () => assert.fail("it passed"),
      (error) => error,
    );
    assert.equal(failed.code, 3);
    assert.match(JSON.parse(failed.stdout).drill.fault, /is not what was written there/);
    await server.stop({ keep: true });
    const database = await readFile(join(server.data, "takt.db"));
    await assert.rejects(server.command("restore", "--overwrite-data"), /is damaged/);
    assert.ok(database.equals(await readFile(join(server.data, "takt.db"))));
    await writeFile(pack, whole);
    server = await Server.start({ project, data: server.data, env });
    assert.equal((await json("drill")).drill.fault, null);
  });
});
