//! Calls of functions at `/rpc/{name}`: their input, and answers in the dialect's shapes.
//! Selecting, filtering and ordering the result is not built yet and refused.

use serde_json::{Map, Value, value::RawValue};

use crate::{Method, Reply, RestError, media::Media, prefer::Honoured, prefer::Prefer, query, range};

/// Words of the query string that would shape the result, with or without a path before them.
const SHAPING: [&str; 8] = ["select", "columns", "on_conflict", "order", "limit", "offset", "and", "or"];

/// What of a call can be refused before the function runs: media type and preferences. Call this first, because
/// a function that has committed cannot be taken back.
///
/// # Errors
/// PGRST107, PGRST122, PGRST127.
pub fn rpc_check(accept: Option<&str>, prefer: Option<&str>) -> Result<(), RestError> {
    if Media::accepted(accept)? == Media::Csv {
        return Err(RestError::not_built("text/csv for the result of a function"));
    }
    if Prefer::parse(prefer)?.max_affected().is_some() {
        return Err(RestError::not_built("max-affected for a function"));
    }
    Ok(())
}

/// The input of a function, as a JSON object: the body of a POST (none is `{}`), the query string of a GET or
/// HEAD with every value as text.
///
/// # Errors
/// PGRST101 for other methods, PGRST102 if the body is no object, PGRST127 for parameters that shape the result.
pub fn rpc_input(method: Method, query: &str, body: &[u8]) -> Result<Value, RestError> {
    let mut parameters = query::parameters(query)?;
    parameters.retain(|(key, _)| key != "apikey");
    match method {
        Method::Get | Method::Head => {
            if let Some((key, _)) = parameters.iter().find(|(key, _)| is_shaping(key)) {
                return Err(not_shaped(key));
            }
            let input: Map<String, Value> =
                parameters.into_iter().map(|(key, text)| (key, Value::from(text))).collect();
            Ok(Value::Object(input))
        }
        Method::Post => {
            if let Some((key, _)) = parameters.first() {
                return Err(not_shaped(key));
            }
            if body.iter().all(u8::is_ascii_whitespace) {
                return Ok(Value::Object(Map::new()));
            }
            match serde_json::from_slice(body) {
                Ok(Value::Object(input)) => Ok(Value::Object(input)),
                Ok(_) => Err(RestError::body("The body of a function call must be a JSON object")),
                Err(_) => Err(RestError::body("Empty or invalid json")),
            }
        }
        Method::Patch | Method::Put | Method::Delete => {
            let message = format!("Cannot use the {} method on RPC", method.name());
            Err(RestError::new("PGRST101", message))
        }
    }
}

fn is_shaping(key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    SHAPING.contains(&key) || (key.contains('.') && SHAPING.contains(&last))
}

fn not_shaped(key: &str) -> RestError {
    RestError::not_built(format_args!("selecting, filtering or ordering the result of a function ({key}=)"))
}

/// The answer to a call whose result is `json` (empty for none): a bare value, an object, or an array with its
/// `Content-Range`. `head` leaves the body out.
///
/// # Errors
/// PGRST107, PGRST122, PGRST127 as [`rpc_check`]; PGRST116 if a single object was asked for and the result is an
/// array of none or several; XX000 if `json` is no JSON.
pub fn rpc_reply(
    json: &str,
    accept: Option<&str>,
    prefer: Option<&str>,
    head: bool,
) -> Result<Reply, RestError> {
    rpc_check(accept, prefer)?;
    let media = Media::accepted(accept)?;
    let prefer = Prefer::parse(prefer)?;
    let json = json.trim();
    if json.is_empty() {
        return Ok(Reply::new(204));
    }
    let (rows, body) = if json.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(json)
            .map_err(|_| RestError::new("XX000", "the function's result is not valid JSON"))?;
        match (media, items.as_slice()) {
            (Media::Object, [item]) => (1, item.get()),
            (Media::Object, _) => return Err(RestError::not_singular(count(items.len()))),
            _ => (count(items.len()), json),
        }
    } else {
        (1, json)
    };
    let mut reply = Reply::new(200);
    reply.content_type(media);
    reply.header("Content-Range", range::content_range(0, rows, prefer.count.then_some(rows)));
    if let Some(applied) = prefer.applied(Honoured::default()) {
        reply.header("Preference-Applied", applied);
    }
    if !head {
        reply.body = body.as_bytes().to_vec();
    }
    Ok(reply)
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
