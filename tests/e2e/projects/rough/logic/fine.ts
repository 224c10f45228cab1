// Writes one note.
export const label = { en: "fine", de: "fine" };
export const access = ["anon"];
export const runs_as = "service";
export const input = { text: "text" };

export default async function ({ db }, { text }) {
  await db.notes.insert({ text: "before " + text });
  return { ok: true };
}
