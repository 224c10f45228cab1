// Calls itself for ever.
export const label = { en: "recurse", de: "recurse" };
export const access = ["anon"];
export const runs_as = "service";
export const input = { text: "text" };

export default async function ({ db }, { text }) {
  await db.notes.insert({ text: "before " + text });
  const deeper = (n: number): number => 1 + deeper(n + 1);
  return deeper(0);
}
