// Violates a check after a good write.
export const label = { en: "constraint", de: "constraint" };
export const access = ["anon"];
export const runs_as = "service";
export const input = { text: "text" };

export default async function ({ db }, { text }) {
  await db.notes.insert({ text: "before " + text });
  await db.notes.insert({ text: "" });
}
