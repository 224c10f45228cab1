// The reference libraries of Standard Webhooks, of npm and of PyPI: whether they accept a message.
// The Python one lives in a venv of its own under target/, made from requirements.txt at first use.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { Webhook } from "standardwebhooks";

const run = promisify(execFile);
const here = import.meta.dirname;
const venv = resolve(here, "../../../target/python-reference");
const python = join(venv, "bin/python");
const requirements = resolve(here, "../requirements.txt");

/** Installs the Python library, unless it is there. */
export async function prepare() {
  const wanted = createHash("sha256").update(await readFile(requirements)).digest("hex");
  const stamp = join(venv, "stamp");
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return;
  await rm(venv, { recursive: true, force: true });
  await mkdir(resolve(venv, ".."), { recursive: true });
  await run("python3", ["-m", "venv", venv]);
  await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]);
  await writeFile(stamp, wanted);
}

/** What both libraries say about each `{ secret, headers, body }`: `{ npm, pypi }`. */
export async function judge(messages) {
  const npm = messages.map(({ secret, headers, body }) => {
    try {
      new Webhook(secret).verify(body, headers);
      return true;
    } catch {
      return false;
    }
  });
  const child = run(python, [join(here, "verify.py")]);
  child.child.stdin.end(JSON.stringify(messages));
  return { npm, pypi: JSON.parse((await child).stdout) };
}
