//! One call of an `http` function, on a worker thread, in a context of its own.

use std::{rc::Rc, sync::Arc, time::SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rquickjs::{Array, Coerced, Ctx, Function, IntoJs, Object, Persistent, TypedArray, Value as Js};
use takt_engine::ActionError;
use takt_model::{Decimal, FieldType, Uuid, Value};

use super::{
    context::{Bare, LOAD_TIME, evaluate, prelude, settle},
    failure,
    host::{Host, Thrown},
    json,
    limits::Measure,
    run::Caller,
    values::to_js,
};
use crate::{Call, HttpAnswer, LogicError, http_call::Errand};

const WEB: &str = include_str!("http.js");

/// Runs the function and reads its answer.
pub(crate) fn run(errand: &Errand) -> Result<HttpAnswer, LogicError> {
    let shared = &errand.logic.shared;
    let settings = &shared.project.settings.logic;
    let host = Host::new(Arc::clone(&shared.project), Measure::Elapsed);
    host.clock.set(now_ms);
    let (high, low) = Uuid::new_v4().as_u64_pair();
    host.set_chance(high ^ low);
    let bare = Bare::open(host, &shared.modules, settings.memory_bytes)?;
    bare.host.budget.begin(settings.http_time.max(LOAD_TIME));
    let mut answer = answer(&bare, errand);
    if let Err(error) = &mut answer {
        failure::tell_memory(error, bare.is_full(settings.memory_bytes));
    }
    Ok(answer?)
}

/// Outside a transaction the moment is the machine's.
fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as f64
}

fn answer(bare: &Bare, errand: &Errand) -> Result<HttpAnswer, ActionError> {
    let (host, modules) = (&bare.host, &errand.logic.shared.modules);
    let (web, called) = bare.with(|ctx| {
        let (web, called) = begin(ctx, host, errand)?;
        Ok::<_, ActionError>((Persistent::save(ctx, web), Persistent::save(ctx, called)))
    })?;
    let place = bare.drive(modules);
    bare.with(|ctx| {
        let failed = |error: rquickjs::Error| failure::of_error(host, ctx, modules, &error);
        let ended = settle(ctx, host, modules, called.restore(ctx).map_err(failed)?);
        if let Some(limit) = host.budget.hit() {
            return Err(failure::limit_hit(limit, place));
        }
        finish(&web.restore(ctx).map_err(failed)?, ended?).map_err(failed)
    })
}

/// Calls the function; gives the helpers of the web and whatever came back so far.
fn begin<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    errand: &Errand,
) -> Result<(Object<'js>, Js<'js>), ActionError> {
    let shared = &errand.logic.shared;
    let failed = |error: rquickjs::Error| failure::of_error(host, ctx, &shared.modules, &error);
    let parts = prelude(ctx, host).map_err(failed)?;
    let web = web(ctx, host, errand, &parts).map_err(failed)?;
    let path = &shared.functions[errand.function].source.file;
    let exports = evaluate(ctx, host, &shared.modules, path)?;
    let called = call(ctx, &web, &exports, errand).map_err(failed)?;
    Ok((web, called))
}

fn web<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    errand: &Errand,
    parts: &Object<'js>,
) -> rquickjs::Result<Object<'js>> {
    let lent = Object::new(ctx.clone())?;
    let h = Rc::clone(host);
    lent.set(
        "json",
        Function::new(ctx.clone(), move |ctx: Ctx<'js>, value: Js<'js>| {
            json::write_some(&h, &ctx, &value).map_err(|t| h.throw(&ctx, t))
        })?,
    )?;
    lent.set(
        "utf8",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, text: String| {
            TypedArray::<u8>::new_copy(ctx, text.as_bytes())
        })?,
    )?;
    lent.set(
        "text",
        Function::new(ctx.clone(), |hex: String| String::from_utf8_lossy(&unhex(&hex)).into_owned())?,
    )?;
    lent.set("fetch", fetch(ctx, host, errand)?)?;
    lent.set("call", call_action(ctx, host, errand)?)?;
    let make: Function<'js> = ctx.eval(WEB)?;
    make.call((lent, parts.get::<_, Function<'js>>("Decimal")?))
}

fn call<'js>(
    ctx: &Ctx<'js>,
    web: &Object<'js>,
    exports: &Object<'js>,
    errand: &Errand,
) -> rquickjs::Result<Js<'js>> {
    let headers = Array::new(ctx.clone())?;
    for (at, (name, value)) in errand.headers.iter().enumerate() {
        headers.set(2 * at, name.as_str())?;
        headers.set(2 * at + 1, String::from_utf8_lossy(value.as_bytes()).into_owned())?;
    }
    let body = match std::str::from_utf8(&errand.body) {
        _ if errand.body.is_empty() => Js::new_null(ctx.clone()),
        Ok(text) => text.into_js(ctx)?,
        Err(_) => TypedArray::<u8>::new_copy(ctx.clone(), &errand.body)?.into_value(),
    };
    let request: Function<'js> = web.get("request")?;
    let request: Js<'js> = request.call((errand.method.as_str(), errand.url.as_str(), headers, body))?;
    let user = Caller::to_js(Caller::of(&errand.who).as_ref(), ctx)?;
    let context: Js<'js> = web.get::<_, Function<'js>>("context")?.call((user,))?;
    exports.get::<_, Function<'js>>("default")?.call((request, context))
}

fn finish<'js>(web: &Object<'js>, value: Js<'js>) -> rquickjs::Result<HttpAnswer> {
    let parts: Array<'js> = web.get::<_, Function<'js>>("finish")?.call((value,))?;
    let status: u16 = parts.get(0)?;
    let list: Vec<Coerced<String>> = parts.get(1)?;
    let mut headers = HeaderMap::new();
    for pair in list.chunks_exact(2) {
        let name = HeaderName::from_bytes(pair[0].as_bytes());
        let value = HeaderValue::from_str(&pair[1]);
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let body = match (parts.get::<Option<String>>(2)?, parts.get::<Option<String>>(3)?) {
        (Some(text), _) => Bytes::from(text),
        (None, Some(hex)) => Bytes::from(unhex(&hex)),
        (None, None) => Bytes::new(),
    };
    Ok(HttpAnswer { status, headers, body })
}

/// `fetch` through the door; the worker waits, JavaScript sees a promise.
fn fetch<'js>(ctx: &Ctx<'js>, host: &Rc<Host>, errand: &Errand) -> rquickjs::Result<Function<'js>> {
    let (host, outbound, runtime) =
        (Rc::clone(host), errand.logic.shared.outbound.clone(), errand.runtime.clone());
    let purpose = format!("function {}", errand.logic.shared.functions[errand.function].name);
    let fetch = move |ctx: Ctx<'js>,
                      method: String,
                      url: String,
                      headers: Vec<Coerced<String>>,
                      text: Option<String>,
                      hex: Option<String>,
                      redirect: String|
          -> rquickjs::Result<Object<'js>> {
        let told = |message: String| host.throw(&ctx, Thrown::told("08000", message));
        let method =
            Method::from_bytes(method.as_bytes()).map_err(|_| told(format!("no method: {method}")))?;
        let mut request = takt_outbound::Request::new(method, url);
        for pair in headers.chunks_exact(2) {
            match (HeaderName::from_bytes(pair[0].as_bytes()), HeaderValue::from_str(&pair[1])) {
                (Ok(name), Ok(value)) => request.headers.append(name, value),
                _ => return Err(told(format!("the header {} cannot be sent", pair[0].0))),
            };
        }
        request.body = match (text, hex) {
            (Some(text), _) => Bytes::from(text),
            (None, Some(hex)) => Bytes::from(unhex(&hex)),
            (None, None) => Bytes::new(),
        };
        request.timeout = Some(host.budget.left());
        request.redirects = if redirect == "follow" { 10 } else { 0 };
        let answer = runtime.block_on(outbound.send(&purpose, request)).map_err(|e| told(e.to_string()))?;
        response(&ctx, &answer)
    };
    Function::new(ctx.clone(), fetch)
}

fn response<'js>(ctx: &Ctx<'js>, answer: &takt_outbound::Response) -> rquickjs::Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    object.set("status", answer.status)?;
    object.set("url", answer.url.as_str())?;
    let headers = Array::new(ctx.clone())?;
    for (at, (name, value)) in answer.headers.iter().enumerate() {
        headers.set(2 * at, name.as_str())?;
        headers.set(2 * at + 1, String::from_utf8_lossy(value.as_bytes()).into_owned())?;
    }
    object.set("headers", headers)?;
    match std::str::from_utf8(&answer.body) {
        Ok(text) => object.set("body", text)?,
        Err(_) => object.set("body", TypedArray::<u8>::new_copy(ctx.clone(), &answer.body)?)?,
    }
    Ok(object)
}

/// `ctx.call(name, input)`: an action, as the same caller.
fn call_action<'js>(ctx: &Ctx<'js>, host: &Rc<Host>, errand: &Errand) -> rquickjs::Result<Function<'js>> {
    let (host, logic, engine, runtime, who) = (
        Rc::clone(host),
        errand.logic.clone(),
        errand.engine.clone(),
        errand.runtime.clone(),
        errand.who.clone(),
    );
    let call = move |ctx: Ctx<'js>, function: String, input: Js<'js>| -> rquickjs::Result<Js<'js>> {
        let throw = |thrown: Thrown| host.throw(&ctx, thrown);
        let text = json::write(&host, &ctx, &input).map_err(throw)?;
        let input = serde_json::from_str(&text).unwrap_or_default();
        let call = Call { function: &function, who: who.clone(), input, idempotency: None };
        let left = host.budget.left();
        let work = async { tokio::time::timeout(left, logic.call(&engine, call)).await };
        let answer = match runtime.block_on(work) {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(throw(action_failed(&function, error))),
            Err(_) => {
                let message = format!("{function} did not end in time; whether it committed is not known");
                return Err(throw(Thrown::told("57014", message)));
            }
        };
        let body = if answer.body.is_empty() { "null" } else { &answer.body };
        let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        if answer.refused {
            let words =
                body.get("message").and_then(|m| m.get("en").or_else(|| m.as_object()?.values().next()));
            let message = words.and_then(|w| w.as_str()).unwrap_or("refused").to_owned();
            let error = refused(&host, &ctx, answer.status, &message, &body).map_err(throw)?;
            return Err(ctx.throw(error));
        }
        json_to_js(&host, &ctx, &body).map_err(throw)
    };
    Function::new(ctx.clone(), call)
}

fn refused<'js>(
    host: &Host,
    ctx: &Ctx<'js>,
    status: u16,
    message: &str,
    body: &serde_json::Value,
) -> Result<Js<'js>, Thrown> {
    let error = rquickjs::Exception::from_message(ctx.clone(), message)?.into_object();
    error.set("name", "Refusal")?;
    error.set("status", status)?;
    error.set("words", json_to_js(host, ctx, &body["message"])?)?;
    error.set("details", json_to_js(host, ctx, &body["details"])?)?;
    Ok(error.into_value())
}

fn action_failed(function: &str, error: LogicError) -> Thrown {
    match error {
        LogicError::UnknownFunction => Thrown::told("42883", format!("there is no action `{function}`")),
        LogicError::Denied => Thrown::told("42501", format!("permission denied for function {function}")),
        LogicError::BadInput { code, message, .. } => Thrown::told(code, message),
        LogicError::Failed { code, message, .. } => {
            Thrown::told(code, format!("{function} failed: {message}"))
        }
        LogicError::Busy => Thrown::told("TAKT003", "too many functions run"),
        LogicError::Engine(error) => Thrown::Engine(error),
    }
}

/// JSON as JavaScript has it, exactly: numbers with a fraction are Decimals, great ones BigInts.
fn json_to_js<'js>(host: &Host, ctx: &Ctx<'js>, json: &serde_json::Value) -> Result<Js<'js>, Thrown> {
    use serde_json::Value as Json;
    Ok(match json {
        Json::Null => Js::new_null(ctx.clone()),
        Json::Bool(v) => Js::new_bool(ctx.clone(), *v),
        Json::String(v) => v.as_str().into_js(ctx)?,
        Json::Number(number) => {
            let text = number.to_string();
            match (text.parse::<i64>(), text.parse::<Decimal>()) {
                (Ok(v), _) if v.unsigned_abs() < 1 << 53 => Js::new_number(ctx.clone(), v as f64),
                (Ok(v), _) => to_js(host, ctx, &FieldType::Bigint, &Value::Integer(v))?,
                (Err(_), Ok(v)) => to_js(host, ctx, &FieldType::Double, &Value::Decimal(v))?,
                (Err(_), Err(_)) => Js::new_number(ctx.clone(), text.parse().unwrap_or(f64::NAN)),
            }
        }
        Json::Array(list) => {
            let array = Array::new(ctx.clone())?;
            for (at, entry) in list.iter().enumerate() {
                array.set(at, json_to_js(host, ctx, entry)?)?;
            }
            array.into_js(ctx)?
        }
        Json::Object(map) => {
            let object = Object::new(ctx.clone())?;
            for (name, entry) in map {
                object.set(name.as_str(), json_to_js(host, ctx, entry)?)?;
            }
            object.into_js(ctx)?
        }
    })
}

fn unhex(hex: &str) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).unwrap_or_default() as u8;
    hex.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
