//! `later(function, input, { after, at, key })`: asks for a job after the transaction.
//! The input is checked here, where the mistake is, and not days later.

use rquickjs::{Ctx, IntoJs, Value as Js};
use takt_model::{FieldType, Value, parse_duration};

use super::{
    host::{Host, Thrown},
    json,
    values::{Form, form},
};
use crate::{FunctionKind, LogicError, near::did_you_mean};

use super::conditions::with;

const OPTIONS: [&str; 3] = ["after", "at", "key"];
const KEY_MAX: usize = 200;

/// What stands behind `later`; gives the id of the delayed job.
pub(crate) fn later<'js>(host: &Host, ctx: &Ctx<'js>, given: [&Js<'js>; 3]) -> Result<Js<'js>, Thrown> {
    let [name, input, options] = given;
    let Form::Text(name) = form(host, ctx, name)? else {
        return Err(Thrown::Misuse("later(function, input, { after }): the function is a text".to_owned()));
    };
    let input = input_json(host, ctx, &name, input)?;
    let tx = host.tx()?;
    let (due_at, key) = read_options(host, ctx, options, tx.inner().now())?;
    let id = host.budget.elsewhere(|| tx.later(&name, &input, due_at, key.as_deref()))?;
    Ok(id.to_string().into_js(ctx)?)
}

/// The input as JSON text, if it is one for the job.
fn input_json<'js>(host: &Host, ctx: &Ctx<'js>, name: &str, input: &Js<'js>) -> Result<String, Thrown> {
    let functions = host.functions();
    let jobs = || functions.iter().filter(|f| f.kind == FunctionKind::Job);
    let Some(function) = jobs().find(|f| f.name == name) else {
        let near = did_you_mean(name, jobs().map(|f| f.name.as_str()));
        let message = with(format!("there is no job `{name}`"), near.as_deref());
        return Err(Thrown::hinted("42883", message, near));
    };
    let text = match form(host, ctx, input)? {
        Form::Undefined => "{}".to_owned(),
        _ => json::write(host, ctx, input)?,
    };
    let value = serde_json::from_str(&text).unwrap_or_default();
    match function.input.validate(name, &value) {
        Ok(_) => Ok(text),
        Err(LogicError::BadInput { code, message, details }) => Err(Thrown::hinted(code, message, details)),
        Err(error) => Err(Thrown::told("22023", error.to_string())),
    }
}

/// When it is due, and by what it is known.
fn read_options<'js>(
    host: &Host,
    ctx: &Ctx<'js>,
    options: &Js<'js>,
    now: i64,
) -> Result<(i64, Option<String>), Thrown> {
    let object = match form(host, ctx, options)? {
        Form::Undefined => return Ok((now, None)),
        Form::Object(object) => object,
        other => {
            return Err(Thrown::Misuse(format!("the options of later are an object, not {}", other.name())));
        }
    };
    let (mut after, mut at, mut key) = (None, None, None);
    for pair in object.props::<String, Js<'js>>() {
        let (name, value) = pair?;
        match (name.as_str(), form(host, ctx, &value)?) {
            (_, Form::Undefined) => {}
            ("after", Form::Text(text)) => after = Some(moment_after(now, &text)?),
            ("at", Form::Text(text) | Form::Date(text)) => at = Some(moment(&text)?),
            ("key", Form::Text(text)) if (1..=KEY_MAX).contains(&text.chars().count()) => key = Some(text),
            ("after" | "at" | "key", other) => {
                let message = format!("later: `{name}` is a text, not {}", other.name());
                return Err(Thrown::told("22023", message));
            }
            _ => {
                let near = did_you_mean(&name, OPTIONS);
                let message = with(format!("later does not know `{name}`"), near.as_deref());
                return Err(Thrown::hinted("22023", message, near));
            }
        }
    }
    match (after, at) {
        (Some(_), Some(_)) => Err(Thrown::told("22023", "later: say `after` or `at`, not both")),
        (after, at) => Ok((after.or(at).unwrap_or(now), key)),
    }
}

fn moment_after(now: i64, text: &str) -> Result<i64, Thrown> {
    let wait = parse_duration(text).and_then(|d| i64::try_from(d.as_micros()).ok());
    wait.and_then(|wait| now.checked_add(wait)).ok_or_else(|| {
        Thrown::told(
            "22023",
            format!("later: `after` is a time like \"15m\", \"2h\" or \"3d\", not \"{text}\""),
        )
    })
}

fn moment(text: &str) -> Result<i64, Thrown> {
    match FieldType::Timestamp.parse_text(text) {
        Ok(Value::Timestamp(at)) => Ok(at),
        Ok(_) => Err(Thrown::told("22007", "later: `at` is no moment")),
        Err(e) => Err(Thrown::told(e.code, format!("later: `at`: {}", e.message))),
    }
}
