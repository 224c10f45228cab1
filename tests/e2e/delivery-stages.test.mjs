// kill -9 at each stage of an attempt: claimed (written down, not a byte of the message has left), sent (the receiver
// has it and has not answered), answered (the answer is there, and nothing of it is written down). The receiver picks
// the moment, so the binary is the one that people run.
// Random moments are for delivery-kill.test.mjs.
// TAKT_STAGE_KILLS: how often (nightly: 200, with 50 messages before each).
import assert from "node:assert/strict";
import { readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createRawServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Webhook } from "standardwebhooks";

import { secret, sink, writeProject } from "./lib/projects.mjs";
import { Server } from "./lib/server.mjs";

const kills = Number(process.env.TAKT_STAGE_KILLS ?? 6);
const stages = ["claimed", "sent", "answered"];
const lanes = 5;
const perKill = 50;

const files = {
  "takt.toml": 'name = "Stages"\nlanguages = ["en"]\n',
  "logic/notes.ts": `
    export const label = { en: "Notes" };
    export const access = ["anon"];
    export const runs_as = "service";
    export const input = { lanes: "integer", first: "integer", count: "integer" };
    export default async function ({ emit }, { lanes, first, count }) {
      for (let at = 0; at < count; at++) emit("note.made", { lane: at % lanes, n: first + Math.floor(at / lanes) });
      return count;
    }
  `,
  "interfaces/sink.toml": sink,
};

let project, receiver, silent, server;
/** Every arrival in its order: lane, number, message id. */
const arrivals = [];
const unsigned = [];
/** What shall happen next: `{ stage, first, after, acknowledged }`; nothing while messages just arrive. */
let plan;
/** Connections on which somebody began to speak TLS, and nobody answers. */
let greeted = Promise.withResolvers();

before(async () => {
  project = await writeProject("takt-stages-", files);
  receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => arrived(request.headers, body, response));
  });
  await new Promise((ready) => receiver.listen(0, "127.0.0.1", ready));
  silent = createRawServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => greeted.resolve());
  });
  await new Promise((ready) => silent.listen(0, "127.0.0.1", ready));
});
after(async () => {
  await server?.stop();
  receiver?.closeAllConnections();
  receiver?.close();
  silent?.close();
  await rm(project, { recursive: true, force: true });
});

async function arrived(headers, body, response) {
  try {
    new Webhook(secret).verify(body, headers);
  } catch (error) {
    unsigned.push(String(error));
  }
  const { lane, n } = JSON.parse(body).data;
  arrivals.push([lane, n, headers["webhook-id"]]);
  if (!plan || n < plan.first) return response.writeHead(204).end();
  const { stage, acknowledged } = plan;
  await acknowledged;
  // Others that are under way at that moment get no answer either.
  if (!plan) return;
  plan.after -= 1;
  if (plan.after > 0) return response.writeHead(204).end();
  plan = undefined;
  if (stage === "answered") {
    // It cannot read while it stands still: the answer waits in its socket when it dies.
    server.process.kill("SIGSTOP");
    while (!(await standsStill(server.process.pid))) await sleep(1);
    await new Promise((flushed) => response.writeHead(204).end(flushed));
    await sleep(1);
  }
  server.process.kill("SIGKILL");
}

/** Whether every thread of a process is stopped. */
async function standsStill(pid) {
  const threads = await readdir(`/proc/${pid}/task`);
  const states = await Promise.all(threads.map((id) => readFile(`/proc/${pid}/task/${id}/stat`, "utf8")));
  return states.every((text) => text.slice(text.lastIndexOf(")") + 2).startsWith("T"));
}

/** With a receiver that never answers the greeting of TLS, no byte of a message leaves. */
async function start(data, stage) {
  const base =
    stage === "claimed"
      ? `https://127.0.0.1:${silent.address().port}/`
      : `http://127.0.0.1:${receiver.address().port}/`;
  greeted = Promise.withResolvers();
  server = await Server.start({
    project,
    data,
    env: { TAKT_CONNECTION_SINK_BASE: base, TAKT_SECRET_SINK: secret, TAKT_LIMITS_VISITOR_CALLS: "0" },
  });
}

describe(`kill -9 at each stage of an attempt, ${kills} times`, () => {
  it("loses none, overtakes none, and repeats carry the same id", { timeout: 180_000 + kills * 5_000 }, async () => {
    const messages = kills * perKill;
    const died = Object.fromEntries(stages.map((stage) => [stage, 0]));
    let data;
    for (let kill = 0; kill < kills; kill++) {
      const stage = stages[kill % stages.length];
      await start(data, stage);
      data = server.data;
      const first = (kill * perKill) / lanes;
      const before = arrivals.length;
      const emitted = Promise.withResolvers();
      if (stage !== "claimed") {
        plan = { stage, first, after: 1 + Math.floor(Math.random() * (perKill - lanes)), acknowledged: emitted.promise };
      }
      const answer = await server.request("POST", "/rest/v1/rpc/notes", { body: { lanes, first, count: perKill } });
      assert.equal(answer.status, 200, answer.text);
      emitted.resolve();
      if (stage === "claimed") {
        await greeted.promise;
        server.process.kill("SIGKILL");
      }
      assert.equal((await server.exited).signal, "SIGKILL");
      if (stage === "claimed") assert.equal(arrivals.length, before, "a message left");
      died[stage] += 1;
    }
    await start(data);

    const firsts = () => new Map(arrivals.map(([lane, n, id]) => [`${lane}/${n}`, id]));
    const end = Date.now() + 120_000;
    while (firsts().size < messages && Date.now() < end) await sleep(100);
    assert.equal(firsts().size, messages, "lost");
    // A repeat never comes behind a later message, so the whole sequence of a lane never goes back.
    for (let lane = 0; lane < lanes; lane++) {
      const order = arrivals.filter(([l]) => l === lane).map(([, n]) => n);
      assert.deepEqual(order, order.toSorted((a, b) => a - b), `lane ${lane}`);
    }
    const ids = firsts();
    assert.deepEqual(arrivals.filter(([lane, n, id]) => ids.get(`${lane}/${n}`) !== id), [], "a repeat with another id");
    assert.equal(new Set(ids.values()).size, messages);
    assert.deepEqual(unsigned, []);
    const repeats = arrivals.length - messages;
    assert.ok(repeats >= died.sent + died.answered && repeats <= kills * lanes, `${repeats} repeats`);

    // Each interrupted attempt stays told as what it is.
    await sleep(300);
    const repeated = arrivals.find(([lane, n], at) => arrivals.findIndex(([l, m]) => l === lane && m === n) !== at);
    const { tries } = JSON.parse(await server.command("deliveries", "show", repeated[2], "--json")).delivery;
    assert.deepEqual([tries[0].outcome, tries[0].took], ["unknown", null]);
    assert.equal(tries.at(-1).outcome, "ok");
    const told = stages.map((stage) => `${died[stage]} ${stage}`).join(", ");
    console.log(
      `${kills} kills (${told}), ${messages} messages, 0 lost, 0 out of order, ${repeats} repeats with the same id`,
    );
  });
});
