//! `/rest/v1/{table}`: the data door.

mod generations;
mod shapes;

use std::borrow::Cow;

use ::http::{
    HeaderMap, HeaderName, HeaderValue, Method as HttpMethod, Response, StatusCode, header, request::Parts,
};
use axum::body::Body;
use takt_engine::{EngineError, Outcome, Verdict};
use takt_model::{Principal, Project};
use takt_rest::{JsonSink, Method, Reply, Request, RestOutcome, RestParts};

pub(crate) use self::shapes::Shapes;
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
    let asked = rest_parts(method, table, &parts, prefer.as_deref(), &body);
    let project = app.project();
    // With --dev an answer tells how its plan came about, so there it is made each time.
    if !app.dev
        && let Some((read, values)) = app.shapes.find(&app.engine, &project, &asked, &who)
    {
        let (sink, verdict) = (read.request.sink(), verdict(&read.request));
        let ran = app.engine.run_prepared(&who, &read.prepared, values, sink, verdict).await;
        return answered(&read.request, ran.map_err(|e| engine_error(e, &who)));
    }
    // On the heap: what a request of a known shape does not need shall not be carried by it.
    Box::pin(whole_way(&app, &project, &who, &asked, &parts.headers)).await
}

/// A request is read, planned, guarded and run.
async fn whole_way(
    app: &App,
    project: &Project,
    who: &Principal,
    asked: &RestParts<'_>,
    headers: &HeaderMap,
) -> Result<Response<Body>, WireError> {
    let request = takt_rest::parse(asked).map_err(rest_error)?;
    let answer = match request.plan(project, who).map_err(rest_error) {
        Ok(plan) => {
            let ran = app.engine.run(who, plan, request.sink(), verdict(&request)).await;
            answered(&request, ran.map_err(|e| refused(app, e, who, headers)))
        }
        Err(refused) => Err(refused),
    };
    if !app.dev {
        return answer;
    }
    // The developer is told of every table asked for, of those too that the caller may not know.
    let asked = request.plan(project, &Principal::service()).ok();
    match asked.and_then(|plan| dev::explain(&plan, project, who)) {
        Some(line) => Ok(explaining(answer.unwrap_or_else(WireError::into_response), &line)),
        None => answer,
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

/// What ran, as an answer.
fn answered(
    request: &Request,
    ran: Result<(JsonSink, Outcome), WireError>,
) -> Result<Response<Body>, WireError> {
    let (sink, outcome) = ran?;
    request.reply(sink, &rest_outcome(&outcome)).map(response).map_err(rest_error)
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

fn verdict(request: &Request) -> Verdict<JsonSink> {
    if request.singular() { exactly_one } else { anything }
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
        if let (Some(name), Ok(value)) = (header_name(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    response
}

/// The two that every read has are known without a look at their letters.
fn header_name(name: &str) -> Option<HeaderName> {
    match name {
        "Content-Type" => Some(header::CONTENT_TYPE),
        "Content-Range" => Some(header::CONTENT_RANGE),
        other => HeaderName::from_bytes(other.as_bytes()).ok(),
    }
}

fn allowed_methods() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let methods = HeaderValue::from_static("OPTIONS,GET,HEAD,POST,PATCH,DELETE");
    response.headers_mut().insert(header::ALLOW, methods);
    response
}
