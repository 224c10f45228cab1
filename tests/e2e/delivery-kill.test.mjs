// kill -9 while deliveries are under way: what was acknowledged arrives, in order within its lane, and repeats carry
// the id of the first attempt.
// TAKT_DELIVERY_KILLS: how often (nightly: 200).
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";

import { Webhook } from "standardwebhooks";

import { secret, sink, writeProject } from "./lib/projects.mjs";
import { Server } from "./lib/server.mjs";

const kills = Number(process.env.TAKT_DELIVERY_KILLS ?? 4);
const lanes = 5;

const files = {
  "takt.toml": 'name = "Kill"\nlanguages = ["en"]\n',
  "logic/note.ts": `
    export const label = { en: "Note" };
    export const access = ["anon"];
    export const runs_as = "service";
    export const input = { lane: "integer", n: "integer" };
    export default async function ({ emit }, { lane, n }) {
      emit("note.made", { key: String(lane), lane, n });
      return { lane, n };
    }
  `,
  "interfaces/sink.toml": sink,
};

let project, receiver, server, env;
/** Every message in the order of its first arrival, and how often each came. */
const arrived = [];
const ids = new Map();
const unsigned = [];

before(async () => {
  project = await writeProject("takt-kill-", files);
  receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      const id = request.headers["webhook-id"];
      try {
        new Webhook(secret).verify(body, request.headers);
      } catch (error) {
        unsigned.push(String(error));
      }
      const { lane, n } = JSON.parse(body).data;
      if (!ids.has(`${lane}/${n}`)) {
        ids.set(`${lane}/${n}`, new Set());
        arrived.push([lane, n]);
      }
      ids.get(`${lane}/${n}`).add(id);
      setTimeout(() => response.writeHead(204).end(), Math.random() * 5);
    });
  });
  await new Promise((ready) => receiver.listen(0, "127.0.0.1", ready));
  env = {
    TAKT_CONNECTION_SINK_BASE: `http://127.0.0.1:${receiver.address().port}/`,
    TAKT_SECRET_SINK: secret,
    TAKT_LIMITS_VISITOR_CALLS: "0",
  };
  server = await Server.start({ project, env });
});
after(async () => {
  await server?.stop();
  receiver?.close();
  await rm(project, { recursive: true, force: true });
});

describe(`kill -9 while deliveries are under way, ${kills} times`, () => {
  it("loses none, overtakes none, and repeats carry the same id", async () => {
    const next = Array(lanes).fill(0);
    const acknowledged = new Set();
    // One caller for each lane: its next note begins after the one before was acknowledged.
    const write = async (lane) => {
      for (;;) {
        const n = next[lane]++;
        try {
          const answer = await server.request("POST", "/rest/v1/rpc/note", { body: { lane, n } });
          assert.equal(answer.status, 200, answer.text);
          acknowledged.add(`${lane}/${n}`);
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          return;
        }
      }
    };
    for (let kill = 0; kill < kills; kill++) {
      const writers = next.map((_, lane) => write(lane));
      await new Promise((wait) => setTimeout(wait, 100 + Math.random() * 400));
      await server.kill();
      await Promise.all(writers);
      server = await Server.start({ project, data: server.data, env });
    }
    const end = Date.now() + 60_000;
    const lost = () => [...acknowledged].filter((note) => !ids.has(note));
    while (lost().length > 0 && Date.now() < end) await new Promise((wait) => setTimeout(wait, 100));
    assert.deepEqual(lost(), []);
    for (let lane = 0; lane < lanes; lane++) {
      const order = arrived.filter(([l]) => l === lane).map(([, n]) => n);
      assert.deepEqual(order, order.toSorted((a, b) => a - b), `lane ${lane}`);
    }
    assert.deepEqual([...ids.values()].filter((seen) => seen.size !== 1), [], "a repeat with another id");
    assert.deepEqual(unsigned, []);
    console.log(`${kills} kills, ${acknowledged.size} acknowledged, ${ids.size} arrived, 0 lost, 0 out of order`);
  });
});
