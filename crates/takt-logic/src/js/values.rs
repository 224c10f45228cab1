//! Values of fields: from JavaScript (typed by the field, checked) and to JavaScript.

use rquickjs::{
    BigInt, Coerced, Ctx, FromJs, Function, IntoJs, Object, String as JsString, TypedArray, Value as Js,
};
use takt_model::{FieldType, Value, ValueError};

use super::{
    host::{Host, Kind, Thrown},
    json,
};

/// What a value of JavaScript is, as far as fields care.
pub(crate) enum Form<'js> {
    Undefined,
    Null,
    Boolean(bool),
    /// A whole number within 2^53.
    Whole(i64),
    /// Any other number.
    Fraction(f64),
    /// Digits of a BigInt.
    Big(String),
    Text(String),
    /// Text of a Decimal.
    Decimal(String),
    /// `toISOString()` of a Date.
    Date(String),
    /// Hex digits of a Uint8Array.
    Bytes(String),
    Array(rquickjs::Array<'js>),
    Object(Object<'js>),
    /// A function, a symbol, an invalid date.
    Other(&'static str),
}

const SAFE: f64 = 9_007_199_254_740_991.0;

/// What `value` is.
pub(crate) fn form<'js>(host: &Host, ctx: &Ctx<'js>, value: &Js<'js>) -> Result<Form<'js>, Thrown> {
    if let Some(v) = value.as_int() {
        return Ok(Form::Whole(i64::from(v)));
    }
    if let Some(v) = value.as_float() {
        let whole = v.fract() == 0.0 && v.abs() <= SAFE;
        return Ok(if whole { Form::Whole(v as i64) } else { Form::Fraction(v) });
    }
    if let Some(text) = value.as_string() {
        return Ok(Form::Text(text_of(text)?));
    }
    if value.is_undefined() {
        return Ok(Form::Undefined);
    }
    if value.is_null() {
        return Ok(Form::Null);
    }
    if let Some(v) = value.as_bool() {
        return Ok(Form::Boolean(v));
    }
    if value.is_big_int() {
        let Coerced(digits) = Coerced::<String>::from_js(ctx, value.clone())?;
        return Ok(Form::Big(digits));
    }
    if let Some(array) = value.as_array() {
        return Ok(Form::Array(array.clone()));
    }
    if value.is_function() || value.is_symbol() {
        return Ok(Form::Other("a function or symbol"));
    }
    let Some(object) = value.as_object() else { return Ok(Form::Other("an unknown thing")) };
    object_form(host, ctx, object)
}

fn object_form<'js>(host: &Host, ctx: &Ctx<'js>, object: &Object<'js>) -> Result<Form<'js>, Thrown> {
    // Nearly all are plain; to tell bytes and dates takes longest.
    let kind = host.kind(ctx, object)?;
    if kind == Kind::Plain {
        return Ok(Form::Object(object.clone()));
    }
    if kind == Kind::Decimal
        && let Some(text) = host.kit(|k| &k.decimal_text)?.restore(ctx)?.call((object.clone(),))?
    {
        return Ok(Form::Decimal(text));
    }
    if object.is_typed_array::<u8>() {
        let hex = host.kit(|k| &k.hex)?.restore(ctx)?;
        return Ok(Form::Bytes(hex.call((object.clone(),))?));
    }
    if !is_date(object) {
        return Ok(Form::Object(object.clone()));
    }
    let iso: Function<'js> = object.get("toISOString")?;
    match iso.call((rquickjs::function::This(object.clone()),)) {
        Ok(text) => Ok(Form::Date(text)),
        Err(_) => {
            ctx.catch();
            Ok(Form::Other("an invalid date"))
        }
    }
}

fn is_date(object: &Object<'_>) -> bool {
    object.get_prototype().is_some_and(|proto| proto.contains_key("getTimezoneOffset").unwrap_or(false))
}

/// Half a surrogate pair is no text anywhere but in JavaScript.
pub(crate) fn text_of(text: &JsString<'_>) -> Result<String, Thrown> {
    text.to_string().map_err(|error| match error {
        rquickjs::Error::Utf8(_) => Thrown::told("22021", "the text is no valid Unicode"),
        other => other.into(),
    })
}

/// Reads a value of JavaScript as a value of a field. `what` names it in errors: `orders.total`.
pub(crate) fn to_value<'js>(
    host: &Host,
    ctx: &Ctx<'js>,
    kind: &FieldType,
    value: &Js<'js>,
    what: &dyn Fn() -> String,
) -> Result<Value, Thrown> {
    if *kind == FieldType::Json && !value.is_undefined() {
        return Ok(if value.is_null() { Value::Null } else { Value::Json(json::write(host, ctx, value)?) });
    }
    let told = |e: ValueError| Thrown::told(e.code, format!("{}: {}", what(), e.message));
    let wrong =
        |found: &str| Thrown::told("22P02", format!("{} is of type {}, not {found}", what(), kind.name()));
    let form = form(host, ctx, value)?;
    match (kind, form) {
        (_, Form::Null) => Ok(Value::Null),
        (_, Form::Undefined) => Err(Thrown::told("22023", format!("the value for {} is undefined", what()))),
        (FieldType::Boolean, Form::Boolean(v)) => Ok(Value::Boolean(v)),
        (FieldType::Integer, Form::Whole(v)) if i32::try_from(v).is_ok() => Ok(Value::Integer(v)),
        (FieldType::Bigint, Form::Whole(v)) => Ok(Value::Integer(v)),
        (FieldType::Double, Form::Whole(v)) => Ok(Value::Double(v as f64)),
        (FieldType::Double, Form::Fraction(v)) => Ok(Value::Double(v)),
        (FieldType::Integer | FieldType::Decimal { .. }, Form::Whole(v)) => {
            kind.parse_text(&v.to_string()).map_err(told)
        }
        (FieldType::Decimal { .. }, Form::Fraction(v)) => Err(Thrown::hinted(
            "22P02",
            format!("{} is exact and takes no floating point number ({v})", what()),
            Some(format!("write new Decimal(\"{v}\")")),
        )),
        (
            FieldType::Integer | FieldType::Bigint | FieldType::Decimal { .. } | FieldType::Double,
            Form::Big(text) | Form::Decimal(text) | Form::Text(text),
        )
        | (
            FieldType::Text
            | FieldType::Uuid
            | FieldType::Date
            | FieldType::Time
            | FieldType::Timestamp
            | FieldType::Bytes
            | FieldType::Enum { .. },
            Form::Text(text),
        )
        | (FieldType::Timestamp, Form::Date(text)) => kind.parse_text(&text).map_err(told),
        (FieldType::Bytes, Form::Bytes(hex)) => kind.parse_text(&format!("\\x{hex}")).map_err(told),
        (_, form) => Err(wrong(form.name())),
    }
}

impl Form<'_> {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Whole(_) | Self::Fraction(_) => "a number",
            Self::Big(_) => "a BigInt",
            Self::Text(_) => "a text",
            Self::Decimal(_) => "a Decimal",
            Self::Date(_) => "a Date",
            Self::Bytes(_) => "bytes",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
            Self::Other(name) => name,
        }
    }
}

/// A value of a field as JavaScript has it.
pub(crate) fn to_js<'js>(
    host: &Host,
    ctx: &Ctx<'js>,
    kind: &FieldType,
    value: &Value,
) -> Result<Js<'js>, Thrown> {
    Ok(match value {
        Value::Null => Js::new_null(ctx.clone()),
        Value::Boolean(v) => Js::new_bool(ctx.clone(), *v),
        Value::Integer(v) if *kind == FieldType::Bigint => BigInt::from_i64(ctx.clone(), *v)?.into_js(ctx)?,
        Value::Integer(v) => Js::new_number(ctx.clone(), *v as f64),
        Value::Double(v) => Js::new_number(ctx.clone(), *v),
        Value::Decimal(v) => host.kit(|k| &k.decimal)?.restore(ctx)?.call((v.scale(), v.to_string()))?,
        Value::Text(v) => JsString::from_str(ctx.clone(), v)?.into_js(ctx)?,
        Value::Date(_) | Value::Time(_) | Value::Timestamp(_) | Value::Uuid(_) => {
            JsString::from_str(ctx.clone(), &value.as_ref().to_text())?.into_js(ctx)?
        }
        Value::Json(text) => ctx.json_parse(text.as_str())?,
        Value::Bytes(v) => TypedArray::<u8>::new_copy(ctx.clone(), v.as_slice())?.into_value(),
    })
}
