//! Rows to bytes: the hot path of every answer. A value costs a key, a comma and its text, all appended to one
//! buffer; nothing is allocated per value in JSON.

use takt_model::ValueRef;
use takt_plan::{EmbedShape, GuardedChild, OutputColumn, RowSink};

use crate::{Method, Request, media::Media};

/// The first growth of the buffer; a small answer needs no second.
const FIRST_BYTES: usize = 1024;

/// The sink of one answer. Made by [`Request::sink`], read by [`Request::reply`].
#[derive(Debug, Clone)]
pub struct JsonSink {
    out: Vec<u8>,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// A JSON array of rows.
    List,
    /// One row without the array around it. What more rows would add is never sent.
    Object,
    /// CSV lines.
    Csv(Csv),
    /// The key of the one new row as a query string: `id=eq.5`.
    Location { rows: u64 },
    /// Nothing; HEAD and writes that tell no rows.
    Nothing,
}

/// Where a CSV line stands.
#[derive(Debug, Clone, Default)]
struct Csv {
    header: Vec<u8>,
    rows: u64,
    columns: u64,
    /// Open embeds; within them JSON is written to `cell`.
    depth: u32,
    cell: Vec<u8>,
}

impl Request {
    /// The sink for the rows of this request.
    #[must_use]
    pub fn sink(&self) -> JsonSink {
        let form = match (self.method, self.media) {
            (Method::Head, _) => Form::Nothing,
            _ if self.wants_location() => Form::Location { rows: 0 },
            _ if !self.wants_rows() => Form::Nothing,
            (_, Media::Json) => Form::List,
            (_, Media::Object) => Form::Object,
            (_, Media::Csv) => Form::Csv(Csv::default()),
        };
        JsonSink { out: Vec::new(), form }
    }
}

impl JsonSink {
    /// The body, closed.
    pub(crate) fn into_body(mut self) -> Vec<u8> {
        match self.form {
            Form::List => {
                if self.out.is_empty() {
                    self.out.push(b'[');
                }
                self.out.push(b']');
                self.out
            }
            Form::Object => self.out,
            Form::Csv(csv) => {
                let mut body = csv.header;
                body.extend_from_slice(&self.out);
                body
            }
            Form::Location { .. } | Form::Nothing => Vec::new(),
        }
    }

    /// The query string that finds the new row, if there is exactly one.
    pub(crate) fn location(&self) -> Option<&str> {
        match self.form {
            Form::Location { rows: 1 } => std::str::from_utf8(&self.out).ok(),
            _ => None,
        }
    }
}

impl RowSink for JsonSink {
    fn bytes(&self) -> usize {
        self.out.len()
    }

    fn row_begin(&mut self) {
        match &mut self.form {
            Form::List | Form::Object => {
                if self.out.is_empty() {
                    self.out.reserve(FIRST_BYTES);
                    if matches!(self.form, Form::List) {
                        self.out.push(b'[');
                    }
                }
                json_row_begin(&mut self.out);
            }
            Form::Csv(csv) if csv.depth > 0 => json_row_begin(&mut csv.cell),
            Form::Csv(csv) => {
                csv.columns = 0;
                if csv.rows > 0 {
                    self.out.push(b'\n');
                }
            }
            Form::Location { .. } | Form::Nothing => {}
        }
    }

    fn value(&mut self, column: &OutputColumn, value: ValueRef<'_>) {
        match &mut self.form {
            Form::List | Form::Object => json_value(&mut self.out, column.json_key(), value),
            Form::Csv(csv) if csv.depth > 0 => json_value(&mut csv.cell, column.json_key(), value),
            Form::Csv(csv) => {
                csv.column_begin(&column.name, &mut self.out);
                csv_value(&mut self.out, value);
            }
            Form::Location { rows: 0 } => location_part(&mut self.out, &column.name, value),
            Form::Location { .. } | Form::Nothing => {}
        }
    }

    fn embed_begin(&mut self, child: &GuardedChild, shape: EmbedShape) {
        match &mut self.form {
            Form::List | Form::Object => json_embed_begin(&mut self.out, &child.json_key, shape),
            Form::Csv(csv) => {
                if csv.depth == 0 {
                    csv.column_begin(&child.name, &mut self.out);
                    csv.cell.clear();
                    if shape == EmbedShape::Many {
                        csv.cell.push(b'[');
                    }
                } else {
                    json_embed_begin(&mut csv.cell, &child.json_key, shape);
                }
                csv.depth += 1;
            }
            Form::Location { .. } | Form::Nothing => {}
        }
    }

    fn embed_end(&mut self, shape: EmbedShape) {
        match &mut self.form {
            Form::List | Form::Object => json_embed_end(&mut self.out, shape),
            Form::Csv(csv) => {
                csv.depth = csv.depth.saturating_sub(1);
                if csv.depth > 0 {
                    json_embed_end(&mut csv.cell, shape);
                } else {
                    if shape == EmbedShape::Many {
                        csv.cell.push(b']');
                    }
                    csv_cell(&mut self.out, &csv.cell);
                }
            }
            Form::Location { .. } | Form::Nothing => {}
        }
    }

    fn row_end(&mut self) {
        match &mut self.form {
            Form::List | Form::Object => self.out.push(b'}'),
            Form::Csv(csv) if csv.depth > 0 => csv.cell.push(b'}'),
            Form::Csv(csv) => csv.rows += 1,
            Form::Location { rows } => *rows += 1,
            Form::Nothing => {}
        }
    }
}

// Whether a comma is due can be told from the last byte: no JSON value ends with `{`, `[` or `:`.

fn json_row_begin(out: &mut Vec<u8>) {
    if out.last() == Some(&b'}') {
        out.push(b',');
    }
    out.push(b'{');
}

fn json_key(out: &mut Vec<u8>, key: &[u8]) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.extend_from_slice(key);
}

fn json_value(out: &mut Vec<u8>, key: &[u8], value: ValueRef<'_>) {
    json_key(out, key);
    value.write_json(out);
}

fn json_embed_begin(out: &mut Vec<u8>, key: &[u8], shape: EmbedShape) {
    json_key(out, key);
    if shape == EmbedShape::Many {
        out.push(b'[');
    }
}

fn json_embed_end(out: &mut Vec<u8>, shape: EmbedShape) {
    match shape {
        EmbedShape::Many => out.push(b']'),
        EmbedShape::One if out.last() == Some(&b':') => out.extend_from_slice(b"null"),
        EmbedShape::One => {}
    }
}

impl Csv {
    /// A cell begins: its comma, and in the first row its name in the header line.
    fn column_begin(&mut self, name: &str, out: &mut Vec<u8>) {
        if self.columns > 0 {
            out.push(b',');
        }
        if self.rows == 0 {
            // The header ends with the line break that precedes the first row.
            self.header.pop();
            if self.columns > 0 {
                self.header.push(b',');
            }
            csv_cell(&mut self.header, name.as_bytes());
            self.header.push(b'\n');
        }
        self.columns += 1;
    }
}

/// A value as a cell; null is empty. Texts that a spreadsheet would run as a formula get an apostrophe in front,
/// so CSV is for spreadsheets and not byte-exact; JSON is.
fn csv_value(out: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => {}
        ValueRef::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
            csv_cell(out, format!("'{text}").as_bytes());
        }
        // An empty text in quotes, so that it is not null.
        ValueRef::Text("") => out.extend_from_slice(b"\"\""),
        ValueRef::Text(text) => csv_cell(out, text.as_bytes()),
        other => csv_cell(out, other.to_text().as_bytes()),
    }
}

fn csv_cell(out: &mut Vec<u8>, cell: &[u8]) {
    if !cell.iter().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r')) {
        out.extend_from_slice(cell);
        return;
    }
    out.push(b'"');
    for byte in cell {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

fn location_part(out: &mut Vec<u8>, name: &str, value: ValueRef<'_>) {
    if !out.is_empty() {
        out.push(b'&');
    }
    percent_encode(out, name);
    if value == ValueRef::Null {
        out.extend_from_slice(b"=is.null");
        return;
    }
    out.extend_from_slice(b"=eq.");
    percent_encode(out, &value.to_text());
}

/// Unreserved characters (RFC 3986) stand for themselves.
pub(crate) fn percent_encode(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}
