// The newsletter form. Anyone may ask, twice too, and the answer is always the same:
// whoever types in an address never learns whether it was already on the list. Nothing but one mail follows, and
// the list begins for them with the link in it (`confirm_newsletter`).

export const label = { en: "Subscribe to the newsletter", de: "Newsletter bestellen" };
export const about = {
  en: "Notes the wish for the newsletter together with the words agreed to, and asks for a confirmation by mail.",
  de: "Vermerkt den Wunsch nach dem Newsletter mit dem Wortlaut der Einwilligung und bittet per E-Mail um Bestätigung.",
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

const BETWEEN_TWO_MAILS = 60 * 60 * 1000; // so that nobody fills a stranger's mailbox from here

export default async function ({ db, step, emit, reject, now }: Takt.Context, { email, language }) {
  const address = email.trim().toLowerCase();
  if (address.length > 254 || !/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(address)) {
    reject(422, {
      en: "This does not look like an email address. Please check it.",
      de: "Das sieht nicht nach einer E-Mail-Adresse aus. Bitte prüfen Sie die Eingabe.",
    });
  }

  await step({ en: "Wish noted", de: "Wunsch vermerkt" }, async () => {
    const [known] = await db.newsletter_contacts.find({ where: { email: address }, limit: 1 });
    if (known?.confirmed_at && !known.left_at) return;
    if (known?.token && Date.parse(now) - Date.parse(known.consent_at) < BETWEEN_TWO_MAILS) return;
    // What counts is the wish that the next mail asks to confirm: its words, its language, its moment.
    const wish = { language, consent_text: CONSENT[language], consent_at: now, confirmed_at: null, left_at: null };
    let contact;
    if (known?.token) {
      [contact] = await db.newsletter_contacts.update({ id: known.id }, wish); // links sent before go on working
    } else {
      // Contacts from before there were links have no token, and a token comes only from the field's default.
      if (known) await db.newsletter_contacts.delete({ id: known.id });
      contact = await db.newsletter_contacts.insert({ email: address, source: "shop", ...wish });
    }
    emit("newsletter.subscribed", { key: contact.id, contact });
  });

  return { accepted: true };
}
