// A STAND-IN for a payment service, in the shape of Stripe's interface: no real one can be called from a test, and no
// money moves. It keeps payments, lists them page by page, signs its messages as Stripe does, and can be told to fail:
// lose messages, answer nothing and have captured all the same, or be down.
// Lives here: what such a service does as seen from outside. Not here: what the shop makes of it (the *.test.mjs files).
import { createHmac, randomUUID } from "node:crypto";
import { createServer } from "node:http";

export class PaymentStandIn {
  payments = [];
  /** What was asked: `{ line, key }`, the key being the one by which a repeat is told. */
  asked = [];
  /** Faults, to be switched by a test. */
  faults = { down: false, silent: 0, hold: null };
  #answers = new Map();

  static async start({ key = "sk_stand_in", signing = "whsec_stand_in" } = {}) {
    const service = new PaymentStandIn();
    Object.assign(service, { key, signing });
    service.server = createServer((request, response) => service.#answer(request, response));
    await new Promise((ready) => service.server.listen(0, "127.0.0.1", ready));
    service.url = `http://127.0.0.1:${service.server.address().port}`;
    return service;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  /** Somebody pays the order `number`; `age` seconds ago. Says nothing to anybody. */
  pay(number, cents, { age = 0, currency = "eur", status = "succeeded" } = {}) {
    const payment = {
      id: `pi_${randomUUID().replaceAll("-", "")}`,
      object: "payment_intent",
      amount: cents,
      amount_received: status === "succeeded" ? cents : 0,
      currency,
      status,
      created: Math.floor(Date.now() / 1000) - age,
      metadata: number ? { order: number } : {},
    };
    this.payments.unshift(payment);
    return payment;
  }

  /** Tells the shop of a payment, signed; gives status and body of the answer. */
  async tell(payment, hook, { event = `evt_${randomUUID().replaceAll("-", "")}` } = {}) {
    const body = JSON.stringify({ id: event, type: "payment_intent.succeeded", data: { object: payment } });
    const time = Math.floor(Date.now() / 1000);
    const signature = createHmac("sha256", this.signing).update(`${time}.${body}`).digest("hex");
    const headers = { "content-type": "application/json", "stripe-signature": `t=${time},v1=${signature}` };
    const response = await fetch(hook, { method: "POST", headers, body });
    return { status: response.status, json: await response.json() };
  }

  async #answer(request, response) {
    const url = new URL(request.url, this.url);
    let body = "";
    for await (const chunk of request) body += chunk;
    const key = request.headers["idempotency-key"];
    this.asked.push({ line: `${request.method} ${url.pathname}`, key });
    const send = (status, json) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(json));
    };
    // Until it is let go: a promise.
    await this.faults.hold;
    if (this.faults.down) return send(503, { error: { message: "the stand-in is switched off" } });
    if (request.headers.authorization !== `Bearer ${this.key}`) return send(401, { error: { message: "no such key" } });
    if (request.method === "GET" && url.pathname === "/v1/payment_intents") return send(200, this.#list(url.searchParams));
    const capture = url.pathname.match(/^\/v1\/payment_intents\/([\w-]+)\/capture$/);
    if (request.method === "POST" && capture) {
      const answer = this.#once(key, () => this.#capture(capture[1]));
      // It is done, and nobody hears of it.
      if (this.faults.silent > 0) {
        this.faults.silent -= 1;
        return request.socket.destroy();
      }
      return send(...answer);
    }
    send(404, { error: { message: "the stand-in does not know this" } });
  }

  /** Newest first, as the real one does. */
  #list(query) {
    const limit = Math.min(Number(query.get("limit") ?? 10), 100);
    const [from, to] = [Number(query.get("created[gte]") ?? 0), Number(query.get("created[lte]") ?? Infinity)];
    const fitting = this.payments.filter((p) => p.created >= from && p.created <= to);
    fitting.sort((a, b) => b.created - a.created);
    const after = query.get("starting_after");
    const begin = after ? fitting.findIndex((p) => p.id === after) + 1 : 0;
    return { object: "list", data: fitting.slice(begin, begin + limit), has_more: begin + limit < fitting.length };
  }

  /** The same key gets the same answer, and nothing is done twice. */
  #once(key, work) {
    if (key && this.#answers.has(key)) return this.#answers.get(key);
    const answer = work();
    if (key) this.#answers.set(key, answer);
    return answer;
  }

  /** By the payment's id, or by the order's number: the test knows no other. */
  #capture(id) {
    const payment = this.payments.find((p) => p.id === id || p.metadata.order === id);
    if (!payment) return [404, { error: { message: "no such payment" } }];
    payment.captures = (payment.captures ?? 0) + 1;
    payment.status = "succeeded";
    payment.amount_received += payment.amount;
    return [200, payment];
  }
}
