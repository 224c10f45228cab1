//! Addresses of `[connect]`, as far as they can be judged before anybody connects: web addresses, mail servers, and
//! names of secrets where somebody may have written the secret itself. What is wrong is told without repeating it where
//! it may be confidential. Not here: whether an address belongs to the own network (`takt-outbound` knows).

use super::super::{document::Spotted, problems::Problems};
use crate::Source;

/// Nobody gives a secret a longer name.
const LONGEST_NAME: usize = 64;
/// How values of secrets begin that people copy by mistake.
const VALUES: [&str; 12] = [
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "whsec_",
    "ghp_",
    "github_pat_",
    "sb_secret_",
    "AKIA",
    "xoxb-",
    "eyJ",
    "SG.",
    "-----BEGIN",
];

/// Whether `https://erp.example/rest` leads somewhere; says what is wrong with it.
pub(super) fn web(said: &Spotted<String>, key: &str, problems: &mut Problems) {
    let Some(rest) = said.value.strip_prefix("https://").or_else(|| said.value.strip_prefix("http://"))
    else {
        return wrong(said, "is no web address", "https://erp.example/rest", key, problems);
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if holds_user(said, authority, key, problems) {
        return;
    }
    let (host, port) = host_and_port(authority);
    if said.value.contains(|c: char| c.is_whitespace() || c.is_control()) || !is_host(host) {
        wrong(said, "is no web address", "https://erp.example/rest", key, problems);
    } else if port.is_some_and(|port| !is_port(port)) {
        wrong(said, "has no port between 1 and 65535", "https://erp.example:8443/rest", key, problems);
    }
}

/// Whether `mail.example:587` can be a mail server with its port.
pub(super) fn mail_server(said: &Spotted<String>, problems: &mut Problems) {
    if holds_user(said, &said.value, "base", problems) {
        return;
    }
    let (host, port) = host_and_port(&said.value);
    if !is_host(host) || !port.is_some_and(is_port) {
        wrong(said, "is no mail server with its port", "mail.example:587", "base", problems);
    }
}

/// Whether `name` can be the name of a secret. A value in a file is read by everybody who reads the file.
pub(super) fn secret_name(name: &str, source: &Source, problems: &mut Problems) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let fits = !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_name);
    if fits && !VALUES.iter().any(|value| name.starts_with(value)) {
        return;
    }
    let help = "write a name, such as `secret = \"erp_key\"`, and give it its value with `takt secrets set erp_key`; a \
                value that stood in a file should be exchanged";
    problems.error(
        source,
        "here stands the name of a secret, and this looks like its value",
        help.to_owned(),
    );
}

/// A password in an address gets into logs, pages and lists of processes.
fn holds_user(said: &Spotted<String>, authority: &str, key: &str, problems: &mut Problems) -> bool {
    let is_held = authority.contains('@');
    if is_held {
        let help = "write `auth = { kind = \"basic\", user = \"...\", secret = \"...\" }` and the address without them";
        let message = format!("`{key}` holds a user or a password");
        problems.error(&said.source, message, help.to_owned());
    }
    is_held
}

fn wrong(said: &Spotted<String>, what: &str, example: &str, key: &str, problems: &mut Problems) {
    // What has an `@` may hold a password.
    let shown = if said.value.contains('@') { key } else { &said.value };
    problems.error(&said.source, format!("`{shown}` {what}"), format!("write `{key} = \"{example}\"`"));
}

/// `erp.example` and `8443`; a number of IPv6 stands in brackets.
fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(number) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        return number.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    host.strip_suffix('.').unwrap_or(host).split('.').all(label)
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}
