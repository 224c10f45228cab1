//! CSV as RFC 4180 has it, with the line of each record.
//! Lives here: the text taken apart. Not here: what a cell means (`read.rs`).

/// A line of a CSV file; quoted cells may hold further lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) line: u32,
    pub(super) cells: Vec<Cell>,
}

/// A cell; without quotes and empty it says nothing, with quotes it is the empty text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) quoted: bool,
}

/// Where CSV is broken (line, from 1), and how.
pub(super) type Broken = (u32, &'static str);

/// Reads CSV as RFC 4180 has it; blank lines are skipped. Of broken text: what stands before the break, and the break.
pub(super) fn csv(text: &str) -> (Vec<Record>, Option<Broken>) {
    let mut records = Vec::new();
    let broken = read_into(&mut records, text).err();
    (records, broken)
}

fn read_into(records: &mut Vec<Record>, text: &str) -> Result<(), Broken> {
    let mut chars = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    let mut line = 1;
    while chars.peek().is_some() {
        let mut record = Record { line, cells: Vec::new() };
        loop {
            let cell = csv_cell(&mut chars, &mut line)?;
            record.cells.push(cell);
            match chars.next() {
                Some(',') => {}
                Some('\r') => {
                    chars.next_if_eq(&'\n');
                    line += 1;
                    break;
                }
                Some('\n') => {
                    line += 1;
                    break;
                }
                None => break,
                Some(_) => return Err((line, "there is something behind a closing quote")),
            }
            if record.cells.len() > 1_000 {
                return Err((line, "more than 1000 values in a line"));
            }
        }
        let is_blank = matches!(record.cells.as_slice(), [only] if only.text.is_empty() && !only.quoted);
        if !is_blank {
            records.push(record);
        }
    }
    Ok(())
}

fn csv_cell(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, line: &mut u32) -> Result<Cell, Broken> {
    let mut cell = Cell::default();
    if chars.next_if_eq(&'"').is_none() {
        while let Some(c) = chars.next_if(|c| !matches!(c, ',' | '\n' | '\r')) {
            cell.text.push(c);
        }
        return Ok(cell);
    }
    cell.quoted = true;
    let opened = *line;
    loop {
        match chars.next() {
            Some('"') if chars.next_if_eq(&'"').is_some() => cell.text.push('"'),
            Some('"') => return Ok(cell),
            Some(c) => {
                *line += u32::from(c == '\n');
                cell.text.push(c);
            }
            None => return Err((opened, "a quote is opened and never closed")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        let shown = |c: &Cell| if c.quoted { format!("'{}'", c.text) } else { c.text.clone() };
        csv(text).0.iter().map(|r| r.cells.iter().map(shown).collect()).collect()
    }

    #[test]
    fn csv_is_read_as_rfc_4180_has_it() {
        for (text, expected) in [
            ("", vec![]),
            ("a,b", vec![vec!["a", "b"]]),
            ("a,b\r\n1,2\r\n", vec![vec!["a", "b"], vec!["1", "2"]]),
            ("\u{feff}a\n\n1\n", vec![vec!["a"], vec!["1"]]),
            ("a,,\"\"\n", vec![vec!["a", "", "''"]]),
            ("\"x, \"\"y\"\"\nz\",2", vec![vec!["'x, \"y\"\nz'", "2"]]),
        ] {
            assert_eq!(cells(text), expected, "{text:?}");
        }
    }

    #[test]
    fn broken_csv_is_told_with_its_line() {
        assert_eq!(csv("a\n\"b").1, Some((2, "a quote is opened and never closed")));
        assert_eq!(csv("a\n1\n\"b").0.len(), 2, "what stands before the break is read");
        assert_eq!(csv("a\n\"b\"c").1, Some((2, "there is something behind a closing quote")));
    }

    #[test]
    fn a_record_behind_a_cell_of_several_lines_knows_its_line() {
        let lines: Vec<_> = csv("h\n\"1\n2\"\n3").0.iter().map(|r| r.line).collect();
        assert_eq!(lines, [1, 2, 4]);
    }
}
