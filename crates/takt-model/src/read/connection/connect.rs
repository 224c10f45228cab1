//! `[connect]`: how the other side is reached, and who we are there. Secrets are named, never written.

use super::super::{
    document::{Section, Spotted},
    problems::{Problems, did_you_mean_or_list},
};
use super::{address, health, time};
use crate::{Connect, ConnectionAuth, MailSecurity, Protocol};

const PROTOCOLS: [(&str, Protocol); 5] = [
    ("rest", Protocol::Rest),
    ("jsonrpc", Protocol::JsonRpc),
    ("webhook-out", Protocol::WebhookOut),
    ("webhook-in", Protocol::WebhookIn),
    ("smtp", Protocol::Smtp),
];

pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> Option<Connect> {
    let Some(part) = section.section("connect", problems) else {
        let help = "write `[connect]` with `protocol` and `base`".to_owned();
        problems.error(section.source(), "a connection must say how it is reached", help);
        return None;
    };
    let protocol = protocol(&part, problems)?;
    let connect = Connect {
        protocol,
        address: base(&part, protocol, problems),
        auth: auth(&part, problems),
        headers: headers(&part, problems),
        allow_private: part.flag("allow_private", problems).is_some_and(|f| f.value),
        from: part.text("from", problems).map(|t| t.value),
        security: security(&part, problems),
        tolerance: time(&part, "tolerance", problems).unwrap_or(std::time::Duration::from_secs(300)),
        api: health::api(&part, problems),
        source: part.value("base").map_or_else(|| part.source().clone(), |base| base.source),
    };
    if protocol == Protocol::Smtp && connect.from.is_none() {
        let help = "write `from = \"Shop <post@shop.example>\"`".to_owned();
        problems.error(part.source(), "mail needs a sender", help);
    }
    if protocol == Protocol::WebhookIn && connect.auth == ConnectionAuth::None {
        let help = "write `auth = { kind = \"standard-webhooks\", secrets = [\"...\"] }`".to_owned();
        problems.error(part.source(), "anybody could send to this connection", help);
    }
    part.finish(problems);
    Some(connect)
}

fn protocol(part: &Section<'_>, problems: &mut Problems) -> Option<Protocol> {
    let known = PROTOCOLS.iter().map(|(name, _)| *name);
    let Some(said) = part.text("protocol", problems) else {
        problems.error(part.source(), "`[connect]` has no `protocol`", did_you_mean_or_list("", known));
        return None;
    };
    let found = PROTOCOLS.iter().find(|(name, _)| *name == said.value);
    if found.is_none() {
        let help = did_you_mean_or_list(&said.value, known);
        problems.error(&said.source, format!("unknown protocol `{}`", said.value), help);
    }
    found.map(|(_, protocol)| *protocol)
}

fn base(part: &Section<'_>, protocol: Protocol, problems: &mut Problems) -> String {
    let said = part.text("base", problems);
    let is_web = matches!(protocol, Protocol::Rest | Protocol::JsonRpc | Protocol::WebhookOut);
    match said {
        Some(said) if is_web => {
            address::web(&said, "base", problems);
            said.value.trim_end_matches('/').to_owned()
        }
        Some(said) if protocol == Protocol::Smtp => {
            address::mail_server(&said, problems);
            said.value
        }
        Some(Spotted { source, .. }) => {
            problems.error(
                &source,
                "webhooks come in at `/hooks/v1/<name of the file>`; `base` is not needed",
                None,
            );
            String::new()
        }
        None if protocol == Protocol::WebhookIn => String::new(),
        None => {
            problems.error(part.source(), "`[connect]` has no `base`", None);
            String::new()
        }
    }
}

fn headers(part: &Section<'_>, problems: &mut Problems) -> Vec<(String, String)> {
    let Some(list) = part.section("headers", problems) else { return Vec::new() };
    let mut headers = Vec::new();
    for (name, source, node) in list.entries() {
        match node.get_ref().as_str() {
            Some(value) if is_header(name) && !value.contains(['\r', '\n']) => {
                headers.push((name.to_owned(), value.to_owned()));
            }
            _ => problems.error(&source, format!("`{name}` is no header with a text"), None),
        }
    }
    headers
}

fn is_header(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn security(part: &Section<'_>, problems: &mut Problems) -> MailSecurity {
    let Some(said) = part.text("security", problems) else { return MailSecurity::default() };
    match said.value.as_str() {
        "starttls" => MailSecurity::StartTls,
        "tls" => MailSecurity::Tls,
        "none" => MailSecurity::None,
        other => {
            let help = did_you_mean_or_list(other, ["starttls", "tls", "none"]);
            problems.error(&said.source, format!("unknown security `{other}`"), help);
            MailSecurity::default()
        }
    }
}

const KINDS: [&str; 7] = ["apikey", "basic", "standard-webhooks", "stripe", "github", "hmac", "oauth2-cc"];

fn auth(part: &Section<'_>, problems: &mut Problems) -> ConnectionAuth {
    let Some(auth) = part.section("auth", problems) else { return ConnectionAuth::None };
    let kind = auth.text("kind", problems);
    let read = match kind.as_ref().map(|k| k.value.as_str()) {
        Some("apikey") => ConnectionAuth::ApiKey {
            header: optional(&auth, "header", problems).unwrap_or_else(|| "Authorization".to_owned()),
            prefix: optional(&auth, "prefix", problems).unwrap_or_default(),
            secret: secret(&auth, problems),
        },
        Some("basic") => {
            ConnectionAuth::Basic { user: needed(&auth, "user", problems), secret: secret(&auth, problems) }
        }
        Some("standard-webhooks") => ConnectionAuth::StandardWebhooks { secrets: secrets(&auth, problems) },
        Some("stripe") => ConnectionAuth::Stripe { secrets: secrets(&auth, problems) },
        Some("github") => ConnectionAuth::GitHub { secrets: secrets(&auth, problems) },
        Some("hmac") => ConnectionAuth::Hmac {
            header: needed(&auth, "header", problems),
            prefix: optional(&auth, "prefix", problems).unwrap_or_default(),
            base64: optional(&auth, "encoding", problems).is_some_and(|e| e == "base64"),
            secrets: secrets(&auth, problems),
        },
        Some("oauth2-cc") => ConnectionAuth::OAuth2 {
            token_url: token_url(&auth, problems),
            client_id: needed(&auth, "client_id", problems),
            secret: secret(&auth, problems),
            scope: optional(&auth, "scope", problems),
        },
        Some(other) => {
            let help = did_you_mean_or_list(other, KINDS);
            problems.error(auth.source(), format!("unknown kind of authentication `{other}`"), help);
            return ConnectionAuth::None;
        }
        None => {
            problems.error(auth.source(), "`auth` has no `kind`", did_you_mean_or_list("", KINDS));
            return ConnectionAuth::None;
        }
    };
    auth.finish(problems);
    read
}

fn optional(section: &Section<'_>, key: &'static str, problems: &mut Problems) -> Option<String> {
    section.text(key, problems).map(|t| t.value)
}

fn needed(section: &Section<'_>, key: &'static str, problems: &mut Problems) -> String {
    let found = optional(section, key, problems);
    if found.is_none() {
        problems.error(section.source(), format!("`auth` has no `{key}`"), None);
    }
    found.unwrap_or_default()
}

fn token_url(section: &Section<'_>, problems: &mut Problems) -> String {
    let url = needed(section, "token_url", problems);
    if let Some(source) = section.value("token_url").map(|v| v.source).filter(|_| !url.is_empty()) {
        address::web(&Spotted { value: url.clone(), source }, "token_url", problems);
    }
    url
}

/// The one secret of `auth`, by its name.
fn secret(section: &Section<'_>, problems: &mut Problems) -> String {
    let name = needed(section, "secret", problems);
    if let Some(said) = section.value("secret") {
        address::secret_name(&name, &said.source, problems);
    }
    name
}

fn secrets(section: &Section<'_>, problems: &mut Problems) -> Vec<String> {
    let said = section.texts("secrets", problems);
    if said.as_ref().is_none_or(|s| s.value.is_empty()) {
        let help = "write `secrets = [\"name_of_the_secret\"]`".to_owned();
        problems.error(section.source(), "`auth` names no secret", help);
    }
    let Some(Spotted { value: names, source }) = said else { return Vec::new() };
    names.iter().for_each(|name| address::secret_name(name, &source, problems));
    names
}
