// Projects that tests write, and the connection to a receiver that several of them share.
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Writes `files`, by path, into a new folder and gives its name; four spaces in front of a line are those of the test. */
export async function writeProject(prefix, files) {
  const project = await mkdtemp(join(tmpdir(), prefix));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(project, name)), { recursive: true });
    await writeFile(join(project, name), text.replace(/^ {4}/gm, ""));
  }
  return project;
}

/** What signs the messages to `sink`. */
export const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

/** `interfaces/sink.toml`: `note.made` as a signed webhook, in order within `lane`, tried again soon. */
export const sink = `
    purpose = { en = "Proves that nothing is lost." }
    partner = { name = "A receiver" }
    owner = "Nobody"
    outage = { en = "Notes wait." }
    data = []
    guard = { concurrency = 8 }
    [connect]
    protocol = "webhook-out"
    base = "https://sink.invalid/"
    auth = { kind = "standard-webhooks", secrets = ["sink"] }
    [[op]]
    name = "note"
    kind = "deliver"
    on = "note.made"
    lane = "lane"
    retry = { schedule = ["100ms", "1s"] }
`;
