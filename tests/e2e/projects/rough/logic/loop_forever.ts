// Never ends.
export const label = { en: "loop_forever", de: "loop_forever" };
export const access = ["anon"];
export const runs_as = "service";
export const input = { text: "text" };

export default async function ({ db }, { text }) {
  await db.notes.insert({ text: "before " + text });
  for (;;) {}
}
