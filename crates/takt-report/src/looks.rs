//! What a field looks like by its name and by samples of its values: personal, money, stock, role, state, date, key.
//! Lives here: the word lists, German and English, and nothing about what follows from them.

use takt_model::{Field, FieldType};

/// Names that mean a person. Matched as the whole name or its last word, so that `email_sent_at` stays out.
const PERSONAL: [(&str, &[&str]); 6] = [
    (
        "contact",
        &[
            "email",
            "e_mail",
            "mail_address",
            "phone",
            "telephone",
            "telefon",
            "tel",
            "mobile",
            "handy",
            "fax",
        ],
    ),
    (
        "name",
        &[
            "first_name",
            "last_name",
            "full_name",
            "surname",
            "vorname",
            "nachname",
            "firstname",
            "lastname",
            "birth_name",
        ],
    ),
    (
        "address",
        &[
            "street",
            "strasse",
            "straße",
            "hausnummer",
            "postal_code",
            "postcode",
            "zip",
            "zip_code",
            "plz",
            "home_address",
            "anschrift",
        ],
    ),
    ("birth", &["birthday", "birthdate", "birth_date", "date_of_birth", "dob", "geburtsdatum", "geburtstag"]),
    ("bank", &["iban", "bic", "bank_account", "kontonummer", "credit_card", "card_number"]),
    (
        "sensitive",
        &[
            "gender",
            "geschlecht",
            "religion",
            "passport",
            "passport_number",
            "ausweisnummer",
            "tax_id",
            "steuernummer",
            "steuer_id",
            "ssn",
            "salary",
            "gehalt",
            "ip_address",
            "nationality",
            "health",
            "diagnosis",
        ],
    ),
];

const MONEY: [&str; 17] = [
    "price", "preis", "total", "amount", "betrag", "sum", "summe", "cost", "costs", "fee", "gebuehr",
    "discount", "rabatt", "balance", "saldo", "revenue", "umsatz",
];
const STOCK: [&str; 6] = ["stock", "bestand", "inventory", "lagerbestand", "on_hand", "available_quantity"];
const ROLE: [&str; 9] =
    ["role", "roles", "rolle", "rollen", "is_admin", "is_staff", "permissions", "rights", "berechtigungen"];
const KEY: [&str; 15] = [
    "email",
    "e_mail",
    "number",
    "nummer",
    "sku",
    "slug",
    "code",
    "ean",
    "gtin",
    "isbn",
    "iban",
    "vin",
    "username",
    "artikelnummer",
    "kundennummer",
];

/// The kind of personal data that a field's name and type suggest.
pub(crate) fn personal_by_name(field: &Field) -> Option<&'static str> {
    if !matches!(field.kind, FieldType::Text | FieldType::Date | FieldType::Json) {
        return None;
    }
    let name = field.name.to_lowercase();
    PERSONAL.iter().find(|(_, words)| words.iter().any(|w| whole_or_last(&name, w))).map(|(kind, _)| *kind)
}

/// The kind of personal data that sampled values suggest, with how many of them look so.
pub(crate) fn personal_by_sample<'a>(
    values: impl Iterator<Item = &'a str>,
) -> Option<(&'static str, u64, u64)> {
    let (mut of, mut mails, mut ibans) = (0_u64, 0_u64, 0_u64);
    for value in values.map(str::trim).filter(|v| !v.is_empty()) {
        of += 1;
        mails += u64::from(is_mail(value));
        ibans += u64::from(is_iban(value));
    }
    // One value in five is enough: a field that sometimes holds an address holds addresses.
    let enough = |hits: u64| hits > 0 && hits * 5 >= of;
    if enough(mails) {
        Some(("contact", mails, of))
    } else if enough(ibans) {
        Some(("bank", ibans, of))
    } else {
        None
    }
}

/// An amount of money, by name.
pub(crate) fn money(field: &Field) -> bool {
    let numeric = matches!(
        field.kind,
        FieldType::Decimal { .. } | FieldType::Double | FieldType::Integer | FieldType::Bigint
    );
    numeric && words(&field.name).any(|w| MONEY.contains(&w))
}

/// A number of pieces in store, by name.
pub(crate) fn stock(field: &Field) -> bool {
    let numeric = matches!(
        field.kind,
        FieldType::Integer | FieldType::Bigint | FieldType::Decimal { .. } | FieldType::Double
    );
    numeric && STOCK.iter().any(|w| whole_or_last(&field.name.to_lowercase(), w))
}

/// A right or role, by name.
pub(crate) fn role(field: &Field) -> bool {
    ROLE.iter().any(|w| whole_or_last(&field.name.to_lowercase(), w))
}

/// The state of a process: an enum with allowed changes, or named so.
pub(crate) fn state(field: &Field) -> bool {
    field.transitions.is_some()
        || (matches!(field.kind, FieldType::Enum { .. })
            && ["status", "state", "zustand"].iter().any(|w| whole_or_last(&field.name, w)))
}

/// A key that people use to tell rows apart, by name. Postal codes and telephone numbers are none: people share them.
pub(crate) fn business_key(field: &Field) -> bool {
    let is_shared = field
        .personal
        .as_deref()
        .or_else(|| personal_by_name(field))
        .is_some_and(|kind| !matches!(kind, "bank") && !field.name.to_lowercase().contains("mail"));
    if is_shared {
        return false;
    }
    field.kind == FieldType::Text && KEY.iter().any(|w| whole_or_last(&field.name.to_lowercase(), w))
}

/// A day or moment kept as text, by name.
pub(crate) fn date_as_text(field: &Field) -> bool {
    let name = field.name.to_lowercase();
    field.kind == FieldType::Text
        && (name.ends_with("_at")
            || words(&field.name).any(|w| matches!(w, "date" | "datum" | "birthday" | "birthdate")))
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split('_')
}

fn whole_or_last(name: &str, word: &str) -> bool {
    name.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
}

fn is_mail(value: &str) -> bool {
    let Some((local, domain)) = value.split_once('@') else { return false };
    !local.is_empty()
        && value.len() <= 254
        && !value.contains(char::is_whitespace)
        && !domain.contains('@')
        && domain.split_once('.').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())
}

fn is_iban(value: &str) -> bool {
    let compact: Vec<u8> = value.bytes().filter(|b| *b != b' ').collect();
    (15..=34).contains(&compact.len())
        && compact.iter().take(2).all(u8::is_ascii_uppercase)
        && compact.iter().skip(2).take(2).all(u8::is_ascii_digit)
        && compact.iter().skip(4).all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_show_mails_and_account_numbers() {
        let mails = ["a@example.org", "", "x"];
        assert_eq!(personal_by_sample(mails.into_iter()), Some(("contact", 1, 2)));
        let rare = ["a@example.org", "b", "c", "d", "e", "f"];
        assert_eq!(personal_by_sample(rare.into_iter()), None, "one in six is a coincidence");
        assert_eq!(personal_by_sample(["DE02 1203 0000 0000 2020 51"].into_iter()), Some(("bank", 1, 1)));
        assert_eq!(
            personal_by_sample(["Write to us: a@example.org"].into_iter()),
            None,
            "prose is no address field"
        );
    }

    #[test]
    fn names_match_as_whole_or_last_word() {
        assert!(whole_or_last("ship_street", "street"));
        assert!(whole_or_last("street", "street"));
        assert!(!whole_or_last("street_art", "street"));
        assert!(!whole_or_last("mainstreet", "street"));
    }
}
