// Functions that loop for ever, allocate, recurse, throw, violate or fill the disk quota: stopped or reported,
// nothing of theirs written, everybody else unharmed.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { Server } from "./lib/server.mjs";

let server;
before(async () => {
  server = await Server.start({ project: join(import.meta.dirname, "projects/rough") });
});
after(() => server.stop());

const call = (fn, text) => server.request("POST", `/rest/v1/rpc/${fn}`, { body: { text } });
const written = async (text) =>
  (await server.request("GET", `/rest/v1/notes?select=text&text=eq.${encodeURIComponent(`before ${text}`)}`)).json.length;

describe("a function that misbehaves", () => {
  for (const fn of ["loop_forever", "never_settles", "allocate", "recurse", "throws", "constraint"]) {
    it(`${fn}: fails alone`, async () => {
      const answers = await Promise.all(
        Array.from({ length: 21 }, (_, n) => call(n === 10 ? fn : "fine", `${fn} ${n}`)),
      );
      for (const [n, answer] of answers.entries()) {
        if (n === 10) {
          assert.ok(answer.status >= 400, `${fn}: ${answer.status}`);
          assert.equal(typeof answer.json.code, "string");
          assert.equal(await written(`${fn} ${n}`), 0);
        } else {
          assert.equal(answer.status, 200, `${n}: ${answer.text}`);
          assert.equal(await written(`${fn} ${n}`), 1);
        }
      }
    });
  }

  it("tells the caller nothing of its inside, and the developer where it failed", async () => {
    const { text } = await call("throws", "inside");
    assert.ok(!text.includes("thrown on purpose") && !text.includes("logic/"), text);
    const story = await server.command("story", "--last", "--lang", "en");
    assert.match(story, /logic\/throws\.ts:\d+/);
  });

  it("that fills the quota: 507, the others go on reading, and what was acknowledged is there", async () => {
    let full, kept = [];
    for (let n = 0; n < 40 && !full; n++) {
      const answer = await call("fill", `fill ${n}`);
      if (answer.status === 200 || answer.status === 204) kept.push(n);
      else full = answer;
    }
    assert.equal(full?.status, 507, full?.text);
    assert.equal((await server.request("GET", "/rest/v1/notes?select=id&limit=1")).status, 200);
    for (const n of kept) assert.equal(await written(`fill ${n}`), 1);
  });
});
