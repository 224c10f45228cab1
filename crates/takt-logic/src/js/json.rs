//! Values of JavaScript to JSON text, exactly: decimals keep their digits, BigInts are numbers.
//! `JSON.stringify` cannot do that; everything else is as it does it. It was tried with `toJSON` of the prelude: for
//! rows with decimals it took a third longer than this.

use rquickjs::{Ctx, Object, Value as Js, function::This};
use takt_model::write_json_string;

use super::{
    host::{Host, Thrown},
    values::{Form, form},
};

/// Objects and lists in each other; a circle is deeper than any of them.
const DEPTH_MAX: usize = 64;
/// A list that stands in a list that stands in a list ... can be told in little memory and be endless as text.
const TEXT_MAX: usize = 16 * 1024 * 1024;

/// `value` as JSON text; what JSON cannot say at the top (undefined, functions) is `null`.
pub(crate) fn write<'js>(host: &Host, ctx: &Ctx<'js>, value: &Js<'js>) -> Result<String, Thrown> {
    Ok(write_some(host, ctx, value)?.unwrap_or_else(|| "null".to_owned()))
}

/// As [`write()`]; nothing for what JSON cannot say.
pub(crate) fn write_some<'js>(
    host: &Host,
    ctx: &Ctx<'js>,
    value: &Js<'js>,
) -> Result<Option<String>, Thrown> {
    let mut writer = Writer { host, ctx, out: Vec::with_capacity(1_024) };
    let told = writer.value(value, 0)?;
    let text =
        String::from_utf8(writer.out).map_err(|_| Thrown::told("22021", "the text is no valid Unicode"))?;
    Ok(told.then_some(text))
}

struct Writer<'h, 'js> {
    host: &'h Host,
    ctx: &'h Ctx<'js>,
    out: Vec<u8>,
}

impl<'js> Writer<'_, 'js> {
    /// Writes; `false` if there is nothing to say (undefined, a function).
    fn value(&mut self, value: &Js<'js>, depth: usize) -> Result<bool, Thrown> {
        if depth > DEPTH_MAX {
            return Err(Thrown::Misuse(
                "the value is nested too deeply for JSON, or contains itself".to_owned(),
            ));
        }
        if self.out.len() > TEXT_MAX {
            return Err(Thrown::Misuse("the value is too long as JSON".to_owned()));
        }
        match form(self.host, self.ctx, value)? {
            Form::Undefined | Form::Other(_) => return Ok(false),
            Form::Null => self.raw("null"),
            Form::Boolean(v) => self.raw(if v { "true" } else { "false" }),
            Form::Whole(v) => self.raw(&v.to_string()),
            Form::Fraction(v) if v.is_finite() => self.raw(&v.to_string()),
            Form::Fraction(_) => self.raw("null"),
            Form::Big(text) | Form::Decimal(text) => self.raw(&text),
            Form::Text(text) | Form::Date(text) => write_json_string(&text, &mut self.out),
            Form::Bytes(hex) => write_json_string(&format!("\\x{hex}"), &mut self.out),
            Form::Array(array) => {
                self.out.push(b'[');
                for (at, entry) in array.iter::<Js<'js>>().enumerate() {
                    if at > 0 {
                        self.out.push(b',');
                    }
                    if !self.value(&entry?, depth + 1)? {
                        self.raw("null");
                    }
                }
                self.out.push(b']');
            }
            Form::Object(object) => return self.object(&object, depth),
        }
        Ok(true)
    }

    fn object(&mut self, object: &Object<'js>, depth: usize) -> Result<bool, Thrown> {
        let convert: Js<'js> = object.get("toJSON")?;
        if let Some(convert) = convert.as_function().cloned() {
            let converted: Js<'js> = convert.call((This(object.clone()),))?;
            return self.value(&converted, depth + 1);
        }
        self.out.push(b'{');
        let mut is_first = true;
        for pair in object.props::<String, Js<'js>>() {
            let (name, value) = pair?;
            let before = self.out.len();
            if !is_first {
                self.out.push(b',');
            }
            write_json_string(&name, &mut self.out);
            self.out.push(b':');
            if self.value(&value, depth + 1)? {
                is_first = false;
            } else {
                self.out.truncate(before);
            }
        }
        self.out.push(b'}');
        Ok(true)
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}
