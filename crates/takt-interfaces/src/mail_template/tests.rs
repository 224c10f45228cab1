//! Templates: what becomes of a value, and what is told when something is missing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serde_json::{Value as Json, json};

use super::{MOST_SOURCE, MailTemplates, Rendered, TemplateError};

fn mails(files: &[(&str, &str)]) -> MailTemplates {
    MailTemplates::read(files.iter().map(|(path, text)| (*path, *text)))
}

/// One text mail in English.
fn text(source: &str, data: &Json) -> Result<String, TemplateError> {
    let all = mails(&[("mails/m.en.txt", &format!("Subject: s\n{source}"))]);
    all.render("m", "en", "en", data).map(|r| r.text.trim_end().to_owned())
}

/// One HTML mail in German.
fn html(source: &str, data: &Json) -> Result<Rendered, TemplateError> {
    mails(&[("mails/m.de.html", source)]).render("m", "de", "de", data)
}

#[test]
fn text_and_html_belong_together() {
    let all = mails(&[
        ("mails/hello.de.txt", "Subject: Hallo {{ name }}\r\n\r\nGuten Tag {{ name }}!\n"),
        ("mails/hello.de.html", "<title>nicht dieser</title><p>Guten Tag {{ name }}!</p>"),
        ("mails/hello.en.html", "<html><title>Hello\n  {{ name }}</title><p>Hello {{ name }}!</p>"),
        ("schema/orders.toml", "not ours"),
    ]);
    assert_eq!(all.check(), []);
    assert_eq!(all.names().collect::<Vec<_>>(), ["hello"]);
    let data = json!({ "name": "Anna & <Bert>" });
    let german = all.render("hello", "de", "en", &data).unwrap();
    assert_eq!(german.subject, "Hallo Anna & <Bert>");
    assert_eq!(german.text, "Guten Tag Anna & <Bert>!\n");
    assert!(german.html.unwrap().ends_with("<p>Guten Tag Anna &amp; &lt;Bert&gt;!</p>"));
    let english = all.render("hello", "fr", "en", &data).unwrap();
    assert_eq!((english.language.as_str(), english.subject.as_str()), ("en", "Hello Anna & <Bert>"));
    assert_eq!(english.text, "Hello Anna & <Bert>!\n");
}

#[test]
fn data_is_never_a_template() {
    for evil in ["{{7*7}}", "{% include 'm.de.html' %}", "${7*7}", "{{ lang }}", "{#", "#}"] {
        let data = json!({ "name": evil });
        assert_eq!(text("{{ name }}", &data).unwrap(), evil);
        let made = html("<title>{{ name }}</title><p>{{ name }}</p>", &data).unwrap();
        assert_eq!(made.subject, evil);
        assert!(!made.html.unwrap().contains("49"));
    }
    let script =
        html("<title>x</title><p title=\"{{ n }}\">{{ n }}", &json!({ "n": "\"><script>' a/b &lt;" }))
            .unwrap();
    let shown = "&quot;&gt;&lt;script&gt;&#39; a/b &amp;lt;";
    assert!(script.html.unwrap().ends_with(&format!("<p title=\"{shown}\">{shown}")));
}

#[test]
fn a_line_break_in_a_value_stays_in_the_subject() {
    let all = mails(&[("mails/m.en.txt", "Subject: Order of {{ name }}\nText")]);
    let made = all
        .render("m", "en", "en", &json!({ "name": "Anna\r\nBcc: bert@example.com\u{2028}\u{0}x" }))
        .unwrap();
    assert_eq!(made.subject, "Order of Anna Bcc: bert@example.com x");
    let long = all.render("m", "en", "en", &json!({ "name": "x".repeat(1_000) })).unwrap();
    assert_eq!(long.subject.chars().count(), 300);
}

#[test]
fn what_is_missing_is_named() {
    let data = json!({ "order": { "number": "B-1", "note": null }, "items": [{}] });
    let error = text("one\n{{ order.nmber }}", &data).unwrap_err();
    assert_eq!(error.to_string(), "mails/m.en.txt:3: the data has no `order.nmber`");
    for (source, field) in [
        ("{{ total | money }}", "total"),
        ("{% if order.paid %}x{% endif %}", "order.paid"),
        ("{% for i in items %}{{ i.name }}{% endfor %}", "i.name"),
        ("{% for i in lines %}{% endfor %}", "lines"),
        ("{{ order.nmber | upper }}", "order.nmber"),
        ("{{ ordr.number }}", "ordr"),
    ] {
        match text(source, &data).unwrap_err() {
            TemplateError::MissingField { file, line, field: told } => {
                assert_eq!((file.as_str(), line), ("mails/m.en.txt", 2), "{source}");
                assert!(told.contains(field), "{source}: {told}");
            }
            other => panic!("{source}: {other:?}"),
        }
    }
    assert_eq!(text("[{{ order.note }}]", &data).unwrap(), "[]", "empty in the database prints nothing");
    assert_eq!(text("{% if order.x is defined %}a{% else %}b{% endif %}", &data).unwrap(), "b");
    assert_eq!(text("{{ order.x | default('-') }}", &data).unwrap(), "-");
}

#[test]
fn no_value_is_in_an_error() {
    let data = json!({ "name": "secret", "order": { "email": "secret" } });
    for source in [
        "{{ x }}",
        "{{ name | money }}",
        "{{ name | date }}",
        "{{ name + 1 }}",
        "{{ name | nope }}",
        "{{ name() }}",
    ] {
        let error = text(source, &data).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn amounts_stay_exact() {
    let exact: Json = serde_json::from_str(
        r#"{ "a": 12.90, "b": 9007199254740993.01, "c": "0.10", "n": 3, "zero": 0.00 }"#,
    )
    .unwrap();
    let shown = text("{{ a | money }} {{ b | money }} {{ c | money }} {{ a }} {{ n }}", &exact).unwrap();
    assert_eq!(shown, "€12.90 €9,007,199,254,740,993.01 €0.10 12.90 3");
    let german = html("<title>{{ a | money }}</title>{{ a | money('CHF') }}", &exact).unwrap();
    assert_eq!(german.subject, "12,90\u{a0}€");
    assert!(german.html.unwrap().ends_with("12,90\u{a0}CHF"));
    assert_eq!(text("{% if n > 1 %}many{% endif %}", &exact).unwrap(), "many");
    assert_eq!(text("{% if a %}a{% endif %}{% if zero %}zero{% endif %}", &exact).unwrap(), "a");
    for source in [
        "{{ 1.5 | money }}",
        "{{ n / 2 }}",
        "{{ (n / 2) | money }}",
        "{{ 0.1 + 0.2 }}",
        "{{ a * 2 }}",
        "{{ a + b }}",
        "{{ a ~ 1 + b }}",
    ] {
        assert!(text(source, &exact).is_err(), "{source}");
    }
}

#[test]
fn days_are_written_by_language() {
    let data = json!({ "at": "2026-03-01T12:00:00+00:00" });
    assert_eq!(text("{{ at | date }}", &data).unwrap(), "1 March 2026");
    assert_eq!(html("<title>{{ at | date }}</title>", &data).unwrap().subject, "1. März 2026");
    assert!(text("{{ lang | date }}", &data).is_err());
}

#[test]
fn parts_come_from_the_folder_only() {
    let all = mails(&[
        (
            "mails/_frame.html",
            "<title>{% block subject %}{% endblock %}</title>{% block body %}{% endblock %}",
        ),
        ("mails/_bye.de.txt", "Ihr {{ shop }}"),
        ("mails/m.de.txt", "Subject: s\n{% include \"_bye.de.txt\" %}"),
        ("mails/m.de.html", "{% extends \"_frame.html\" %}{% block body %}<p>{{ shop }}</p>{% endblock %}"),
        ("mails/out.de.txt", "Subject: s\n{% include \"../takt.toml\" %}"),
        ("mails/abs.de.txt", "Subject: s\n{% include \"/etc/passwd\" %}"),
        ("mails/self.de.txt", "Subject: s\n{% include \"self.de.txt\" %}"),
    ]);
    let told: Vec<String> = all.check().iter().map(ToString::to_string).collect();
    let known = [
        "mails/out.de.txt:2: there is no file `mails/../takt.toml`",
        "mails/abs.de.txt:2: there is no file `mails//etc/passwd`",
    ];
    assert_eq!(told, known);
    assert_eq!(all.names().collect::<Vec<_>>(), ["abs", "m", "out", "self"]);
    let made = all.render("m", "de", "de", &json!({ "shop": "A & B" })).unwrap();
    assert_eq!(
        (made.text.as_str(), made.html.as_deref()),
        ("Ihr A & B\n", Some("<title></title><p>A &amp; B</p>"))
    );
    for name in ["out", "abs", "self"] {
        assert!(
            matches!(all.render(name, "de", "de", &json!({})), Err(TemplateError::Render { .. })),
            "{name}"
        );
    }
    for name in ["_bye", "../m", "m.de.txt#subject", "", "M"] {
        assert!(
            matches!(all.render(name, "de", "de", &json!({})), Err(TemplateError::Missing { .. })),
            "{name}"
        );
    }
    for language in ["", "../de", "txt", "d"] {
        assert!(all.render("m", language, "xx", &json!({})).is_err(), "{language}");
    }
}

#[test]
fn every_filter_and_test_that_is_named_exists() {
    let data = json!({ "a": "2026-11-26", "n": "1" });
    for name in super::filters::FILTERS {
        let source = match name {
            "money" => "{{ n | money }}".to_owned(),
            "replace" => "{{ a | replace('a', 'b') }}".to_owned(),
            _ => format!("{{{{ a | {name} }}}}"),
        };
        assert!(text(&source, &data).is_ok(), "{name}");
    }
    for name in super::filters::TESTS {
        let argument = if matches!(name, "eq" | "in") { "('x')" } else { "" };
        assert!(text(&format!("{{{{ a is {name}{argument} }}}}"), &data).is_ok(), "{name}");
    }
}

#[test]
fn work_and_size_have_limits() {
    let data = json!({ "items": vec![1; 500] });
    let loops =
        "{% for a in items %}{% for b in items %}{% for c in items %}x{% endfor %}{% endfor %}{% endfor %}";
    assert!(matches!(text(loops, &data), Err(TemplateError::Render { .. })));
    assert!(text("{{ 'x' * 1000000000 }}", &data).is_err());
    let large = "x".repeat(MOST_SOURCE + 1);
    let all = mails(&[("mails/m.en.txt", &large)]);
    assert!(matches!(all.check()[..], [TemplateError::TooLarge { .. }]));
    assert!(matches!(all.render("m", "en", "en", &data), Err(TemplateError::TooLarge { .. })));
}

#[test]
fn every_fault_is_found_before_a_mail_is_sent() {
    let all = mails(&[
        ("mails/good.en.txt", "Subject: s\ntext"),
        ("mails/open.en.txt", "Subject: s\none\n{{ name"),
        ("mails/end.en.html", "<title>t</title>\n{% for a in b %}\n{% endif %}"),
        ("mails/head.en.html", "<html>\n<title>{{ }}</title>"),
        ("mails/bare.en.html", "<p>no subject</p>"),
        ("mails/bare.de.html", "<p>no subject</p>"),
        ("mails/bare.de.txt", "no subject either"),
        ("mails/mony.en.txt", "Subject: s\n\n{{ total | mony }}"),
        ("mails/test.en.txt", "Subject: s\n{% if a is evn %}{% endif %}"),
        ("mails/none.txt", "x"),
        ("mails/Big.en.txt", "x"),
        ("mails/logo.png", "x"),
    ]);
    let told: Vec<String> = all.check().iter().map(ToString::to_string).collect();
    let starts = [
        "mails/open.en.txt:3: ",
        "mails/end.en.html:3: ",
        "mails/head.en.html:2: ",
        "mails/mony.en.txt:3: there is no filter `mony`; there are: capitalize, ",
        "mails/test.en.txt:2: there is no test `evn`",
        "mails/none.txt: a template is called",
        "mails/Big.en.txt: a template is called",
        "mails/logo.png: a template is called",
        "mails/bare.de.txt: there is no subject",
        "mails/bare.en.html: there is no subject",
    ];
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    for (text, start) in told.iter().zip(starts) {
        assert!(text.starts_with(start), "{start} / {told:#?}");
    }
    assert!(all.render("good", "en", "en", &json!({})).is_ok(), "the others work all the same");
    assert!(matches!(all.render("open", "en", "en", &json!({})), Err(TemplateError::Syntax { line: 3, .. })));
    assert!(matches!(all.render("bare", "de", "en", &json!({})), Err(TemplateError::NoSubject { .. })));
}

#[test]
fn days_are_those_of_the_projects_time_zone() {
    // An hour before midnight in UTC it is the next day in Berlin.
    let data = json!({ "at": "2026-11-26T23:30:00Z", "day": "2026-11-26" });
    let mail = [("mails/m.de.txt", "Subject: S\n{{ at | date }} {{ day | date }}")];
    for (zone, expected) in [
        ("UTC", "26. November 2026 26. November 2026\n"),
        ("Europe/Berlin", "27. November 2026 26. November 2026\n"),
        ("America/New_York", "26. November 2026 26. November 2026\n"),
        ("Nowhere/Land", "26. November 2026 26. November 2026\n"),
    ] {
        let templates = MailTemplates::read(mail).in_time_zone(zone);
        assert_eq!(templates.render("m", "de", "de", &data).unwrap().text, expected, "{zone}");
    }
}
