//! One call of an action, on the thread that has the transaction.

use std::rc::Rc;

use rquickjs::{Coerced, Ctx, FromJs, Function, IntoJs, Object, Persistent, Value as Js, function::Opt};
use takt_engine::{ActionError, ActionTx, Change};
use takt_model::{Settings, ValueRef, Words};

use super::{
    context::{Prepared, identity, settle},
    db, failure,
    given::given_to_js,
    host::{Host, Thrown},
    json,
    later::later,
    rows,
    values::{Form, form},
};
use crate::{modules::Modules, validate::Given};

/// Who calls, as functions see it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) id: String,
    pub(crate) email: Option<String>,
    pub(crate) roles: Vec<String>,
}

impl Caller {
    pub(crate) fn of(who: &takt_model::Principal) -> Option<Self> {
        who.user.as_ref().map(|user| Self {
            id: user.id.to_string(),
            email: user.email.clone(),
            roles: user.roles.clone(),
        })
    }

    pub(crate) fn to_js<'js>(caller: Option<&Self>, ctx: &Ctx<'js>) -> rquickjs::Result<Js<'js>> {
        let Some(caller) = caller else { return Ok(Js::new_null(ctx.clone())) };
        let user = Object::new(ctx.clone())?;
        user.set("id", caller.id.as_str())?;
        match &caller.email {
            Some(email) => user.set("email", email.as_str())?,
            None => user.set("email", Js::new_null(ctx.clone()))?,
        }
        user.set("roles", caller.roles.clone())?;
        Ok(user.into_value())
    }
}

/// The second argument of a function.
pub(crate) enum Second<'a> {
    /// What its `input` asks for.
    Input(&'a Given),
    /// A written row, for hooks.
    Row(&'a Change),
    /// JSON text, for consumers.
    Json(&'a str),
}

impl Second<'_> {
    fn to_js<'js>(&self, host: &Host, ctx: &Ctx<'js>) -> Result<Js<'js>, Thrown> {
        match self {
            Self::Input(given) => given_to_js(host, ctx, given),
            Self::Row(change) => row_to_js(host, ctx, change),
            Self::Json(text) => Ok(ctx.json_parse(*text)?),
        }
    }
}

/// `{ verb, table, before, after }`
fn row_to_js<'js>(host: &Host, ctx: &Ctx<'js>, change: &Change) -> Result<Js<'js>, Thrown> {
    let object = Object::new(ctx.clone())?;
    object.set("verb", change.verb.name())?;
    object.set("table", change.table.as_str())?;
    for (name, row) in [("before", &change.before), ("after", &change.after)] {
        let row = match (row, host.project.table(&change.table)) {
            (Some(row), Some(table)) => rows::whole(host, ctx, table, row)?,
            _ => Js::new_null(ctx.clone()),
        };
        object.set(name, row)?;
    }
    Ok(object.into_value())
}

/// Calls the function of a prepared context inside `tx`; JSON text of its result, empty for undefined.
pub(crate) fn run(
    prepared: &Prepared,
    modules: &Modules,
    settings: &Settings,
    caller: Option<&Caller>,
    second: &Second<'_>,
    tx: &ActionTx,
) -> Result<String, ActionError> {
    let (bare, host) = (&prepared.bare, &prepared.bare.host);
    host.begin(tx, settings.logic.action_time, settings.logic.statements);
    let called = bare.with(|ctx| match call(prepared, ctx, caller, second) {
        Ok(value) => Ok(Persistent::save(ctx, value)),
        Err(thrown) => Err(of_thrown(host, ctx, modules, thrown)),
    });
    let place = bare.drive(modules);
    let mut result = bare.with(|ctx| {
        let called = match &called {
            Ok(value) => value.clone().restore(ctx).map_err(|e| of_thrown(host, ctx, modules, e.into())),
            Err(error) => Err(error.clone()),
        };
        outcome(ctx, host, modules, called, place)
    });
    if let Err(error) = &mut result {
        failure::tell_memory(error, bare.is_full(settings.logic.memory_bytes));
    }
    drop(called);
    host.forget();
    result
}

fn call<'js>(
    prepared: &Prepared,
    ctx: &Ctx<'js>,
    caller: Option<&Caller>,
    second: &Second<'_>,
) -> Result<Js<'js>, Thrown> {
    let host = &prepared.bare.host;
    let (function, argument) = prepared.functions(ctx)?;
    let now = ValueRef::Timestamp(host.tx()?.inner().now()).to_text();
    let first: Js<'js> = argument.call((Caller::to_js(caller, ctx)?, now))?;
    let second = second.to_js(host, ctx)?;
    Ok(function.call((first, second))?)
}

fn of_thrown(host: &Host, ctx: &Ctx<'_>, modules: &Modules, thrown: Thrown) -> ActionError {
    let error = host.throw(ctx, thrown);
    failure::of_error(host, ctx, modules, &error)
}

/// How the call ended, in the order of what counts most.
fn outcome<'js>(
    ctx: &Ctx<'js>,
    host: &Host,
    modules: &Modules,
    called: Result<Js<'js>, ActionError>,
    stopped_at: Option<String>,
) -> Result<String, ActionError> {
    let own = called.as_ref().ok().map(identity);
    let ended = called.and_then(|value| settle(ctx, host, modules, value));
    if let Some(limit) = host.budget.hit() {
        let position = match ended {
            Err(ActionError::Failed { position: Some(position), .. }) => Some(position),
            _ => stopped_at,
        };
        return Err(failure::limit_hit(limit, position));
    }
    // A refusal that the function caught is still a refusal.
    if let Some(refusal) = host.take_refusal() {
        return Err(refusal);
    }
    let value = ended?;
    if let Some(reason) = host.unhandled(own) {
        let reason = reason.restore(ctx).map_err(|e| of_thrown(host, ctx, modules, e.into()))?;
        return Err(failure::of_value(host, ctx, modules, &reason));
    }
    let text = json::write_some(host, ctx, &value).map_err(|t| of_thrown(host, ctx, modules, t))?;
    Ok(text.unwrap_or_default())
}

// ---- what the prelude is lent ----

/// The functions of the host, for the prelude's closures only.
pub(crate) fn lent<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> rquickjs::Result<Object<'js>> {
    let lent = Object::new(ctx.clone())?;
    let h = Rc::clone(host);
    lent.set("now", Function::new(ctx.clone(), move || h.now_ms())?)?;
    let h = Rc::clone(host);
    lent.set("random", Function::new(ctx.clone(), move || h.random())?)?;
    let h = Rc::clone(host);
    lent.set("unknown_table", Function::new(ctx.clone(), move |name: String| db::unknown_table(&h, &name))?)?;
    lent.set("log", Function::new(ctx.clone(), |level: String, text: String| log(&level, &text))?)?;
    lend(ctx, host, &lent, "json", |host, ctx, [value, ..]| {
        json::write_some(host, ctx, value)?
            .map_or(Ok(Js::new_undefined(ctx.clone())), |t| Ok(t.into_js(ctx)?))
    })?;
    lend(ctx, host, &lent, "uuid", |host, ctx, _| {
        Ok(host.tx()?.inner().new_uuid().to_string().into_js(ctx)?)
    })?;
    lend(ctx, host, &lent, "step_begin", |host, ctx, [label, ..]| {
        let label = words(host, ctx, label, "the label of a step")?;
        Ok(i32::try_from(host.tx()?.step_begin(label)).unwrap_or(i32::MAX).into_js(ctx)?)
    })?;
    lend(ctx, host, &lent, "step_end", |host, ctx, [number, succeeded, _]| {
        let number = number.as_int().and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
        host.tx()?.step_end(number, succeeded.as_bool().unwrap_or_default());
        Ok(Js::new_undefined(ctx.clone()))
    })?;
    lend(ctx, host, &lent, "note", |host, ctx, [said, ..]| {
        let mut said = words(host, ctx, said, "a note")?;
        said.0.values_mut().for_each(|text| *text = text.chars().take(LONGEST_NOTE).collect());
        host.tx()?.note(said);
        Ok(Js::new_undefined(ctx.clone()))
    })?;
    lend(ctx, host, &lent, "emit", emit)?;
    lend(ctx, host, &lent, "reject", reject)?;
    lend(ctx, host, &lent, "later", later)?;
    Ok(lent)
}

/// Characters of a note in a story.
const LONGEST_NOTE: usize = 300;

type Lent = for<'h, 'js> fn(&'h Host, &'h Ctx<'js>, [&'h Js<'js>; 3]) -> Result<Js<'js>, Thrown>;

fn lend<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    to: &Object<'js>,
    name: &str,
    work: Lent,
) -> rquickjs::Result<()> {
    let host = Rc::clone(host);
    let call = move |ctx: Ctx<'js>, a: Opt<Js<'js>>, b: Opt<Js<'js>>, c: Opt<Js<'js>>| {
        let or_undefined = |v: Opt<Js<'js>>| v.0.unwrap_or_else(|| Js::new_undefined(ctx.clone()));
        let (a, b, c) = (or_undefined(a), or_undefined(b), or_undefined(c));
        work(&host, &ctx, [&a, &b, &c]).map_err(|thrown| host.throw(&ctx, thrown))
    };
    to.set(name, Function::new(ctx.clone(), call)?)
}

fn log(level: &str, text: &str) {
    match level {
        "error" => tracing::error!(target: "takt_logic::console", "{text}"),
        "warn" => tracing::warn!(target: "takt_logic::console", "{text}"),
        "info" => tracing::info!(target: "takt_logic::console", "{text}"),
        _ => tracing::debug!(target: "takt_logic::console", "{text}"),
    }
}

fn emit<'js>(host: &Host, ctx: &Ctx<'js>, given: [&Js<'js>; 3]) -> Result<Js<'js>, Thrown> {
    let [name, key, payload] = given;
    let name = match form(host, ctx, name)? {
        Form::Text(name) if !name.is_empty() && name.len() <= 200 => name,
        _ => {
            return Err(Thrown::Misuse(
                "emit(name, event): the name is a text like \"order.placed\"".to_owned(),
            ));
        }
    };
    let key = match form(host, ctx, key)? {
        Form::Undefined | Form::Null => None,
        Form::Text(text) | Form::Big(text) | Form::Decimal(text) => Some(text),
        Form::Whole(number) => Some(number.to_string()),
        other => return Err(Thrown::Misuse(format!("emit: the key is {}, not a text", other.name()))),
    };
    let payload = json::write(host, ctx, payload)?;
    let tx = host.tx()?;
    host.budget.elsewhere(|| tx.emit(&name, key.as_deref(), &payload))?;
    Ok(Js::new_undefined(ctx.clone()))
}

/// Notes the refusal; gives the text of the error that the prelude throws.
fn reject<'js>(host: &Host, ctx: &Ctx<'js>, given: [&Js<'js>; 3]) -> Result<Js<'js>, Thrown> {
    let [status, message, details] = given;
    let status = match form(host, ctx, status)? {
        Form::Whole(status @ 400..=499) => u16::try_from(status).unwrap_or(400),
        _ => {
            return Err(Thrown::Misuse(
                "reject(status, message): the status is a number from 400 to 499".to_owned(),
            ));
        }
    };
    let message = words(host, ctx, message, "the message of reject")?;
    let details = json::write(host, ctx, details)?;
    let text = message.get("en").unwrap_or_default().to_owned();
    host.refuse(status, message, details);
    Ok(text.into_js(ctx)?)
}

/// A text for people: `"text"`, or one per language.
fn words<'js>(host: &Host, ctx: &Ctx<'js>, value: &Js<'js>, what: &str) -> Result<Words, Thrown> {
    match form(host, ctx, value)? {
        Form::Text(text) => {
            let language = host.project.settings.languages.first().map_or("en", String::as_str);
            Ok(Words::from([(language, text.as_str())]))
        }
        Form::Object(object) => {
            let one = |pair: rquickjs::Result<(String, Js<'js>)>| -> Result<(String, String), Thrown> {
                let (language, text) = pair?;
                let Coerced(text) = Coerced::<String>::from_js(ctx, text)?;
                Ok((language, text))
            };
            Ok(Words(object.props::<String, Js<'js>>().map(one).collect::<Result<_, _>>()?))
        }
        other => Err(Thrown::Misuse(format!("{what} is a text or {{ en, de }}, not {}", other.name()))),
    }
}
