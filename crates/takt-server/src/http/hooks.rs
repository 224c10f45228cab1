//! `/hooks/v1/{connection}`: messages of other systems. The answer says no more than whether the message was taken.

use ::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::body::Body;
use takt_interfaces::{ReceiveError, Received};
use takt_model::Principal;

use crate::{
    routes::Call,
    wire_error::{WireError, engine_error, wire},
};

/// Takes a message. 202 once it is on disk; 200 for a repeat and for what nobody wants.
pub(crate) async fn receive(call: Call, connection: &str) -> Result<Response<Body>, WireError> {
    let Call { app, parts, body, .. } = call;
    if parts.method != Method::POST {
        return Err(wire(405, "TAKT013", "Messages are sent with POST."));
    }
    let body = body.read().await?;
    let taken = app.interfaces.receive(connection, &parts.headers, &body).await.map_err(refused)?;
    let (status, text) = match taken {
        Received::Stored => (StatusCode::ACCEPTED, r#"{"received":true}"#),
        Received::Repeated => (StatusCode::OK, r#"{"received":true,"repeated":true}"#),
        Received::Unwanted => (StatusCode::OK, r#"{"received":false}"#),
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn refused(error: ReceiveError) -> WireError {
    match error {
        ReceiveError::UnknownConnection => wire(404, "TAKT018", "Nothing is received here."),
        ReceiveError::Signature => wire(401, "TAKT019", "The message is not signed as agreed."),
        ReceiveError::Unreadable(why) => wire(400, "TAKT020", format!("The message cannot be read: {why}.")),
        ReceiveError::NotReady => {
            wire(503, "TAKT021", "This connection is not ready yet; try again later.").retry_after(60)
        }
        ReceiveError::Engine(error) => engine_error(error, &Principal::anon()),
    }
}
