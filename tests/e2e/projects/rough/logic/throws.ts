// Fails.
export const label = { en: "throws", de: "throws" };
export const access = ["anon"];
export const runs_as = "service";
export const input = { text: "text" };

export default async function ({ db }, { text }) {
  await db.notes.insert({ text: "before " + text });
  throw new Error("thrown on purpose");
}
