// Takes all memory it can.
export const label = { en: "allocate", de: "allocate" };
export const access = ["anon"];
export const runs_as = "service";
export const input = { text: "text" };

export default async function ({ db }, { text }) {
  await db.notes.insert({ text: "before " + text });
  const all: string[] = [];
  for (;;) all.push("x".repeat(1_000_000) + all.length);
}
