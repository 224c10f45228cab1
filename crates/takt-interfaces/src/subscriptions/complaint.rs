//! What is wrong with a subscription that somebody wants to save: for each field, in words for developers. The console
//! has words of its own for owners.

use std::fmt;

/// Something that is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// `events`, `data.basis`
    pub field: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is not said.
    Missing,
    /// It has another shape; this is the right one.
    Shape(&'static str),
    /// Too many characters or entries; this many may be.
    TooMuch(usize),
    /// Nobody knows this field.
    Unknown,
    /// No event can have such a name.
    Pattern(String),
    /// No language of the project.
    Language(String),
    /// No web address.
    Address(String),
    /// Plain `http`.
    NotHttps,
    /// It leads into the own network.
    Private,
    /// A user or password in the address.
    Credentials,
}

impl Complaint {
    pub(crate) fn new(field: impl Into<String>, fault: Fault) -> Self {
        Self { field: field.into(), fault }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match &self.fault {
            Fault::Missing => write!(f, "`{field}` is missing: {}", why(field)),
            Fault::Shape(shape) => write!(f, "`{field}` must be {shape}"),
            Fault::TooMuch(most) => write!(f, "`{field}` is too long; {most} is the limit"),
            Fault::Unknown => write!(f, "`{field}` is no field of a subscription"),
            Fault::Pattern(said) => {
                write!(f, "`{said}` is no event; write `order.placed`, `order.*` or `*`")
            }
            Fault::Language(said) => write!(f, "`{said}` in `{field}` is no language of the project"),
            Fault::Address(why) => write!(f, "`{field}` is no address of a receiver: {why}"),
            Fault::NotHttps => write!(f, "`{field}` must begin with https://"),
            Fault::Private => {
                write!(f, "`{field}` leads into the own network (`webhooks.allow_private` of the settings)")
            }
            Fault::Credentials => write!(f, "`{field}` must not hold a user, a password or a `#`"),
        }
    }
}

/// Why it must be said: whoever answers for the project must be able to judge what leaves it.
fn why(field: &str) -> &'static str {
    match field {
        "url" => "where the messages go",
        "events" => "which events are sent",
        "purpose" => {
            "say in plain words what the messages are for; who answers for the project must be able to judge it"
        }
        "owner" => "who answers for it on your side",
        "partner" | "partner.name" => "who gets the messages, as people call them",
        "outage" => "what stands still while the receiver is down, and what people do meanwhile",
        "data.fields" => "which personal fields leave",
        "data.purpose" => "what the personal data is for",
        "data.basis" => "the legal basis on which personal data leaves",
        "data.country" => "the country to which personal data goes, such as DE",
        _ => "it must be said",
    }
}
