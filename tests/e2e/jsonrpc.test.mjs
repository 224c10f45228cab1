// A warehouse that speaks JSON-RPC 2.0, as a small server of its own: sales go there by a mapping, stock is asked for by
// a function, its error objects are refusals or failures, and what was not answered is looked up before it is sent again.
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { writeProject } from "./lib/projects.mjs";
import { Server } from "./lib/server.mjs";

const files = {
  "takt.toml": 'name = "Warehouse"\nlanguages = ["en", "de"]\n',
  "schema/stock.toml": `
    label = { en = "Stock", de = "Bestand" }
    [fields]
    article = { type = "text", primary_key = true, label = { en = "Article", de = "Artikel" } }
    pieces = { type = "integer", required = true, label = { en = "Pieces", de = "Stück" } }
  `,
  "logic/sell.ts": `
    export const label = { en: "Sell", de: "Verkaufen" };
    export const access = ["anon"];
    export const runs_as = "service";
    export const input = { number: "text", article: "text" };
    export default async function ({ emit }, sale) {
      emit("sale.made", { key: sale.number, sale });
      return sale.number;
    }
  `,
  "logic/warehouse.ts": `
    export const kind = "mapping";
    export const toSale = ({ payload: { sale } }) => ({ reference: sale.number, article: sale.article });
    export const isThere = ({ payload: { sale } }, { call }) => call("sale.find", [sale.number]) !== null;
    export function stock(event, { call, CallError }) {
      try {
        call("stock.secret");
        throw new Error("there is such a method");
      } catch (error) {
        if (!(error instanceof CallError) || error.name !== "CallError") throw error;
      }
      return call("stock.list", { place: 5 });
    }
  `,
  "logic/stock_came.ts": `
    export const kind = "consumer";
    export const label = { en: "Stock taken over", de: "Bestand übernommen" };
    export const on = "warehouse.stock";
    export default async function ({ db }, { payload }) {
      await db.stock.upsert(Object.entries(payload).map(([article, pieces]) => ({ article, pieces })));
    }
  `,
  "interfaces/warehouse.toml": `
    purpose = { en = "Sales go to the warehouse, stock comes back.", de = "Verkäufe gehen ans Lager, Bestände kommen zurück." }
    partner = { name = { en = "Warehouse", de = "Lager" } }
    owner = "Sales"
    outage = { en = "Sales wait.", de = "Verkäufe warten." }
    data = []
    guard = { concurrency = 1 }
    [connect]
    protocol = "jsonrpc"
    base = "https://warehouse.invalid/rpc"
    [[op]]
    name = "sale.create"
    kind = "deliver"
    on = "sale.made"
    map = "logic/warehouse.ts#toSale"
    on_unknown = "lookup"
    lookup = "logic/warehouse.ts#isThere"
    retry = { schedule = ["200ms"] }
    [[op]]
    name = "stock"
    kind = "poll"
    every = "1s"
    run = "logic/warehouse.ts#stock"
  `,
};

/** The warehouse: what it knows, and every call it was asked. */
const sales = [];
const calls = [];
/** What `sale.create` does instead of answering, once. */
let instead;
class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}
const methods = {
  "sale.create": ({ reference, article }) => {
    if (article === "unknown") throw new Refused(-32602, "no such article");
    if (article === "busy") throw new Refused(-32000, "counting");
    sales.push(reference);
    return sales.length;
  },
  "sale.find": ([reference]) => (sales.includes(reference) ? { reference } : null),
  "stock.list": ({ place }) => ({ tea: place, cup: 7 }),
};

let project, warehouse, server;

before(async () => {
  project = await writeProject("takt-jsonrpc-", files);
  warehouse = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const call = JSON.parse(body);
    assert.deepEqual([request.method, request.url, call.jsonrpc], ["POST", "/rpc", "2.0"]);
    calls.push([call.method, call.id]);
    const answer = { jsonrpc: "2.0", id: call.id };
    try {
      if (!methods[call.method]) throw new Refused(-32601, "no such method");
      answer.result = methods[call.method](call.params);
    } catch ({ code, message }) {
      answer.error = { code, message };
    }
    if (call.method === "sale.create" && instead) {
      const act = instead;
      instead = undefined;
      if (act(call) === "no answer") return;
    }
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
  await new Promise((ready) => warehouse.listen(0, "127.0.0.1", ready));
  await start();
});
after(async () => {
  await server?.stop();
  warehouse?.closeAllConnections();
  warehouse?.close();
  await rm(project, { recursive: true, force: true });
});

async function start(data) {
  const env = { TAKT_CONNECTION_WAREHOUSE_BASE: `http://127.0.0.1:${warehouse.address().port}/rpc` };
  server = await Server.start({ project, data, env });
}

async function sell(number, article = "tea") {
  const answer = await server.request("POST", "/rest/v1/rpc/sell", { body: { number, article } });
  assert.equal(answer.status, 200, answer.text);
  return answer.headers.get("takt-story");
}

async function until(what, done) {
  const end = Date.now() + 30_000;
  for (;;) {
    const found = await done();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within 30 s\n${server.output}`);
    await sleep(100);
  }
}

const deliveryOf = async (story) =>
  JSON.parse(await server.command("deliveries", "list", "--story", story, "--json")).deliveries[0];
const ended = (story, state) => until(state, async () => ((await deliveryOf(story))?.state === state ? deliveryOf(story) : null));

describe("a system that speaks JSON-RPC", () => {
  it("is accepted by the check without a request", async () => {
    assert.doesNotMatch(await server.command("check"), /error/i);
  });

  it("gets the operation's name as the method and what the map made as parameters", async () => {
    const delivery = await ended(await sell("S-1"), "delivered");
    assert.deepEqual(sales, ["S-1"]);
    assert.deepEqual(calls.find(([method]) => method === "sale.create"), ["sale.create", delivery.id]);
  });

  it("answers a function with results, and its error objects can be caught", async () => {
    const row = await until("stock", async () =>
      (await server.service("GET", "/rest/v1/stock?select=article,pieces&order=article")).json?.at(1));
    assert.deepEqual(row, { article: "tea", pieces: 5 });
    assert.ok(calls.some(([method]) => method === "stock.secret"));
  });

  it("refuses for good, or for now", async () => {
    const refused = await ended(await sell("S-2", "unknown"), "dead");
    assert.deepEqual([refused.outcome, refused.attempts, refused.error], ["refused", 1, "error -32602: no such article"]);
    const story = await sell("S-3", "busy");
    const busy = await until("a second try", async () => {
      const delivery = await deliveryOf(story);
      return delivery?.attempts > 1 ? delivery : null;
    });
    assert.deepEqual([busy.state, busy.error], ["waiting", "error -32000: counting"]);
    await server.command("deliveries", "cancel", busy.id).catch(() => server.command("deliveries", "cancel", busy.id));
  });

  it("is asked first whether it has what was sent when the server died before the answer", async () => {
    instead = () => {
      server.process.kill("SIGKILL");
      return "no answer";
    };
    const story = await sell("S-4").catch(() => null);
    await server.exited;
    const { data } = server;
    assert.equal(sales.filter((s) => s === "S-4").length, 1);
    calls.length = 0;
    await start(data);
    await until("the look", async () => calls.some(([method]) => method === "sale.find"));
    await sleep(500);
    assert.ok(!calls.some(([method]) => method === "sale.create"), "it was sent again");
    assert.equal(sales.filter((s) => s === "S-4").length, 1);
    if (story) assert.equal((await deliveryOf(story)).state, "delivered");
  });

  it("gets what is not there, after the look", async () => {
    instead = () => {
      sales.pop();
      server.process.kill("SIGKILL");
      return "no answer";
    };
    await sell("S-5").catch(() => null);
    await server.exited;
    calls.length = 0;
    await start(server.data);
    await until("the sale", async () => sales.includes("S-5"));
    const order = calls.map(([method]) => method).filter((method) => method.startsWith("sale."));
    assert.deepEqual(order, ["sale.find", "sale.create"]);
  });

  it("that is away is named in the sentence at the top of the story, in the reader's language", async () => {
    const { port } = warehouse.address();
    warehouse.closeAllConnections();
    await new Promise((closed) => warehouse.close(closed));
    const story = await sell("S-6");
    await until("a try", async () => (await deliveryOf(story))?.attempts > 0);
    const german = await server.command("story", story, "--lang", "de", "--depth", "0");
    assert.match(german, /Die Übergabe an „Lager“ steht noch aus, denn dort nimmt niemand ab: .*; es geht nichts verloren\./);
    const english = await server.command("story", story, "--lang", "en", "--depth", "1");
    assert.match(english, /The delivery to "Warehouse" has not arrived yet, because nobody takes calls there: .*; nothing is lost\./);
    assert.doesNotMatch(german + english, /os error|Error:/);
    await sell("S-7");
    await new Promise((ready) => warehouse.listen(port, "127.0.0.1", ready));
    await until("both", async () => sales.includes("S-7"));
    assert.deepEqual(sales.slice(-2), ["S-6", "S-7"]);
  });
});
