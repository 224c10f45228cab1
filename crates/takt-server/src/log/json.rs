//! A log line as JSON: time, level, the event's fields in their order, target.
//!
//! The same lines as `tracing_subscriber`'s own JSON format (flattened, without spans), written without a serializer
//! between: a line is written for every request, and the general way cost a good part of a read by key.

use std::fmt::{self, Write};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// The format.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let about = event.metadata();
        writer.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut writer)?;
        writer.write_str("\",\"level\":\"")?;
        writer.write_str(about.level().as_str())?;
        writer.write_char('"')?;
        let mut fields = Fields { out: &mut writer, written: Ok(()) };
        event.record(&mut fields);
        fields.written?;
        writer.write_str(",\"target\":")?;
        text(&mut writer, about.target())?;
        writer.write_str("}\n")
    }
}

/// Writes `,"name":value` for each field.
struct Fields<'w> {
    out: &'w mut dyn Write,
    written: fmt::Result,
}

impl Fields<'_> {
    fn field(&mut self, field: &Field, value: impl FnOnce(&mut dyn Write) -> fmt::Result) {
        let out = &mut *self.out;
        self.written = self.written.and_then(|()| {
            // Names of fields are words of this program.
            out.write_str(",\"")?;
            out.write_str(field.name())?;
            out.write_str("\":")?;
            value(out)
        });
    }
}

impl Visit for Fields<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, |out| write!(out, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, |out| whole(out, value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, |out| write!(out, "{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON knows no infinity; the serializer writes null.
        self.field(field, |out| out.write_str(&serde_json::to_string(&value).map_err(|_| fmt::Error)?));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field, |out| text(out, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field, |out| {
            out.write_char('"')?;
            write!(Escaped(out), "{value:?}")?;
            out.write_char('"')
        });
    }
}

fn text(out: &mut dyn Write, text: &str) -> fmt::Result {
    out.write_str("\"")?;
    Escaped(out).write_str(text)?;
    out.write_str("\"")
}

/// Digits, without the machinery of formats.
fn whole(out: &mut dyn Write, mut value: u64) -> fmt::Result {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.write_str(std::str::from_utf8(&digits[first..]).map_err(|_| fmt::Error)?)
}

/// The inside of a JSON text.
struct Escaped<'w>(&'w mut dyn Write);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !text.bytes().any(|b| b < b' ' || matches!(b, b'"' | b'\\')) {
            return self.0.write_str(text);
        }
        let quoted = serde_json::to_string(text).map_err(|_| fmt::Error)?;
        self.0.write_str(quoted.get(1..quoted.len() - 1).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::{io, sync::Arc};

    use parking_lot::Mutex;
    use serde_json::Value;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Kept {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    fn events() {
        let (path, role) = ("/rest/v1/\"x\"\\\n\u{1}ä😀\u{7f}", String::from("anon"));
        let (ms, whole, none) = (0.137_f64, 3.0_f64, f64::NAN);
        tracing::info!(path, role, ms, whole, none, big = 1e21_f64, status = 200_u16, "request");
        tracing::warn!(error = %"line\nbreak \"quoted\"", asked = ?Some("a\tb"), ok = true, n = -7_i64, "a {}", "text");
        tracing::error!(target: "elsewhere", huge = u64::MAX, "plain");
    }

    /// Beside the library's own format, byte for byte but for the time.
    #[test]
    fn lines_are_those_of_the_general_format() {
        let (ours, theirs) = (Kept::default(), Kept::default());
        let builder = || tracing_subscriber::fmt();
        let general = builder().json().flatten_event(true).with_current_span(false).with_span_list(false);
        tracing::subscriber::with_default(general.with_writer(theirs.clone()).finish(), events);
        let own = builder().event_format(JsonLines).with_writer(ours.clone()).finish();
        tracing::subscriber::with_default(own, events);
        let lines = |kept: &Kept| -> Vec<String> {
            let text = String::from_utf8(kept.0.lock().clone()).unwrap();
            let without_time = |line: &str| {
                let parsed: Value = serde_json::from_str(line).unwrap();
                let time = parsed["timestamp"].as_str().unwrap();
                line.replacen(time, "", 1)
            };
            text.lines().map(without_time).collect()
        };
        let expected = lines(&theirs);
        assert_eq!(expected.len(), 3);
        assert_eq!(lines(&ours), expected);
    }
}
