//! `health = { request = "GET /ping", every = "5m" }`, and `api` of `[connect]`.

use std::time::Duration;

use super::super::{document::Section, problems::Problems};
use super::{operation, time};
use crate::{ApiVersion, Connect, FieldType, HealthProbe, Protocol, Value};

/// Nobody is asked more often.
const SHORTEST: Duration = Duration::from_secs(10);
const USUAL: Duration = Duration::from_secs(300);

pub(super) fn read(root: &Section<'_>, connect: &Connect, problems: &mut Problems) -> Option<HealthProbe> {
    let part = root.section("health", problems)?;
    let said = part.text("request", problems);
    let every = time(&part, "every", problems).unwrap_or(USUAL);
    part.finish(problems);
    if !matches!(connect.protocol, Protocol::Rest | Protocol::JsonRpc | Protocol::WebhookOut) {
        let message = "only connections over HTTP can be asked whether they are well";
        problems.error(part.source(), message, "remove `health`; deliveries tell how it is".to_owned());
        return None;
    }
    let Some(said) = said else {
        let help = "write `health = { request = \"GET /ping\", every = \"5m\" }`".to_owned();
        problems.error(part.source(), "`health` does not say what to ask", help);
        return None;
    };
    let request = operation::request(&said, problems)?;
    if request.method != "GET" {
        let help = format!("write `GET {}`", request.path);
        problems.error(&said.source, "a question after health must change nothing", help);
        return None;
    }
    if request.path.contains('$') {
        let help = "write a path without `$`".to_owned();
        problems.error(&said.source, "a question after health knows no event", help);
    }
    if every < SHORTEST {
        problems.error(part.source(), "`every` must be ten seconds (`10s`) or more", None);
    }
    Some(HealthProbe { request, every: every.max(SHORTEST), source: part.source().clone() })
}

pub(super) fn api(connect: &Section<'_>, problems: &mut Problems) -> Option<ApiVersion> {
    let part = connect.section("api", problems)?;
    let (version, end) = (part.text("version", problems), part.text("end", problems));
    part.finish(problems);
    let end = end.and_then(|said| match FieldType::Date.parse_text(&said.value) {
        Ok(Value::Date(day)) => Some(day),
        Ok(_) | Err(_) => {
            let help = "write `end = \"2027-09-30\"`".to_owned();
            problems.error(&said.source, format!("`{}` is no day", said.value), help);
            None
        }
    });
    let Some(version) = version else {
        let help = "write `api = { version = \"8.2\", end = \"2027-09-30\" }`".to_owned();
        problems.error(part.source(), "`api` does not say its `version`", help);
        return None;
    };
    Some(ApiVersion { version: version.value, end })
}
