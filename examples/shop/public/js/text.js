// Words and figures. Lives here: every sentence of the storefront in both languages, and how money and dates look.
// What staff can change (products, categories, pages) comes from the database instead: `own(row, "name")`.

const WORDS = {
  de: {
    skip: "Zum Inhalt springen",
    home: "Zur Startseite von Blatt & Kanne",
    search: "Im Laden suchen",
    "search.hint": "Sencha, Kanne, Minze …",
    "nav.tools": "Konto und Warenkorb",
    "nav.shelves": "Kategorien",
    "nav.pages": "Über den Laden",
    "nav.account": "Konto",
    "nav.sign-in": "Anmelden",
    "nav.orders": "Bestellungen",
    "nav.basket": "Warenkorb",
    "nav.basket.count": "Warenkorb, {n} Artikel",
    "nav.all": "Alles",
    "language.other": "Switch to English",
    "footer.about": "Tee und Teegeschirr, einzeln verkostet, von Hand abgefüllt und ohne Umwege zu Ihnen.",
    "footer.demo": "Dies ist ein Vorführ-Shop: Es wird nichts verkauft und nichts geliefert.",

    "hero.title": "Zeit für eine gute Tasse.",
    "hero.text": "Gut siebzig Tees und schöne Dinge rund um den Teetisch. Wir verkaufen nur, was wir selbst gern trinken.",
    "hero.action": "Zum ganzen Sortiment",
    "home.shelves": "Woran haben Sie Freude?",
    "home.favourites": "Unsere Lieblinge",
    "home.promise.1": "Versand inklusive", "home.promise.1.text": "nach Deutschland und Österreich, ohne Mindestbestellwert",
    "home.promise.2": "Kauf auf Rechnung", "home.promise.2.text": "erst probieren, dann in vierzehn Tagen zahlen",
    "home.promise.3": "Frisch abgefüllt", "home.promise.3.text": "von Hand, in Papiertüten, am nächsten Werktag verpackt",

    "list.all": "Das ganze Sortiment",
    "list.found": "Suche nach „{q}“",
    "list.count.one": "1 Artikel",
    "list.count": "{n} Artikel",
    "list.none": "Dazu haben wir nichts gefunden.",
    "list.none.hint": "Versuchen Sie es mit einem kürzeren Wort, oder stöbern Sie in den Regalen.",
    "list.more": "Mehr zeigen",
    "list.sort": "Sortieren nach",
    "sort.shop": "Empfehlung", "sort.name": "Name", "sort.cheap": "Preis aufsteigend", "sort.dear": "Preis absteigend", "sort.new": "Neu im Sortiment",

    "product.tax": "inkl. {rate} % MwSt., Versand inklusive",
    "product.add": "In den Warenkorb",
    "product.add.of": "{name} in den Warenkorb",
    "product.added": "{name} liegt im Warenkorb.",
    "product.most": "Mehr als {n} davon haben wir nicht.",
    "product.quantity": "Menge",
    "product.sold-out": "Ausverkauft",
    "product.few": "Nur noch {n} verfügbar",
    "product.in-stock": "Vorrätig – in zwei bis vier Werktagen bei Ihnen",
    "product.origin": "Herkunft", "product.content": "Inhalt", "product.capacity": "Fassungsvermögen",
    "product.water": "Wasser", "product.time": "Ziehzeit", "product.minutes": "{n} Minuten", "product.sku": "Artikelnummer",
    "product.more": "Aus demselben Regal",
    "product.gone": "Diesen Artikel gibt es nicht mehr.",

    "basket.title": "Warenkorb",
    "basket.empty": "Noch ist nichts darin.",
    "basket.empty.action": "Etwas Gutes aussuchen",
    "basket.remove": "Entfernen", "basket.remove.of": "{name} entfernen",
    "basket.quantity.of": "Menge von {name}",
    "basket.total": "Summe", "basket.tax": "darin enthaltene MwSt.", "basket.shipping": "Versand", "basket.shipping.free": "inklusive",
    "basket.checkout": "Zur Kasse",
    "basket.gone": "Nicht mehr im Verkauf. Bitte entfernen.",
    "basket.too-many": "Nur noch {n} da. Bitte die Menge anpassen.",
    "basket.fix": "Bitte passen Sie erst die markierten Artikel an.",

    "account.title": "Mein Konto",
    "account.hello": "Angemeldet als {email}",
    "account.profile": "Profil", "account.name": "Name", "account.phone": "Telefon", "account.language": "Sprache für Bestellungen und Post",
    "account.saved": "Gespeichert.",
    "account.orders": "Meine Bestellungen ansehen",
    "account.sign-out": "Abmelden", "account.signed-out": "Sie sind abgemeldet.",
    "sign-in.title": "Willkommen zurück", "sign-in.action": "Anmelden", "sign-in.new": "Noch kein Konto?", "sign-in.new.action": "Konto anlegen",
    "sign-up.title": "Konto anlegen", "sign-up.action": "Konto anlegen", "sign-up.known": "Schon ein Konto?", "sign-up.known.action": "Anmelden",
    "sign-up.welcome": "Willkommen, {name}!",
    "sign-up.confirm": "Fast fertig: Bitte bestätigen Sie Ihre Adresse über den Link in der E-Mail, die wir Ihnen geschickt haben.",
    "sign-up.privacy": "Was wir speichern und warum, steht unter",
    "form.email": "E-Mail", "form.password": "Kennwort", "form.password.hint": "Mindestens acht Zeichen.",

    "address.title": "Lieferadressen", "address.none": "Noch keine Adresse hinterlegt.",
    "address.add": "Adresse hinzufügen", "address.new": "Neue Adresse", "address.change": "Adresse ändern",
    "address.name": "Name", "address.street": "Straße und Hausnummer", "address.postal_code": "Postleitzahl", "address.city": "Ort", "address.country": "Land",
    "address.save": "Adresse speichern", "address.edit": "Ändern", "address.delete": "Löschen", "address.deleted": "Adresse gelöscht.",
    "address.edit.of": "Adresse {street} ändern", "address.delete.of": "Adresse {street} löschen",
    cancel: "Abbrechen",
    "country.DE": "Deutschland", "country.AT": "Österreich",

    "checkout.title": "Kasse",
    "checkout.where": "Wohin dürfen wir liefern?",
    "checkout.payment": "Zahlung",
    "payment.invoice": "Auf Rechnung", "payment.invoice.text": "zahlbar innerhalb von vierzehn Tagen nach Erhalt",
    "payment.prepayment": "Vorkasse", "payment.prepayment.text": "wir packen, sobald das Geld da ist",
    "payment.online": "Online bezahlt",
    "checkout.summary": "Ihre Bestellung",
    "checkout.change": "Warenkorb ändern",
    "checkout.buy": "Jetzt kaufen",
    "checkout.buying": "Einen Augenblick …",
    "checkout.terms": "Mit „Jetzt kaufen“ bestellen Sie verbindlich. Es gelten unsere Hinweise zu",
    "checkout.terms.link": "Lieferung und Zahlung",
    "checkout.address-first": "Bitte wählen oder ergänzen Sie eine Lieferadresse.",
    "checkout.retry": "Die Verbindung ist abgebrochen. Drücken Sie ruhig noch einmal: Es wird nur eine Bestellung daraus.",

    "thanks.title": "Vielen Dank!",
    "thanks.number": "Ihre Bestellnummer",
    "thanks.prepayment": "Bitte überweisen Sie {total} mit der Bestellnummer {number} als Verwendungszweck; unsere Bankverbindung steht unter „Lieferung und Zahlung“. Sobald das Geld da ist, packen wir Ihr Paket.",
    "thanks.text": "Wir packen Ihr Paket am nächsten Werktag und legen die Rechnung bei. Bis dahin können Sie die Bestellung unter „Bestellungen“ noch stornieren.",
    "thanks.orders": "Zu meinen Bestellungen", "thanks.on": "Weiter stöbern",

    "orders.title": "Meine Bestellungen",
    "orders.none": "Sie haben noch nichts bestellt.",
    "orders.from": "vom {date}",
    "orders.to": "Lieferung an", "orders.payment": "Zahlung:",
    "orders.cancel": "Stornieren", "orders.cancel.of": "Bestellung {number} stornieren",
    "orders.cancel.sure": "Wirklich stornieren?", "orders.cancel.yes": "Ja, stornieren", "orders.cancel.no": "Nein, behalten",
    "orders.cancelled": "Bestellung {number} ist storniert.",
    "status.pending": "eingegangen", "status.paid": "bezahlt", "status.shipped": "unterwegs", "status.cancelled": "storniert",

    "news.title": "Post aus dem Teehaus",
    "news.consent": "Ja, ich möchte etwa einmal im Monat Neues aus dem Teehaus per E-Mail lesen. Abbestellen geht jederzeit.",
    "news.action": "Bestellen",
    "news.done": "Danke! Bitte sehen Sie in Ihr Postfach: Mit dem Link in unserer E-Mail ist es abgemacht.",
    "news.ask": "Newsletter bestätigen",
    "news.ask.text": "Mit einem Klick ist es abgemacht: Dann hören Sie etwa einmal im Monat von uns.",
    "news.confirm": "Ja, ich möchte den Newsletter",
    "news.confirmed": "Willkommen im Newsletter!",
    "news.confirmed.text": "Vielen Dank, Ihre Adresse ist bestätigt. Etwa einmal im Monat hören Sie von uns.",
    "news.before": "Schon bestätigt",
    "news.before.text": "Ihre Adresse war bereits bestätigt. Es ist nichts weiter zu tun.",
    "news.unknown": "Dieser Link führt nicht weiter",
    "news.unknown.text": "Diesen Link kennen wir nicht. Bitte tragen Sie sich noch einmal für den Newsletter ein.",

    "page.none": "Diese Seite gibt es nicht.", "page.back": "Zur Startseite",
    again: "Noch einmal versuchen",
    "error.title": "Das hat nicht geklappt",
    "error.network": "Wir erreichen den Laden gerade nicht. Bitte prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.",
    "error.session": "Ihre Anmeldung ist abgelaufen. Bitte melden Sie sich noch einmal an.",
    "error.busy": "Gerade ist viel los. Bitte versuchen Sie es in einer Minute noch einmal.",
    "error.credentials": "E-Mail und Kennwort passen nicht zusammen.",
    "error.taken": "Mit dieser E-Mail gibt es schon ein Konto. Melden Sie sich damit an.",
    "error.weak": "Dieses Kennwort ist zu leicht zu erraten. Bitte nehmen Sie ein längeres.",
    "error.email": "Diese E-Mail-Adresse können wir nicht annehmen. Bitte prüfen Sie sie.",
    "error.refused": "Das dürfen wir mit Ihrem Konto leider nicht tun.",
    "error.input": "Eine Angabe passt nicht. Bitte prüfen Sie das Formular.",
    "error.other": "Bei uns ist etwas schiefgegangen ({code}). Bitte versuchen Sie es später noch einmal.",
  },
  en: {
    skip: "Skip to content",
    home: "Blatt & Kanne, to the front page",
    search: "Search the shop",
    "search.hint": "Sencha, teapot, mint …",
    "nav.tools": "Account and basket",
    "nav.shelves": "Categories",
    "nav.pages": "About the shop",
    "nav.account": "Account",
    "nav.sign-in": "Sign in",
    "nav.orders": "Orders",
    "nav.basket": "Basket",
    "nav.basket.count": "Basket, {n} items",
    "nav.all": "Everything",
    "language.other": "Auf Deutsch umschalten",
    "footer.about": "Tea and teaware, tasted one by one, packed by hand and sent straight to you.",
    "footer.demo": "This is a demonstration shop: nothing is sold and nothing is delivered.",

    "hero.title": "Time for a good cup.",
    "hero.text": "Some seventy teas and beautiful things for the tea table. We only sell what we like to drink ourselves.",
    "hero.action": "See the whole range",
    "home.shelves": "What do you fancy?",
    "home.favourites": "Our favourites",
    "home.promise.1": "Delivery included", "home.promise.1.text": "to Germany and Austria, with no minimum order",
    "home.promise.2": "Pay on invoice", "home.promise.2.text": "taste first, then pay within fourteen days",
    "home.promise.3": "Freshly packed", "home.promise.3.text": "by hand, in paper bags, on the next working day",

    "list.all": "The whole range",
    "list.found": "Search for “{q}”",
    "list.count.one": "1 product",
    "list.count": "{n} products",
    "list.none": "We found nothing for that.",
    "list.none.hint": "Try a shorter word, or browse the shelves.",
    "list.more": "Show more",
    "list.sort": "Sort by",
    "sort.shop": "Recommended", "sort.name": "Name", "sort.cheap": "Price, low to high", "sort.dear": "Price, high to low", "sort.new": "New arrivals",

    "product.tax": "incl. {rate}% VAT, delivery included",
    "product.add": "Add to basket",
    "product.add.of": "Add {name} to basket",
    "product.added": "{name} is in your basket.",
    "product.most": "We have no more than {n} of these.",
    "product.quantity": "Quantity",
    "product.sold-out": "Sold out",
    "product.few": "Only {n} left",
    "product.in-stock": "In stock, with you in two to four working days",
    "product.origin": "Origin", "product.content": "Contents", "product.capacity": "Capacity",
    "product.water": "Water", "product.time": "Steeping time", "product.minutes": "{n} minutes", "product.sku": "Article number",
    "product.more": "From the same shelf",
    "product.gone": "This product is no longer available.",

    "basket.title": "Basket",
    "basket.empty": "There is nothing in it yet.",
    "basket.empty.action": "Choose something good",
    "basket.remove": "Remove", "basket.remove.of": "Remove {name}",
    "basket.quantity.of": "Quantity of {name}",
    "basket.total": "Total", "basket.tax": "VAT included", "basket.shipping": "Delivery", "basket.shipping.free": "included",
    "basket.checkout": "To checkout",
    "basket.gone": "No longer for sale. Please remove it.",
    "basket.too-many": "Only {n} left. Please adjust the quantity.",
    "basket.fix": "Please adjust the marked products first.",

    "account.title": "My account",
    "account.hello": "Signed in as {email}",
    "account.profile": "Profile", "account.name": "Name", "account.phone": "Phone", "account.language": "Language for orders and mail",
    "account.saved": "Saved.",
    "account.orders": "See my orders",
    "account.sign-out": "Sign out", "account.signed-out": "You are signed out.",
    "sign-in.title": "Welcome back", "sign-in.action": "Sign in", "sign-in.new": "No account yet?", "sign-in.new.action": "Create one",
    "sign-up.title": "Create an account", "sign-up.action": "Create account", "sign-up.known": "Already have one?", "sign-up.known.action": "Sign in",
    "sign-up.welcome": "Welcome, {name}!",
    "sign-up.confirm": "Nearly done: please confirm your address with the link in the mail we have sent you.",
    "sign-up.privacy": "What we store, and why, is written under",
    "form.email": "Email", "form.password": "Password", "form.password.hint": "At least eight characters.",

    "address.title": "Delivery addresses", "address.none": "No address yet.",
    "address.add": "Add an address", "address.new": "New address", "address.change": "Change address",
    "address.name": "Name", "address.street": "Street and number", "address.postal_code": "Postal code", "address.city": "City", "address.country": "Country",
    "address.save": "Save address", "address.edit": "Change", "address.delete": "Delete", "address.deleted": "Address deleted.",
    "address.edit.of": "Change address {street}", "address.delete.of": "Delete address {street}",
    cancel: "Cancel",
    "country.DE": "Germany", "country.AT": "Austria",

    "checkout.title": "Checkout",
    "checkout.where": "Where may we deliver to?",
    "checkout.payment": "Payment",
    "payment.invoice": "On invoice", "payment.invoice.text": "payable within fourteen days of receipt",
    "payment.prepayment": "In advance", "payment.prepayment.text": "we pack as soon as the money has arrived",
    "payment.online": "Paid online",
    "checkout.summary": "Your order",
    "checkout.change": "Change basket",
    "checkout.buy": "Buy now",
    "checkout.buying": "One moment …",
    "checkout.terms": "With “Buy now” you place a binding order. Please note our information on",
    "checkout.terms.link": "delivery and payment",
    "checkout.address-first": "Please choose or add a delivery address.",
    "checkout.retry": "The connection was lost. Do press again: it will become one order only.",

    "thanks.title": "Thank you!",
    "thanks.number": "Your order number",
    "thanks.prepayment": "Please transfer {total} with the order number {number} as reference; our bank details stand under “delivery and payment”. We pack your parcel as soon as the money has arrived.",
    "thanks.text": "We pack your parcel on the next working day and enclose the invoice. Until then you can still cancel the order under “Orders”.",
    "thanks.orders": "To my orders", "thanks.on": "Keep browsing",

    "orders.title": "My orders",
    "orders.none": "You have not ordered anything yet.",
    "orders.from": "of {date}",
    "orders.to": "Delivery to", "orders.payment": "Payment:",
    "orders.cancel": "Cancel order", "orders.cancel.of": "Cancel order {number}",
    "orders.cancel.sure": "Really cancel?", "orders.cancel.yes": "Yes, cancel it", "orders.cancel.no": "No, keep it",
    "orders.cancelled": "Order {number} is cancelled.",
    "status.pending": "received", "status.paid": "paid", "status.shipped": "on its way", "status.cancelled": "cancelled",

    "news.title": "Mail from the tea house",
    "news.consent": "Yes, I would like to read news from the tea house by email about once a month. I can unsubscribe at any time.",
    "news.action": "Subscribe",
    "news.done": "Thank you! Please look into your mailbox: the link in our mail settles it.",
    "news.ask": "Confirm the newsletter",
    "news.ask.text": "One click settles it: then you will hear from us about once a month.",
    "news.confirm": "Yes, I would like the newsletter",
    "news.confirmed": "Welcome to the newsletter!",
    "news.confirmed.text": "Thank you, your address is confirmed. You will hear from us about once a month.",
    "news.before": "Confirmed already",
    "news.before.text": "Your address was confirmed before. There is nothing left to do.",
    "news.unknown": "This link leads nowhere",
    "news.unknown.text": "We do not know this link. Please enter your address for the newsletter once more.",

    "page.none": "There is no such page.", "page.back": "To the front page",
    again: "Try again",
    "error.title": "That did not work",
    "error.network": "We cannot reach the shop just now. Please check your connection and try again.",
    "error.session": "Your session has expired. Please sign in again.",
    "error.busy": "It is very busy just now. Please try again in a minute.",
    "error.credentials": "Email and password do not match.",
    "error.taken": "There already is an account with this email. Please sign in with it.",
    "error.weak": "This password is too easy to guess. Please choose a longer one.",
    "error.email": "We cannot accept this email address. Please check it.",
    "error.refused": "We may not do that with your account, sorry.",
    "error.input": "Something you entered does not fit. Please check the form.",
    "error.other": "Something went wrong on our side ({code}). Please try again later.",
  },
};

const stored = localStorage.getItem("language");
export let language = stored in WORDS ? stored : navigator.language.toLowerCase().startsWith("de") ? "de" : "en";

export function setLanguage(next) {
  language = next;
  localStorage.setItem("language", next);
}

/** The sentence for `key`, with {names} filled in. */
export function t(key, values = {}) {
  const sentence = WORDS[language][key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** The field of a row in the visitor's language: own(product, "name") is product.name_de or product.name_en. */
export function own(row, name) {
  return row[`${name}_${language}`] ?? row[`${name}_de`] ?? "";
}

const locale = () => (language === "de" ? "de-DE" : "en-GB");

export const money = (amount) => new Intl.NumberFormat(locale(), { style: "currency", currency: "EUR" }).format(amount);
export const number = (value) => new Intl.NumberFormat(locale()).format(value);
export const date = (iso) => new Intl.DateTimeFormat(locale(), { dateStyle: "long" }).format(new Date(iso));

/** Germans must be told what a kilogram costs: "149,00 €/kg". Empty for things that are not sold by weight. */
export function basePrice(product) {
  return product.weight_g ? `${money((product.price / product.weight_g) * 1000)}/kg` : "";
}

/** How much of it one gets: "100 g", "0,8 l" or nothing. */
export function amount(product) {
  if (product.weight_g) return `${number(product.weight_g)} g`;
  if (product.volume_ml) return product.volume_ml < 1000 ? `${number(product.volume_ml)} ml` : `${number(product.volume_ml / 1000)} l`;
  return "";
}
