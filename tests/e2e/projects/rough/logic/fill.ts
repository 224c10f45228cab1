// Writes a large row.
export const label = { en: "fill", de: "fill" };
export const access = ["anon"];
export const runs_as = "service";
export const input = { text: "text" };

export default async function ({ db }, { text }) {
  await db.notes.insert({ text: "before " + text });
  await db.notes.insert({ text: text + "y".repeat(300_000) });
}
