// A real SMTP server that keeps what it is handed. It can go away and come back at the same address.
// Lives here: receiving and reading mails. Not here: what must stand in them (mail.test.mjs).
import { once } from "node:events";

import PostalMime from "postal-mime";
import { SMTPServer } from "smtp-server";

export class Mailbox {
  /** All mails in the order of their arrival: `recipients` of the envelope and what the reader of the mail sees. */
  mails = [];

  static async start() {
    const box = new Mailbox();
    await box.open(0);
    return box;
  }

  /** Listens again where it listened before. */
  async open(port = this.port) {
    this.server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["AUTH", "STARTTLS"],
      logger: false,
      onData: (stream, session, done) => this.#keep(stream, session).then(() => done(), done),
    });
    this.server.listen(port, "127.0.0.1");
    await once(this.server.server, "listening");
    this.port = this.server.server.address().port;
  }

  /** Nobody listens any more. */
  close() {
    return new Promise((closed) => this.server.close(closed));
  }

  async #keep(stream, session) {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const read = await PostalMime.parse(Buffer.concat(chunks));
    const { mailFrom, rcptTo } = session.envelope;
    this.mails.push({ ...read, sender: mailFrom.address, recipients: rcptTo.map((to) => to.address) });
  }

  to(address) {
    return this.mails.filter((mail) => mail.recipients.includes(address));
  }

  /** The mails to `address`, as soon as there are `count`. */
  async waitFor(address, count = 1) {
    for (let tries = 0; tries < 150; tries++) {
      const mails = this.to(address);
      if (mails.length >= count) return mails;
      await new Promise((wait) => setTimeout(wait, 100));
    }
    throw new Error(`${this.to(address).length} of ${count} mails to ${address} arrived`);
  }
}
