// The link at the end of the newsletter's first mail, and the button behind it: whoever has the token leaves the list.
// The words that were agreed to, and when, stay as proof that mails until then were wanted; `left_at` ends them.

export const label = { en: "Leave the newsletter", de: "Newsletter abbestellen" };
export const about = {
  en: "Notes that somebody wants no newsletter any more; the proof of the consent stays.",
  de: "Vermerkt, dass jemand keinen Newsletter mehr möchte; der Nachweis der Einwilligung bleibt.",
};
export const access = ["anon", "authenticated"];
export const runs_as = "service"; // the list itself is open to nobody but staff
export const input = { token: "uuid" };

export default async function ({ db, step, emit, reject, now }: Takt.Context, { token }) {
  return await step({ en: "Newsletter left", de: "Newsletter abbestellt" }, async () => {
    const [known] = await db.newsletter_contacts.find({ where: { token }, limit: 1 });
    if (!known) {
      reject(404, {
        en: "We do not know this link. If mails still come, please write to us.",
        de: "Diesen Link kennen wir nicht. Kommt noch Post, schreiben Sie uns bitte.",
      });
    }
    if (known.left_at) return { left: true, before: true };
    const [contact] = await db.newsletter_contacts.update({ id: known.id }, { left_at: now });
    const { id, email, language, left_at } = contact;
    emit("newsletter.left", { key: id, contact: { id, email, language, left_at } });
    return { left: true, before: false };
  });
}
