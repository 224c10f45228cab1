//! What an SMTP server says: one or more lines with the same code (RFC 5321, section 4.2). Pure.

use super::error::Fault;

/// Bytes of one line; the RFC says 512, servers say more.
pub(super) const MOST_LINE: usize = 2_048;
/// Lines of one answer.
const MOST_LINES: usize = 100;
/// Characters of the server's words that are kept.
const MOST_TEXT: usize = 400;

/// A complete answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// The words in one line, without control characters.
    pub(super) fn text(&self) -> String {
        let joined = self.lines.join(" ");
        joined.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_TEXT).collect()
    }

    /// The answer, if it has one of these codes.
    pub(super) fn wanted(self, codes: &[u16]) -> Result<Self, Fault> {
        match self.code {
            code if codes.contains(&code) => Ok(self),
            code if code >= 400 => Err(Fault::Code { code, text: self.text() }),
            code => Err(Fault::Broken(format!("unexpected answer {code}"))),
        }
    }

    /// The rest of the EHLO line that begins with `keyword`; `None` if the server does not offer it.
    pub(super) fn offer(&self, keyword: &str) -> Option<&str> {
        self.lines.iter().skip(1).find_map(|line| {
            let (word, rest) = line.split_once([' ', '=']).unwrap_or((line, ""));
            word.eq_ignore_ascii_case(keyword).then_some(rest)
        })
    }
}

/// Puts an answer together line by line.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    code: Option<u16>,
    lines: Vec<String>,
}

impl Assembly {
    /// Takes one line without its end; gives the answer with its last line.
    pub(super) fn take(&mut self, line: &[u8]) -> Result<Option<Reply>, Fault> {
        let (code, last, text) =
            split(line).ok_or_else(|| Fault::broken("the server does not speak SMTP"))?;
        if self.code.is_some_and(|c| c != code) || self.lines.len() >= MOST_LINES {
            return Err(Fault::broken("the server's answer has no end"));
        }
        self.code = Some(code);
        self.lines.push(text);
        if !last {
            return Ok(None);
        }
        Ok(Some(Reply { code, lines: std::mem::take(&mut self.lines) }))
    }
}

/// "250-PIPELINING" -> 250, not the last, "PIPELINING"
fn split(line: &[u8]) -> Option<(u16, bool, String)> {
    let digits = line.get(..3)?;
    if !(b'2'..=b'5').contains(&digits[0]) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let last = match line.get(3) {
        None | Some(b' ') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    Some((code, last, String::from_utf8_lossy(line.get(4..).unwrap_or_default()).into_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{Assembly, Fault, Reply};

    fn read(lines: &[&str]) -> Result<Option<Reply>, Fault> {
        let mut assembly = Assembly::default();
        let mut last = Ok(None);
        for line in lines {
            last = assembly.take(line.as_bytes());
        }
        last
    }

    #[test]
    fn an_answer_may_have_several_lines() {
        let reply =
            read(&["250-mail.example", "250-SIZE 1000", "250-AUTH=LOGIN", "250 STARTTLS"]).unwrap().unwrap();
        assert_eq!((reply.code, reply.text().as_str()), (250, "mail.example SIZE 1000 AUTH=LOGIN STARTTLS"));
        assert_eq!(reply.offer("size"), Some("1000"));
        assert_eq!(reply.offer("AUTH"), Some("LOGIN"));
        assert_eq!(reply.offer("starttls"), Some(""));
        assert_eq!(reply.offer("mail.example"), None);
        assert_eq!(read(&["354"]).unwrap().unwrap().code, 354);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for lines in [
            &[""][..],
            &["25"],
            &["abc hello"],
            &["250_hello"],
            &["150 early"],
            &["650 late"],
            &["HTTP/1.1 200 OK"],
            &["250-a", "550 b"],
            &["2\u{fc} x"],
        ] {
            assert!(read(lines).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn the_code_decides() {
        let reply = |code| Reply { code, lines: vec!["5.1.1\u{7} no\r".into()] };
        assert!(reply(250).wanted(&[250, 251]).is_ok());
        assert!(
            matches!(reply(550).wanted(&[250]), Err(Fault::Code { code: 550, text }) if text == "5.1.1  no ")
        );
        assert!(matches!(reply(250).wanted(&[354]), Err(Fault::Broken(_))));
    }
}
