// What we sign is good for the reference library of Standard Webhooks, and what it signs is what we sign.
// The file is written by `UPDATE_EXPECT=1 cargo test -p takt-interfaces`, whose tests hold it to our code.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { it } from "node:test";

import { Webhook } from "standardwebhooks";

const cases = JSON.parse(await readFile(resolve(import.meta.dirname, "signatures.golden.json"), "utf8"));

for (const { what, secrets, time, headers, body } of cases) {
  it(`the reference library accepts our signature: ${what}`, (t) => {
    // The library looks at the clock, and the file does not grow younger.
    t.mock.timers.enable({ apis: ["Date"], now: time * 1000 });
    for (const secret of secrets) {
      const library = new Webhook(secret);
      assert.deepEqual(library.verify(body, headers), JSON.parse(body));
      assert.throws(() => library.verify(`${body} `, headers));
      assert.throws(() => library.verify(body, { ...headers, "webhook-id": "msg_other" }));
    }
    const theirs = secrets.map((secret) => new Webhook(secret).sign(headers["webhook-id"], new Date(time * 1000), body));
    assert.equal(headers["webhook-signature"], theirs.join(" "));
    const stranger = new Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert.throws(() => stranger.verify(body, headers));
  });
}
