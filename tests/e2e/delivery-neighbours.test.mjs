// A hundred receivers that drip one byte a second cost the healthy one nothing; nobody goes through a proxy that the
// environment names; an address of the own network is refused when it is written.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createRawServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { writeProject } from "./lib/projects.mjs";
import { Server, takt } from "./lib/server.mjs";

const drips = 100;

const connection = (base, on, more = "allow_private = true") => `
purpose = { en = "Proves that one does not hold up the other." }
partner = { name = "A receiver" }
owner = "Nobody"
outage = { en = "Notes wait." }
data = []
[connect]
protocol = "rest"
base = "${base}"
${more}
[[op]]
name = "note"
kind = "deliver"
on = "${on}"
request = "POST /notes"
retry = { schedule = ["10m"] }
`;

const note = `
export const label = { en: "Note" };
export const access = ["anon"];
export const runs_as = "service";
export const input = { name: "text", n: "integer" };
export default async function ({ emit }, { name, n }) {
  emit(name, { n });
}
`;

let project, good, drip, proxy, server;
let proxied = 0;
const sent = new Map();
const took = [];
const open = new Set();

before(async () => {
  good = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    took.push(performance.now() - sent.get(JSON.parse(body).n));
    response.writeHead(204).end();
  });
  drip = createRawServer((socket) => {
    open.add(socket);
    const text = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
    let at = 0;
    const timer = setInterval(() => socket.write(text[at++ % text.length]), 1000);
    socket.on("error", () => {});
    socket.on("close", () => clearInterval(timer) ?? open.delete(socket));
  });
  proxy = createRawServer((socket) => (proxied++, socket.destroy()));
  for (const one of [good, drip, proxy]) await new Promise((ready) => one.listen(0, "127.0.0.1", ready));
  const at = (one) => `http://127.0.0.1:${one.address().port}`;
  const files = {
    "takt.toml": 'name = "Neighbours"\nlanguages = ["en"]\n',
    "logic/note.ts": note,
    "interfaces/good.toml": connection(at(good), "good.made"),
  };
  for (let n = 0; n < drips; n++) files[`interfaces/drip${n}.toml`] = connection(at(drip), "drip.made");
  project = await writeProject("takt-neighbours-", files);
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
  server = await Server.start({ project, env: Object.fromEntries(names.map((name) => [name, at(proxy)])) });
});
after(async () => {
  await server?.stop();
  good?.closeAllConnections();
  open.forEach((socket) => socket.destroy());
  for (const one of [good, drip, proxy]) one?.close();
  await rm(project, { recursive: true, force: true });
});

const emit = (name, n) => server.request("POST", "/rest/v1/rpc/note", { body: { name, n } });

describe("a hundred receivers that drip", () => {
  let begun;
  it("leave the healthy one alone: of its messages 95 % arrive within a second", async () => {
    begun = performance.now();
    assert.ok((await emit("drip.made", 0)).status < 300);
    while (open.size < drips && performance.now() - begun < 10_000) await sleep(20);
    assert.equal(open.size, drips, "all drip at the same time");
    const messages = 100;
    for (let n = 0; n < messages; n++) {
      sent.set(n, performance.now());
      assert.ok((await emit("good.made", n)).status < 300);
      await sleep(20);
    }
    while (took.length < messages && performance.now() - begun < 18_000) await sleep(20);
    assert.equal(took.length, messages);
    assert.equal(open.size, drips, "they still drip");
    took.sort((a, b) => a - b);
    console.log(`call to arrival beside ${drips} drips: p50 ${took[50].toFixed(1)} ms, p95 ${took[95].toFixed(1)} ms`);
    assert.ok(took[95] <= 1000, `${took[95]} ms`);
  });

  it("are let go after at most half a minute, and told", async () => {
    while (open.size > 0 && performance.now() - begun < 31_000) await sleep(100);
    const seconds = (performance.now() - begun) / 1000;
    assert.equal(open.size, 0, `still there after ${seconds} s`);
    await sleep(300);
    const listed = JSON.parse(await server.command("deliveries", "list", "--state", "waiting", "--limit", "200", "--json"));
    assert.equal(listed.deliveries.length, drips);
    for (const { outcome, error } of listed.deliveries) {
      assert.equal(outcome, "unknown");
      assert.match(error, /did not answer within 20000 ms/);
    }
  });

  it("nobody went through the proxy of the environment", () => assert.equal(proxied, 0));
});

describe("an address of the own network", () => {
  it("is refused when the project is read, unless the file allows it", async () => {
    const check = async (base, more) => {
      await writeFile(join(project, "interfaces/inside.toml"), connection(base, "x.y", more));
      return promisify(execFile)(takt, ["check", project]).then(
        ({ stdout }) => stdout,
        ({ stdout, stderr }) => stdout + stderr,
      );
    };
    for (const host of ["127.1", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433", "169.254.169.254", "[fd00::8]", "100.64.0.1"]) {
      const told = await check(`http://${host}/`, "");
      assert.match(told, /interfaces\/inside\.toml.*is an address of the own network/, host);
      assert.match(told, /allow_private = true/, host);
      assert.doesNotMatch(await check(`http://${host}/`, "allow_private = true"), /own network/, host);
    }
    const token = 'auth = { kind = "oauth2-cc", token_url = "http://10.0.0.1/", client_id = "x", secret = "s" }';
    assert.match(await check("https://partner.example/", token), /`http:\/\/10\.0\.0\.1\/?` is an address of the own network/);
    assert.doesNotMatch(await check("https://partner.example/", ""), /own network/);
  });
});
