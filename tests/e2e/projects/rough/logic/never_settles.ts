// Waits for what never comes.
export const label = { en: "never_settles", de: "never_settles" };
export const access = ["anon"];
export const runs_as = "service";
export const input = { text: "text" };

export default async function ({ db }, { text }) {
  await db.notes.insert({ text: "before " + text });
  await new Promise(() => {});
}
