//! `/rest/v1/{table}`: the data door.

use std::borrow::Cow;

use ::http::{
    HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, Response, StatusCode, header, request::Parts,
};
use axum::body::Body;
use takt_engine::{EngineError, Outcome};
use takt_model::Principal;
use takt_rest::{JsonSink, Method, Reply, RestOutcome, RestParts};

use crate::{
    app::App,
    body::header as text,
    dev,
    http::rpc,
    routes::Call,
    wire_error::{WireError, engine_error, rest_error},
};

/// Reads, writes or removes rows.
pub(crate) async fn table(call: Call, who: Principal, table: &str) -> Result<Response<Body>, WireError> {
    let Call { app, parts, body, .. } = call;
    if parts.method == HttpMethod::OPTIONS {
        return Ok(allowed_methods());
    }
    let body = body.read().await?;
    let prefer = preferences(&parts.headers);
    let method = Method::named(parts.method.as_str()).map_err(rest_error)?;
    let request =
        takt_rest::parse(&rest_parts(method, table, &parts, prefer.as_deref(), &body)).map_err(rest_error)?;
    let project = app.project();
    let verdict = if request.singular() { exactly_one } else { anything };
    // In one function: a future inside this one would be carried by every request.
    let answered = match request.plan(&project, &who).map_err(rest_error) {
        Ok(plan) => {
            let ran = app.engine.run(&who, plan, request.sink(), verdict).await;
            ran.map_err(|e| refused(&app, e, &who, &parts.headers)).and_then(|(sink, outcome)| {
                request.reply(sink, &rest_outcome(&outcome)).map(response).map_err(rest_error)
            })
        }
        Err(refused) => Err(refused),
    };
    if !app.dev {
        return answered;
    }
    // The developer is told of every table asked for, of those too that the caller may not know.
    let asked = request.plan(&project, &Principal::service()).ok();
    match asked.and_then(|plan| dev::explain(&plan, &project, &who)) {
        Some(line) => Ok(explaining(answered.unwrap_or_else(WireError::into_response), &line)),
        None => answered,
    }
}

/// A refusal of the engine; a hook's in the caller's language.
fn refused(app: &App, error: EngineError, who: &Principal, headers: &HeaderMap) -> WireError {
    match error {
        EngineError::Rejected { status, message, details_json } => {
            rpc::in_their_language(app, status, &message, &details_json, headers)
        }
        error => engine_error(error, who),
    }
}

fn explaining(mut response: Response<Body>, line: &str) -> Response<Body> {
    if let Ok(line) = HeaderValue::from_bytes(line.as_bytes()) {
        response.headers_mut().insert("takt-explain", line);
    }
    response
}

fn rest_parts<'a>(
    method: Method,
    table: &'a str,
    parts: &'a Parts,
    prefer: Option<&'a str>,
    body: &'a [u8],
) -> RestParts<'a> {
    let headers = &parts.headers;
    RestParts {
        accept: text(headers, &header::ACCEPT),
        accept_profile: text(headers, &HeaderName::from_static("accept-profile")),
        content_profile: text(headers, &HeaderName::from_static("content-profile")),
        content_type: text(headers, &header::CONTENT_TYPE),
        prefer,
        range: text(headers, &header::RANGE),
        body,
        ..RestParts::new(method, table, parts.uri.query().unwrap_or_default())
    }
}

/// `Prefer`; sent several times it means all of them.
pub(crate) fn preferences(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let mut said = headers.get_all("prefer").iter().filter_map(|v| v.to_str().ok());
    let first = Cow::Borrowed(said.next()?);
    Some(said.fold(first, |all, next| Cow::Owned(format!("{all}, {next}"))))
}

fn rest_outcome(outcome: &Outcome) -> RestOutcome {
    RestOutcome {
        returned: outcome.returned,
        affected: outcome.affected,
        inserted: outcome.inserted,
        count: outcome.count,
    }
}

fn exactly_one(_: &JsonSink, outcome: &Outcome) -> Result<(), EngineError> {
    match rest_outcome(outcome).rows() {
        1 => Ok(()),
        rows => Err(EngineError::NotSingular { rows }),
    }
}

fn anything(_: &JsonSink, _: &Outcome) -> Result<(), EngineError> {
    Ok(())
}

/// A reply of the dialect as an answer of the server.
pub(crate) fn response(reply: Reply) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    // And the four that every answer gets (`headers.rs`, the request's id); growing would move them all.
    headers.reserve(reply.headers.len() + 4);
    for (name, value) in reply.headers {
        // What the dialect writes into headers is ASCII; if it ever is not, the header is left out.
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::try_from(value))
        {
            headers.append(name, value);
        }
    }
    response
}

fn allowed_methods() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let methods = HeaderValue::from_static("OPTIONS,GET,HEAD,POST,PATCH,DELETE");
    response.headers_mut().insert(header::ALLOW, methods);
    response
}
