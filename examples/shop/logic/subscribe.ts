// The newsletter form. Anyone may ask, twice too, and the answer is always the same:
// whoever types in an address never learns whether it was already on the list.

export const label = { en: "Subscribe to the newsletter", de: "Newsletter bestellen" };
export const about = {
  en: "Notes the wish for the newsletter together with the words agreed to.",
  de: "Vermerkt den Wunsch nach dem Newsletter mit dem Wortlaut der Einwilligung.",
};
export const access = ["anon", "authenticated"];
export const runs_as = "service"; // the list itself is open to nobody but staff
export const input = {
  email: { type: "text", max: 320 },
  language: { type: "text", check: "language in ('de', 'en')" },
};

// Shown beside the form in the same words; kept with each contact as proof of what was agreed to.
const CONSENT = {
  de: "Ja, ich möchte etwa einmal im Monat Neues aus dem Teehaus per E-Mail lesen. Abbestellen geht jederzeit.",
  en: "Yes, I would like to read news from the tea house by email about once a month. I can unsubscribe at any time.",
};

export default async function ({ db, step, emit, reject, now }, { email, language }) {
  const address = email.trim().toLowerCase();
  if (address.length > 254 || !/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(address)) {
    reject(422, {
      en: "This does not look like an email address. Please check it.",
      de: "Das sieht nicht nach einer E-Mail-Adresse aus. Bitte prüfen Sie die Eingabe.",
    });
  }

  await step({ en: "Wish noted", de: "Wunsch vermerkt" }, async () => {
    const [known] = await db.newsletter_contacts.find({ where: { email: address }, limit: 1 });
    if (known) return;
    const contact = await db.newsletter_contacts.insert({
      email: address,
      language,
      consent_text: CONSENT[language],
      consent_at: now,
      source: "shop",
    });
    emit("newsletter.subscribed", { key: contact.id, contact });
  });

  return { accepted: true };
}
