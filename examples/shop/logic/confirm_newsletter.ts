// The link in the newsletter's first mail, and the button behind it. Only who reads the mailbox has the token, so the
// button proves that the wish is theirs; the link alone proves nothing, because programs open links too. The words agreed to, when they were agreed to and when they were confirmed stay together
// as proof of the consent.

export const label = { en: "Confirm the newsletter", de: "Newsletter bestätigen" };
export const about = {
  en: "Notes that the newsletter was confirmed on the page behind the link in its first mail.",
  de: "Vermerkt, dass der Newsletter auf der Seite hinter dem Link der ersten Mail bestätigt wurde.",
};
export const access = ["anon", "authenticated"];
export const runs_as = "service"; // the list itself is open to nobody but staff
export const input = { token: "uuid" };

export default async function ({ db, step, emit, reject, now }: Takt.Context, { token }) {
  return await step({ en: "Consent confirmed", de: "Einwilligung bestätigt" }, async () => {
    const [known] = await db.newsletter_contacts.find({ where: { token }, limit: 1 });
    // Whoever has left since agrees anew, to the words of today.
    if (!known || known.left_at) {
      reject(404, {
        en: "We do not know this link. Please enter your address for the newsletter once more.",
        de: "Diesen Link kennen wir nicht. Bitte tragen Sie sich noch einmal für den Newsletter ein.",
      });
    }
    if (known.confirmed_at) return { confirmed: true, before: true };
    const [contact] = await db.newsletter_contacts.update({ id: known.id }, { confirmed_at: now });
    const { id, email, language, consent_text, consent_at, confirmed_at, source } = contact;
    emit("newsletter.confirmed", {
      key: id,
      contact: { id, email, language, consent_text, consent_at, confirmed_at, source },
    });
    return { confirmed: true, before: false };
  });
}
