//! What a subscription says: read from JSON, told as JSON, made a [`Connection`] like those of `interfaces/*.toml`.
//! Pure. What a file must say, a subscription must say too, because the same person answers for both.

use serde_json::{Map, Value as Json, json};
use takt_model::{
    Connect, Connection, ConnectionAuth, ConnectionOrigin, DataFlow, Deliver, Guard, MailSecurity, Operation,
    OperationKind, Outage, Partner, Protocol, Source, Words,
};

use super::complaint::{Complaint, Fault};

/// Characters of an address.
const LONGEST_URL: usize = 2048;
const MOST_EVENTS: usize = 50;
const LONGEST_NAME: usize = 100;
/// Characters of a text for people.
const LONGEST_TEXT: usize = 1000;
const MOST_FLOWS: usize = 20;
const MOST_FIELDS: usize = 50;

/// The name of the one thing that is done over such a connection.
const OPERATION: &str = "message";

const FIELDS: [&str; 9] =
    ["url", "events", "description", "purpose", "partner", "owner", "outage", "data", "lane"];

/// What a subscription says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// Where the messages go.
    pub url: String,
    /// Names of events; `order.*` for all that begin so.
    pub events: Vec<String>,
    /// A note of whoever made it.
    pub description: Option<String>,
    /// What it is for, in plain words.
    pub purpose: Words,
    /// Who is on the other side.
    pub partner: Partner,
    /// Who answers for it on our side.
    pub owner: String,
    /// What stands still when the receiver is down.
    pub outage: Words,
    /// Personal data that leaves; without an entry, none does.
    pub data: Vec<DataFlow>,
    /// Where the ordering key stands in the event.
    pub lane: Option<String>,
}

impl Terms {
    /// What `said` makes of `before`; a field that is not said stays, `null` empties it. Everything that is wrong is
    /// told, not only the first. Whether the address may be called is judged elsewhere, because names are looked up.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn read(said: &Json, before: &Self, languages: &[String]) -> Result<Self, Vec<Complaint>> {
        let Some(said) = said.as_object() else {
            return Err(vec![Complaint::new("body", Fault::Shape("a JSON object"))]);
        };
        let mut read = Read { said, languages, wrong: Vec::new() };
        for name in said.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
            read.wrong.push(Complaint::new(name, Fault::Unknown));
        }
        let mut terms = before.clone();
        read.all(&mut terms);
        read.needed(&terms);
        if read.wrong.is_empty() { Ok(terms) } else { Err(read.wrong) }
    }

    /// As it was stored: nothing is asked of it any more.
    pub(crate) fn stored(text: &str) -> Option<Self> {
        let said: Json = serde_json::from_str(text).ok()?;
        let mut terms = Self::default();
        let mut read = Read { said: said.as_object()?, languages: &[], wrong: Vec::new() };
        read.all(&mut terms);
        Some(terms)
    }

    /// As the API tells it and the table keeps it.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let Partner { name, names: _, contact, agreement, country } = &self.partner;
        let flow = |flow: &DataFlow| {
            json!({
                "fields": flow.fields,
                "purpose": flow.purpose,
                "basis": flow.basis,
                "keep": flow.keep,
                "country": flow.country,
            })
        };
        json!({
            "url": self.url,
            "events": self.events,
            "description": self.description,
            "purpose": self.purpose,
            "partner": { "name": name, "contact": contact, "agreement": agreement, "country": country },
            "owner": self.owner,
            "outage": self.outage,
            "data": self.data.iter().map(flow).collect::<Vec<_>>(),
            "lane": self.lane,
        })
    }

    /// The connection that it becomes, as if a file said it.
    pub(crate) fn connection(&self, id: &str, enabled: bool, allow_private: bool) -> Connection {
        let source = Source { file: "takt.subscriptions".to_owned(), line: 1 };
        let deliver = Deliver { lane: self.lane.clone(), ..Deliver::webhook(self.events.clone()) };
        let operation = Operation {
            name: OPERATION.to_owned(),
            kind: OperationKind::Deliver(Box::new(deliver)),
            contract: None,
            source: source.clone(),
        };
        Connection {
            id: id.to_owned(),
            purpose: self.purpose.clone(),
            partner: self.partner.clone(),
            owner: self.owner.clone(),
            leads: Vec::new(),
            outage: Outage { words: self.outage.clone(), max: None },
            data: self.data.clone(),
            guard: Guard::default(),
            connect: Connect {
                protocol: Protocol::WebhookOut,
                address: self.url.clone(),
                // Its own name stands for its secrets; which of them sign now, its keys say.
                auth: ConnectionAuth::StandardWebhooks { secrets: vec![id.to_owned()] },
                headers: Vec::new(),
                allow_private,
                from: None,
                security: MailSecurity::default(),
                tolerance: std::time::Duration::from_secs(300),
                api: None,
                source: source.clone(),
            },
            paused: !enabled,
            operations: vec![operation],
            reconcile: None,
            health: None,
            origin: ConnectionOrigin::Subscription { enabled },
            source,
        }
    }
}

struct Read<'a> {
    said: &'a Map<String, Json>,
    languages: &'a [String],
    wrong: Vec<Complaint>,
}

impl Read<'_> {
    /// Every field that is said.
    fn all(&mut self, terms: &mut Terms) {
        self.text("url", LONGEST_URL, &mut terms.url);
        self.events(&mut terms.events);
        self.optional("description", &mut terms.description);
        self.words("purpose", &mut terms.purpose);
        self.partner(&mut terms.partner);
        self.text("owner", LONGEST_NAME, &mut terms.owner);
        self.words("outage", &mut terms.outage);
        self.data(&mut terms.data);
        self.optional("lane", &mut terms.lane);
    }

    fn complain(&mut self, field: impl Into<String>, fault: Fault) {
        self.wrong.push(Complaint::new(field, fault));
    }

    /// A text of at most `most` characters.
    fn fitting(&mut self, field: &str, value: &Json, most: usize) -> Option<String> {
        let Some(text) = value.as_str().map(str::trim) else {
            self.complain(field, Fault::Shape("a text"));
            return None;
        };
        if text.chars().count() > most {
            self.complain(field, Fault::TooMuch(most));
            return None;
        }
        if text.chars().any(|c| c.is_control() && !"\r\n\t".contains(c)) {
            self.complain(field, Fault::Shape("a text without control characters"));
            return None;
        }
        Some(text.to_owned())
    }

    fn text(&mut self, field: &'static str, most: usize, into: &mut String) {
        let Some(value) = self.said.get(field) else { return };
        if value.is_null() {
            into.clear();
        } else if let Some(text) = self.fitting(field, value, most) {
            *into = text;
        }
    }

    fn optional(&mut self, field: &'static str, into: &mut Option<String>) {
        let mut text = into.take().unwrap_or_default();
        let most = if field == "lane" { LONGEST_NAME } else { LONGEST_TEXT };
        self.text(field, most, &mut text);
        if field == "lane" && !text.chars().all(|c| c.is_ascii_alphanumeric() || "_.$".contains(c)) {
            self.complain(field, Fault::Shape("a place in the event, such as `order.id`"));
        }
        *into = Some(text).filter(|text| !text.is_empty());
    }

    fn events(&mut self, into: &mut Vec<String>) {
        let Some(value) = self.said.get("events") else { return };
        let texts = match value {
            Json::String(one) => Some(vec![one.as_str()]),
            Json::Array(list) => list.iter().map(Json::as_str).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let Some(texts) = texts else {
            return self.complain("events", Fault::Shape("a list of names of events"));
        };
        if texts.len() > MOST_EVENTS {
            return self.complain("events", Fault::TooMuch(MOST_EVENTS));
        }
        if let Some(bad) = texts.iter().find(|text| !is_pattern(text)) {
            let bad = bad.chars().take(LONGEST_NAME).collect();
            return self.complain("events", Fault::Pattern(bad));
        }
        let mut events: Vec<String> = Vec::with_capacity(texts.len());
        for text in texts {
            if !events.iter().any(|e| e == text) {
                events.push(text.to_owned());
            }
        }
        *into = events;
    }

    /// A text is in the project's first language; an object names its languages.
    fn words(&mut self, field: &'static str, into: &mut Words) {
        let Some(value) = self.said.get(field) else { return };
        let mut words = Words::default();
        match value {
            Json::Null => {}
            Json::String(_) => {
                let language = self.languages.first().cloned().unwrap_or_else(|| "en".to_owned());
                if let Some(text) = self.fitting(field, value, LONGEST_TEXT) {
                    words.0.insert(language, text);
                }
            }
            Json::Object(map) => {
                for (language, value) in map {
                    if !self.languages.is_empty() && !self.languages.contains(language) {
                        let language = language.chars().take(20).collect();
                        self.complain(field, Fault::Language(language));
                    } else if let Some(text) = self.fitting(field, value, LONGEST_TEXT) {
                        words.0.insert(language.clone(), text);
                    }
                }
            }
            _ => return self.complain(field, Fault::Shape("a text, or `{ \"en\": .., \"de\": .. }`")),
        }
        words.0.retain(|_, text| !text.is_empty());
        *into = words;
    }

    /// A text is the name.
    fn partner(&mut self, into: &mut Partner) {
        let Some(value) = self.said.get("partner") else { return };
        let mut partner = Partner::default();
        match value {
            Json::Null => {}
            Json::String(_) => {
                partner.name = self.fitting("partner", value, LONGEST_NAME).unwrap_or_default();
            }
            Json::Object(map) => {
                for (key, value) in map {
                    let field = format!("partner.{key}");
                    let place = match key.as_str() {
                        "name" => {
                            partner.name = self.fitting(&field, value, LONGEST_NAME).unwrap_or_default();
                            continue;
                        }
                        "contact" => &mut partner.contact,
                        "agreement" => &mut partner.agreement,
                        "country" => &mut partner.country,
                        _ => {
                            self.complain(field, Fault::Unknown);
                            continue;
                        }
                    };
                    if !value.is_null() {
                        *place = self.fitting(&field, value, LONGEST_NAME).filter(|t| !t.is_empty());
                    }
                }
            }
            _ => return self.complain("partner", Fault::Shape("a name, or `{ \"name\": .. }`")),
        }
        *into = partner;
    }

    fn data(&mut self, into: &mut Vec<DataFlow>) {
        let Some(value) = self.said.get("data") else { return };
        let list = match value {
            Json::Null => &[],
            Json::Array(list) if list.len() > MOST_FLOWS => {
                return self.complain("data", Fault::TooMuch(MOST_FLOWS));
            }
            Json::Array(list) => list.as_slice(),
            _ => return self.complain("data", Fault::Shape("a list of flows of personal data")),
        };
        *into = list.iter().map(|value| self.flow(value)).collect();
    }

    fn flow(&mut self, value: &Json) -> DataFlow {
        let mut flow = DataFlow::default();
        let Some(map) = value.as_object() else {
            self.complain("data", Fault::Shape("a list of objects with fields, purpose, basis and country"));
            return flow;
        };
        for (key, value) in map {
            let field = format!("data.{key}");
            let place = match key.as_str() {
                "fields" => {
                    flow.fields = self.names(value);
                    continue;
                }
                "purpose" => &mut flow.purpose,
                "basis" => &mut flow.basis,
                "keep" => &mut flow.keep,
                "country" => &mut flow.country,
                _ => {
                    self.complain(field, Fault::Unknown);
                    continue;
                }
            };
            if !value.is_null() {
                *place = self.fitting(&field, value, LONGEST_NAME).filter(|t| !t.is_empty());
            }
        }
        for (field, is_said) in [
            ("data.fields", !flow.fields.is_empty()),
            ("data.purpose", flow.purpose.is_some()),
            ("data.basis", flow.basis.is_some()),
            ("data.country", flow.country.is_some()),
        ] {
            if !is_said && !self.wrong.iter().any(|w| w.field == field) {
                self.complain(field, Fault::Missing);
            }
        }
        flow
    }

    fn names(&mut self, value: &Json) -> Vec<String> {
        let is_name = |text: &&str| {
            (1..=LONGEST_NAME).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        let names = value.as_array().filter(|list| list.len() <= MOST_FIELDS).and_then(|list| {
            list.iter().map(|v| v.as_str().filter(is_name).map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        if names.is_none() {
            self.complain("data.fields", Fault::Shape("a list of at most 50 names of fields"));
        }
        names.unwrap_or_default()
    }

    /// What every subscription must say.
    fn needed(&mut self, terms: &Terms) {
        for (field, is_said) in [
            ("url", !terms.url.is_empty()),
            ("events", !terms.events.is_empty()),
            ("purpose", !terms.purpose.is_empty()),
            ("partner", !terms.partner.name.is_empty()),
            ("owner", !terms.owner.is_empty()),
            ("outage", !terms.outage.is_empty()),
        ] {
            if !is_said && !self.wrong.iter().any(|w| w.field == field) {
                self.complain(field, Fault::Missing);
            }
        }
    }
}

/// `order.placed`, `order.*`, `*`
fn is_pattern(text: &str) -> bool {
    let name = text.strip_suffix('*').unwrap_or(text);
    let is_whole = text.ends_with('*') || !name.is_empty();
    let starred = !text.ends_with('*') || name.is_empty() || name.ends_with('.');
    text.len() <= LONGEST_NAME
        && is_whole
        && starred
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.' || b == b'-')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use expect_test::expect;

    fn whole() -> Json {
        json!({
            "url": "https://partner.example/hooks",
            "events": ["order.placed", "order.*"],
            "purpose": { "en": "Orders are shown at the partner.", "de": "Bestellungen stehen beim Partner." },
            "partner": { "name": "Partner", "contact": "it@partner.example", "country": "DE" },
            "owner": "Sales",
            "outage": "The partner sees orders later.",
            "data": [{ "fields": ["email"], "purpose": "contact", "basis": "contract", "country": "DE" }],
            "lane": "order.id",
        })
    }

    fn read(said: &Json) -> Result<Terms, String> {
        let languages = ["en", "de"].map(str::to_owned);
        Terms::read(said, &Terms::default(), &languages)
            .map_err(|wrong| wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn what_was_said_is_stored_and_told_as_it_was() {
        let terms = read(&whole()).unwrap();
        assert_eq!(Terms::stored(&terms.to_json().to_string()), Some(terms.clone()));
        assert_eq!(read(&terms.to_json()), Ok(terms.clone()));
        let languages = ["en".to_owned(), "de".to_owned()];
        let changed = json!({ "lane": null, "events": "order.shipped" });
        let changed = Terms::read(&changed, &terms, &languages).unwrap();
        assert_eq!(changed, Terms { lane: None, events: vec!["order.shipped".to_owned()], ..terms });
    }

    #[test]
    fn whoever_leaves_something_out_is_told_why_it_must_be_said() {
        expect![[r#"
            `url` is missing: where the messages go
            `events` is missing: which events are sent
            `purpose` is missing: say in plain words what the messages are for; who answers for the project must be able to judge it
            `partner` is missing: who gets the messages, as people call them
            `owner` is missing: who answers for it on your side
            `outage` is missing: what stands still while the receiver is down, and what people do meanwhile"#]]
        .assert_eq(&read(&json!({})).unwrap_err());
        expect![[r#"
            `data.basis` is missing: the legal basis on which personal data leaves
            `data.country` is missing: the country to which personal data goes, such as DE"#]]
        .assert_eq(&{
            let mut said = whole();
            said["data"] = json!([{ "fields": ["email"], "purpose": "contact" }]);
            read(&said).unwrap_err()
        });
    }

    #[test]
    fn everything_has_a_shape_and_a_limit() {
        let mut told = String::new();
        for (field, value) in [
            ("url", json!(7)),
            ("url", json!("x".repeat(3000))),
            ("events", json!(["order placed"])),
            ("events", json!(["ord*"])),
            ("events", json!(vec!["a"; 51])),
            ("events", json!([])),
            ("purpose", json!({ "fr": "Non" })),
            ("purpose", json!(" ")),
            ("partner", json!({ "contact": "x" })),
            ("partner", json!({ "name": "x", "phone": "1" })),
            ("owner", json!("x".repeat(101))),
            ("data", json!("email")),
            ("data", json!([{ "fields": "email", "purpose": "p", "basis": "b", "country": "DE" }])),
            ("lane", json!("order id")),
            ("secret", json!("whsec_mine")),
        ] {
            let mut said = whole();
            said[field] = value;
            told.push_str(&read(&said).unwrap_err());
            told.push('\n');
        }
        expect![[r#"
            `url` must be a text
            `url` is too long; 2048 is the limit
            `order placed` is no event; write `order.placed`, `order.*` or `*`
            `ord*` is no event; write `order.placed`, `order.*` or `*`
            `events` is too long; 50 is the limit
            `events` is missing: which events are sent
            `fr` in `purpose` is no language of the project
            `purpose` is missing: say in plain words what the messages are for; who answers for the project must be able to judge it
            `partner` is missing: who gets the messages, as people call them
            `partner.phone` is no field of a subscription
            `owner` is too long; 100 is the limit
            `data` must be a list of flows of personal data
            `data.fields` must be a list of at most 50 names of fields
            `lane` must be a place in the event, such as `order.id`
            `secret` is no field of a subscription
        "#]]
        .assert_eq(&told);
        assert!(read(&json!([])).unwrap_err().contains("a JSON object"));
        for pattern in ["*", "order.*", "order.placed", "a-b.c_d"] {
            assert!(is_pattern(pattern), "{pattern}");
        }
        for pattern in ["", "order*", "*.placed", "order..*x", "ä"] {
            assert!(!is_pattern(pattern), "{pattern}");
        }
    }
}
