//! `/functions/v1/{function}`: functions over plain HTTP. Actions are called with a JSON object, `http` functions
//! get the request as it came.

use ::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::body::Body;
use serde_json::Value as Json;
use takt_logic::{FunctionKind, HttpCall};
use takt_model::Principal;

use crate::{
    http::rpc,
    routes::Call,
    wire_error::{WireError, logic_error, unknown_function, wire},
};

/// Calls a function.
pub(crate) async fn call(
    call: Call,
    who: Principal,
    function: &str,
    rest: &str,
) -> Result<Response<Body>, WireError> {
    let kind = call.app.logic.load().function(function).map(|f| f.kind);
    let answered = match kind {
        None | Some(FunctionKind::Hook | FunctionKind::Consumer | FunctionKind::Job) => {
            Err(unknown_function(function))
        }
        Some(FunctionKind::Action) => action(call, who, function).await,
        Some(FunctionKind::Http) => http(call, who, function, rest).await,
    };
    // Clients tell an error of the platform from one of the function by this header.
    Ok(answered.unwrap_or_else(|error| {
        let mut response = error.into_response();
        response.headers_mut().insert("x-relay-error", HeaderValue::from_static("true"));
        response
    }))
}

async fn action(call: Call, who: Principal, function: &str) -> Result<Response<Body>, WireError> {
    let Call { app, peer, parts, body } = call;
    if parts.method != Method::POST {
        let message = format!("The function {function} may write and is called with POST.");
        return Err(wire(405, "25006", message));
    }
    app.admission.visitor_call(&app, &who, peer, &parts.headers)?;
    let body = body.read().await?;
    let input = if body.iter().all(u8::is_ascii_whitespace) {
        Json::Object(serde_json::Map::new())
    } else {
        serde_json::from_slice(&body).map_err(|_| wire(400, "PGRST102", "Empty or invalid json"))?
    };
    if !input.is_object() {
        return Err(wire(400, "PGRST102", "The body of a function call must be a JSON object"));
    }
    let answer = rpc::run(&app, who, function, input, &parts.headers).await?;
    if answer.refused {
        return Ok(rpc::refusal(&app, &answer, &parts.headers));
    }
    let mut response = Response::new(Body::from(answer.body.clone()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    if !answer.body.is_empty() {
        let kind = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    rpc::mark(&answer, response.headers_mut());
    Ok(response)
}

async fn http(call: Call, who: Principal, function: &str, rest: &str) -> Result<Response<Body>, WireError> {
    let Call { app, peer, parts, body } = call;
    app.admission.visitor_call(&app, &who, peer, &parts.headers)?;
    let body = body.read().await?;
    let logic = app.logic.load_full();
    let caller = who.clone();
    let call = HttpCall {
        function,
        who,
        method: parts.method,
        path: format!("/{rest}"),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    };
    let answer = logic.http(&app.engine, call).await;
    let answer = answer.map_err(|e| logic_error(e, function, &caller, app.dev))?;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = answer.headers;
    // Lengths and connections are ours to tell.
    for name in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION] {
        response.headers_mut().remove(name);
    }
    Ok(response)
}
