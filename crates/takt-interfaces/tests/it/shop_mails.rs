//! The example shop's mails, as its customers read them.

use std::{fs, path::Path};

use expect_test::{Expect, expect};
use serde_json::Value as Json;
use takt_interfaces::{MailTemplates, Rendered};

fn shop() -> MailTemplates {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop/mails");
    let files = fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (format!("mails/{name}"), fs::read_to_string(path).unwrap())
    });
    MailTemplates::read(files)
}

/// As the actions hand it over: amounts as exact numbers.
fn order() -> Json {
    serde_json::from_str(
        r#"{
            "order": {
                "number": "B-2026-00017", "total": 1234.70, "tax_total": 80.78, "status": "pending",
                "ship_name": "Änne <b>Kröger</b>", "ship_street": "Deich 7", "ship_postal_code": "25840",
                "ship_city": "Friedrichstadt", "ship_country": "DE", "created_at": "2026-03-01T09:30:00+00:00",
                "email": "aenne@example.com", "language": "de"
            },
            "items": [
                { "name": "Darjeeling First Flush", "quantity": 2, "unit_price": 12.90, "line_total": 25.80 },
                { "name": "Tetsubin \"Kaze\" & Stövchen", "quantity": 1, "unit_price": "1208.90", "line_total": "1208.90" }
            ],
            "shop": { "name": "Blatt & Kanne", "url": "https://shop.example" }
        }"#,
    )
    .unwrap()
}

fn newsletter() -> Json {
    serde_json::json!({
        "contact": { "email": "aenne@example.com", "token": "0f8fad5b-d9cb-469f-a165-70867728950e" },
        "shop": { "name": "Blatt & Kanne", "url": "https://shop.example" },
    })
}

fn check(name: &str, language: &str, wanted: &Expect) {
    let data = if name.starts_with("order") { order() } else { newsletter() };
    let made = shop().render(name, language, "de", &data).unwrap();
    let shown = format!("Subject: {}\n\n{}", made.subject, made.text).replace('\u{a0}', "~");
    wanted.assert_eq(&shown);
}

#[test]
fn every_mail_exists_whole_in_both_languages() {
    let shop = shop();
    assert_eq!(shop.check(), []);
    let names: Vec<&str> = shop.names().collect();
    assert_eq!(names, ["newsletter_confirm", "order_cancelled", "order_confirmation", "order_shipped"]);
    for name in names {
        for language in ["de", "en"] {
            let data = if name.starts_with("order") { order() } else { newsletter() };
            let Rendered { language: found, html, .. } = shop.render(name, language, "xx", &data).unwrap();
            let html = html.unwrap();
            assert_eq!(found, language);
            assert!(html.contains(&format!("<html lang=\"{language}\">")), "{name}");
            assert!(!html.contains("<b>") && !html.contains("{{") && !html.contains("{%"), "{name}: {html}");
            assert!(
                html.contains("Blatt &amp; Kanne") && !html.contains("<img"),
                "{name}: no pictures that spy"
            );
        }
    }
}

#[test]
fn the_order_confirmation() {
    check(
        "order_confirmation",
        "de",
        &expect![[r#"
        Subject: Ihre Bestellung B-2026-00017 bei Blatt & Kanne

        Guten Tag Änne <b>Kröger</b>,

        vielen Dank für Ihre Bestellung B-2026-00017 vom 1. März 2026.

        Wir packen Ihr Paket am nächsten Werktag und schreiben Ihnen, sobald es unterwegs ist. Die Rechnung liegt bei; Sie haben vierzehn Tage Zeit.

        2 × Darjeeling First Flush (12,90~€)
            25,80~€
        1 × Tetsubin "Kaze" & Stövchen (1.208,90~€)
            1.208,90~€

        Summe: 1.234,70~€ (darin 80,78~€ Steuer)

        Lieferadresse:
        Änne <b>Kröger</b>
        Deich 7
        25840 Friedrichstadt
        DE

        Zu Ihren Bestellungen: https://shop.example/#/orders

        Fragen? Antworten Sie einfach auf diese Nachricht.

        Herzliche Grüße
        Blatt & Kanne
    "#]],
    );
    check(
        "order_confirmation",
        "en",
        &expect![[r#"
            Subject: Your order B-2026-00017 at Blatt & Kanne

            Hello Änne <b>Kröger</b>,

            Thank you for your order B-2026-00017 of 1 March 2026.

            We pack your parcel on the next working day and write to you as soon as it is on its way. The invoice is enclosed; you have fourteen days.

            2 × Darjeeling First Flush (€12.90)
                €25.80
            1 × Tetsubin "Kaze" & Stövchen (€1,208.90)
                €1,208.90

            Total: €1,234.70 (including €80.78 tax)

            Delivery address:
            Änne <b>Kröger</b>
            Deich 7
            25840 Friedrichstadt
            DE

            See your orders: https://shop.example/#/orders

            Questions? Simply reply to this message.

            Kind regards
            Blatt & Kanne
        "#]],
    );
}

#[test]
fn the_shipping_notice() {
    check(
        "order_shipped",
        "de",
        &expect![[r#"
            Subject: Ihr Paket ist unterwegs: Bestellung B-2026-00017

            Guten Tag Änne <b>Kröger</b>,

            Ihre Bestellung B-2026-00017 hat unser Haus verlassen.

            In den nächsten Tagen klingelt es bei Ihnen. Die Rechnung liegt im Paket.

            2 × Darjeeling First Flush (12,90~€)
                25,80~€
            1 × Tetsubin "Kaze" & Stövchen (1.208,90~€)
                1.208,90~€

            Summe: 1.234,70~€ (darin 80,78~€ Steuer)

            Lieferadresse:
            Änne <b>Kröger</b>
            Deich 7
            25840 Friedrichstadt
            DE

            Zu Ihren Bestellungen: https://shop.example/#/orders

            Fragen? Antworten Sie einfach auf diese Nachricht.

            Herzliche Grüße
            Blatt & Kanne
        "#]],
    );
    check(
        "order_shipped",
        "en",
        &expect![[r#"
            Subject: Your parcel is on its way: order B-2026-00017

            Hello Änne <b>Kröger</b>,

            Your order B-2026-00017 has left our house.

            It will be with you in the next few days. The invoice is in the parcel.

            2 × Darjeeling First Flush (€12.90)
                €25.80
            1 × Tetsubin "Kaze" & Stövchen (€1,208.90)
                €1,208.90

            Total: €1,234.70 (including €80.78 tax)

            Delivery address:
            Änne <b>Kröger</b>
            Deich 7
            25840 Friedrichstadt
            DE

            See your orders: https://shop.example/#/orders

            Questions? Simply reply to this message.

            Kind regards
            Blatt & Kanne
        "#]],
    );
}

#[test]
fn the_cancellation() {
    check(
        "order_cancelled",
        "de",
        &expect![[r#"
        Subject: Ihre Bestellung B-2026-00017 ist storniert

        Guten Tag Änne <b>Kröger</b>,

        wir haben Ihre Bestellung B-2026-00017 vom 1. März 2026 storniert. Es kommt kein Paket.

        Wenn Sie schon bezahlt haben, überweisen wir den Betrag zurück. Sonst ist nichts weiter zu tun.

        2 × Darjeeling First Flush (12,90~€)
            25,80~€
        1 × Tetsubin "Kaze" & Stövchen (1.208,90~€)
            1.208,90~€

        Summe: 1.234,70~€ (darin 80,78~€ Steuer)

        Zu Ihren Bestellungen: https://shop.example/#/orders

        Fragen? Antworten Sie einfach auf diese Nachricht.

        Herzliche Grüße
        Blatt & Kanne
    "#]],
    );
    check(
        "order_cancelled",
        "en",
        &expect![[r#"
            Subject: Your order B-2026-00017 is cancelled

            Hello Änne <b>Kröger</b>,

            We have cancelled your order B-2026-00017 of 1 March 2026. No parcel will come.

            If you have paid already, we transfer the money back. Otherwise there is nothing left to do.

            2 × Darjeeling First Flush (€12.90)
                €25.80
            1 × Tetsubin "Kaze" & Stövchen (€1,208.90)
                €1,208.90

            Total: €1,234.70 (including €80.78 tax)

            See your orders: https://shop.example/#/orders

            Questions? Simply reply to this message.

            Kind regards
            Blatt & Kanne
        "#]],
    );
}

#[test]
fn the_newsletter_asks_before_it_comes() {
    check(
        "newsletter_confirm",
        "de",
        &expect![[r#"
        Subject: Bitte bestätigen Sie den Newsletter von Blatt & Kanne

        Guten Tag,

        jemand hat aenne@example.com für den Newsletter von Blatt & Kanne eingetragen. Waren Sie das? Dann bestätigen Sie es bitte hier:

        https://shop.example/#/newsletter/0f8fad5b-d9cb-469f-a165-70867728950e

        Er kommt etwa einmal im Monat; abbestellen geht jederzeit hier:
        https://shop.example/#/newsletter/0f8fad5b-d9cb-469f-a165-70867728950e/leave

        Waren Sie es nicht, löschen Sie diese Nachricht einfach: Ohne Bestätigung schreiben wir Ihnen nicht wieder.

        Herzliche Grüße
        Blatt & Kanne
    "#]],
    );
    check(
        "newsletter_confirm",
        "en",
        &expect![[r#"
            Subject: Please confirm the newsletter of Blatt & Kanne

            Hello,

            Somebody entered aenne@example.com for the newsletter of Blatt & Kanne. Was it you? Then please confirm it here:

            https://shop.example/#/newsletter/0f8fad5b-d9cb-469f-a165-70867728950e

            It comes about once a month; you can unsubscribe at any time here:
            https://shop.example/#/newsletter/0f8fad5b-d9cb-469f-a165-70867728950e/leave

            If it was not you, simply delete this message: without a confirmation we will not write to you again.

            Kind regards
            Blatt & Kanne
        "#]],
    );
}

/// Orders from before say no way of paying: those were all on invoice.
#[test]
fn the_confirmation_says_how_to_pay() {
    for (way, language, says) in [
        (None, "de", "Die Rechnung liegt bei"),
        (Some("invoice"), "en", "The invoice is enclosed"),
        (Some("prepayment"), "de", "Bitte überweisen Sie 1.234,70\u{a0}€ mit der Bestellnummer B-2026-00017"),
        (Some("prepayment"), "en", "Please transfer €1,234.70 with the order number B-2026-00017"),
        (Some("online"), "de", "Sobald Ihre Zahlung bestätigt ist"),
        (Some("online"), "en", "As soon as your payment is confirmed"),
    ] {
        let mut data = order();
        if let Some(way) = way {
            data["order"]["payment_method"] = way.into();
        }
        let made = shop().render("order_confirmation", language, "de", &data).unwrap();
        assert!(made.text.contains(says), "{way:?} {language}: {}", made.text);
        assert!(made.html.unwrap().contains(says), "{way:?} {language}");
    }
}
