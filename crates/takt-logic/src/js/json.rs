//! Values of JavaScript to JSON text, exactly: decimals keep their digits, BigInts are numbers, bytes are `\x..`.
//!
//! Two ways to the same text. The engine's own `JSON.stringify`, taught by the prelude, writes nearly everything; it is
//! several times faster. What it refuses, and what no JSON reader of ours would take (half a surrogate pair, very deep
//! nesting), is written by hand here, which says what is wrong.

use rquickjs::{Ctx, Object, Value as Js, function::This};
use takt_model::write_json_string;

use super::{
    host::{Host, Thrown},
    values::{Form, form, text_of},
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
    if value.is_object()
        && let Some(told) = by_engine(host, ctx, value)?
    {
        return Ok(told);
    }
    let mut writer = Writer { host, ctx, out: Vec::with_capacity(1_024) };
    let told = writer.value(value, 0)?;
    let text =
        String::from_utf8(writer.out).map_err(|_| Thrown::told("22021", "the text is no valid Unicode"))?;
    Ok(told.then_some(text))
}

/// As the engine writes it; nothing if it cannot, or if the text is not beyond doubt.
#[expect(clippy::option_option, reason = "the inner one is what JSON cannot say")]
fn by_engine<'js>(host: &Host, ctx: &Ctx<'js>, value: &Js<'js>) -> Result<Option<Option<String>>, Thrown> {
    let stringify = host.kit(|k| &k.json)?.restore(ctx)?;
    let text: Js<'js> = match stringify.call((value.clone(),)) {
        Ok(text) => text,
        Err(rquickjs::Error::Exception) => {
            ctx.catch();
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let Some(text) = text.as_string() else { return Ok(text.is_undefined().then_some(None)) };
    let text = text_of(text)?;
    Ok((text.len() <= TEXT_MAX && is_beyond_doubt(&text)).then_some(Some(text)))
}

/// Whether JSON text is nested no deeper than allowed and has no half of a surrogate pair.
fn is_beyond_doubt(json: &str) -> bool {
    let (mut depth, mut in_string) = (0_usize, false);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match (in_string, byte) {
            // Of `\u....` only control characters and halves of pairs are written; halves begin with d.
            (true, b'\\') if bytes.next() == Some(b'u') && matches!(bytes.next(), Some(b'd' | b'D')) => {
                return false;
            }
            (true, b'\\') => {}
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return false;
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
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

#[cfg(test)]
mod tests {
    use super::{DEPTH_MAX, is_beyond_doubt};

    #[test]
    fn deep_nesting_and_half_pairs_are_in_doubt() {
        for fine in [
            "{}",
            r#"{"a":"[[[\\ud800"}"#,
            r#"["\u0001","}\"]"]"#,
            &("[".repeat(DEPTH_MAX) + &"]".repeat(DEPTH_MAX)),
        ] {
            assert!(is_beyond_doubt(fine), "{fine}");
        }
        for doubtful in
            [r#"["\ud800"]"#, r#"{"\udfff":1}"#, &("[".repeat(DEPTH_MAX + 1) + &"]".repeat(DEPTH_MAX + 1))]
        {
            assert!(!is_beyond_doubt(doubtful), "{doubtful}");
        }
    }
}
