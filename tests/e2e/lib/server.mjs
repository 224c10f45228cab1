// Starts the real `takt` on a fresh data folder and stops it again.
// Lives here: the process. Not here: what is asked of it (the *.test.mjs files).
import { spawn, execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../../..");
export const takt = process.env.TAKT ?? join(root, "target/debug/takt");
export const shop = join(root, "examples/shop");

/** A running server: `url`, `publishableKey`, `secretKey`, and ways to end it. */
export class Server {
  /** Starts the project in `project` (the example shop) on `data` (a new folder). */
  static async start({ project = shop, data, flags = [], listen = "127.0.0.1:0", env = {} } = {}) {
    const server = new Server();
    server.project = project;
    server.data = data ?? (await mkdtemp(join(tmpdir(), "takt-e2e-")));
    server.begun = performance.now();
    server.process = spawn(
      takt,
      ["serve", project, "--listen", listen, "--data-dir", server.data, ...flags],
      { stdio: ["ignore", "pipe", "pipe"], env: { TAKT_BACKUP_SCHEDULE: "", ...process.env, ...env } },
    );
    server.output = "";
    server.exited = new Promise((done) => server.process.on("exit", (code, signal) => done({ code, signal })));
    await server.#address();
    const keys = await server.command("keys", "--json");
    const { url, publishable_key, secret_key } = JSON.parse(keys);
    Object.assign(server, { url: server.url ?? url, publishableKey: publishable_key, secretKey: secret_key });
    return server;
  }

  #address() {
    return new Promise((found, failed) => {
      const listen = (chunk) => {
        this.output += chunk;
        const url = this.output.match(/http:\/\/127\.0\.0\.1:(\d+)/);
        if (url && !this.url) {
          this.url = url[0];
          this.readyAfter = performance.now() - this.begun;
          found();
        }
      };
      this.process.stdout.on("data", listen);
      this.process.stderr.on("data", listen);
      this.exited.then(({ code }) => failed(new Error(`takt ended with ${code}:\n${this.output}`)));
    });
  }

  /** Runs `takt COMMAND` for this project and data folder; gives its output. */
  async command(...words) {
    const { stdout } = await run(takt, [...words, "--project", this.project, "--data-dir", this.data]);
    return stdout;
  }

  /** SIGTERM, and the exit code. */
  async stop({ keep = false } = {}) {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill("SIGTERM");
    const end = await this.exited;
    if (!keep) await rm(this.data, { recursive: true, force: true });
    return end;
  }

  /** SIGKILL: no goodbye. */
  async kill() {
    this.process.kill("SIGKILL");
    return this.exited;
  }

  /** A plain request; `key` or `token` as bearer. */
  async request(method, path, { body, token, headers = {}, key = this.publishableKey } = {}) {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        apikey: key,
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    let json;
    try {
      json = text === "" ? null : JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.status, headers: response.headers, text, json };
  }

  /** Signs a new customer up and gives `{ id, email, token, addressId }` with one address. */
  async customer(name) {
    const email = `${name}-${crypto.randomUUID().slice(0, 8)}@example.com`;
    const password = `pass-${crypto.randomUUID()}`;
    const session = await this.request("POST", "/auth/v1/signup", { body: { email, password } });
    if (session.status !== 200) throw new Error(`sign-up: ${session.status} ${session.text}`);
    const token = session.json.access_token;
    const id = session.json.user.id;
    const address = await this.request("POST", "/rest/v1/addresses", {
      token,
      headers: { prefer: "return=representation" },
      body: { customer_id: id, name: "Test", street: "Weg 1", postal_code: "12345", city: "Ort", country: "DE" },
    });
    if (address.status !== 201) throw new Error(`address: ${address.status} ${address.text}`);
    return { id, email, password, token, addressId: address.json[0].id };
  }

  /** With the secret key. */
  service(method, path, options = {}) {
    return this.request(method, path, { key: this.secretKey, token: this.secretKey, ...options });
  }
}
