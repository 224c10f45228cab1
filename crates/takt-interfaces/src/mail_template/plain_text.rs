//! The text of a mail from its HTML, for mails without a `.txt`: simple and never failing.

/// Elements whose content is not for reading.
const SILENT: [&str; 4] = ["head", "style", "script", "title"];
/// Elements that stand on lines of their own.
const BLOCKS: [&str; 14] =
    ["p", "div", "table", "tr", "h1", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "hr", "body"];
/// Of these, those with an empty line around.
const APART: [&str; 8] = ["p", "table", "h1", "h2", "h3", "h4", "ul", "ol"];

/// Makes text from HTML: blocks become lines, links show their address, entities become characters.
pub(super) fn from_html(html: &str) -> String {
    let mut writer = Writer::default();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        writer.text(&rest[..start]);
        rest = &rest[start..];
        let (tag, after) = tag(rest);
        writer.tag(tag);
        rest = after;
        let name = name(tag);
        if SILENT.contains(&&*name) && !tag.ends_with('/') {
            rest = behind(rest, &name);
        }
    }
    writer.text(rest);
    writer.finish()
}

/// The inside of the tag at the start of `rest`, and what follows it. A comment is a tag without a name.
fn tag(rest: &str) -> (&str, &str) {
    if rest.starts_with("<!--") {
        return ("", rest.find("-->").map_or("", |end| &rest[end + 3..]));
    }
    rest.find('>').map_or(("", ""), |end| (&rest[1..end], &rest[end + 1..]))
}

fn name(tag: &str) -> String {
    tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default().to_ascii_lowercase()
}

/// What follows the end of the element `name`; nothing if it has no end.
fn behind<'a>(rest: &'a str, name: &str) -> &'a str {
    let lower = rest.to_ascii_lowercase();
    let Some(end) = lower.find(&format!("</{name}")) else { return "" };
    rest[end..].find('>').map_or("", |close| &rest[end + close + 1..])
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Line breaks that are due before the next word.
    breaks: usize,
    space: bool,
    /// Address of the link that is open, and where its words begin.
    link: Option<(String, usize)>,
}

impl Writer {
    fn text(&mut self, raw: &str) {
        for c in entities(raw).chars() {
            if c.is_ascii_whitespace() {
                self.space = true;
            } else {
                self.push(c);
            }
        }
    }

    fn push(&mut self, c: char) {
        if self.breaks > 0 && !self.out.is_empty() {
            self.out.push_str(&"\n".repeat(self.breaks));
        } else if self.space && !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push(' ');
        }
        (self.breaks, self.space) = (0, false);
        self.out.push(c);
    }

    fn tag(&mut self, tag: &str) {
        let (closing, inside) = tag.strip_prefix('/').map_or((false, tag), |inside| (true, inside));
        let name = name(inside);
        match name.as_str() {
            "br" => self.breaks = (self.breaks + 1).min(2),
            "a" if closing => self.end_link(),
            "a" => self.link = attribute(inside, "href").map(|href| (entities(href), self.out.len())),
            // Cells of a row stay on its line.
            "td" | "th" => self.space = true,
            _ if APART.contains(&&*name) => self.breaks = 2,
            _ if BLOCKS.contains(&&*name) => self.breaks = self.breaks.max(1),
            _ => {}
        }
        if name == "li" && !closing {
            self.push('-');
            self.space = true;
        }
    }

    fn end_link(&mut self) {
        let Some((href, start)) = self.link.take() else { return };
        let words = self.out.get(start..).unwrap_or_default().trim();
        let address = href.strip_prefix("mailto:").unwrap_or(&href);
        if words != address && !address.is_empty() && !address.starts_with('#') {
            self.text(&format!(" ({})", address.replace('&', "&amp;")));
        }
    }

    fn finish(self) -> String {
        let lines: Vec<&str> = self.out.lines().map(str::trim_end).collect();
        format!("{}\n", lines.join("\n"))
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.to_ascii_lowercase().find(&format!("{name}="))? + name.len() + 1;
    let rest = &tag[start..];
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest[1..].split(quote).next()
}

fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        // The longest entity that we know has ten characters.
        let end = rest.bytes().take(12).position(|b| b == b';');
        let known = end.and_then(|end| Some((entity(&rest[1..end])?, end)));
        match known {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    let number = |digits: &str, radix| char::from_u32(u32::from_str_radix(digits, radix).ok()?);
    if let Some(digits) = name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
        return number(digits, 16);
    }
    if let Some(digits) = name.strip_prefix('#') {
        return number(digits, 10);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "euro" => '€',
        "ndash" => '–',
        "mdash" => '—',
        "middot" => '·',
        "times" => '×',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::from_html;

    #[test]
    fn html_becomes_readable_text() {
        let html = r##"<!doctype html><html><head><title>T</title><style>p { a: b }</style></head>
            <body><!-- <p>no</p> --><h1>Hello &amp; welcome</h1>
            <p>Dear  Anna<br>M&uuml;ller &lt;b&gt; &#39;x&#x27; 5&nbsp;&euro;,</p>
            <table><tr><td>Tea</td><td>2</td></tr><tr><td>Cup</td><td>1</td></tr></table>
            <ul><li>one</li><li>two</li></ul>
            <p><a href="https://shop.example/?a=1&amp;b=2">Your order</a>,
            <a href='https://shop.example/'>https://shop.example/</a>, <a href="#x">up</a></p></body></html>"##;
        let text = "Hello & welcome\n\nDear Anna\nM&uuml;ller <b> 'x' 5\u{a0}€,\n\nTea 2\nCup 1\n\n- one\n- two\n\n\
                    Your order (https://shop.example/?a=1&b=2), https://shop.example/, up\n";
        assert_eq!(from_html(html), text);
    }

    #[test]
    fn what_is_no_html_does_no_harm() {
        for (html, text) in [
            ("", "\n"),
            ("a < b", "a\n"),
            ("<p", "\n"),
            ("<script>x", "\n"),
            ("&;&#;&#x110000;&amp", "&;&#;&#x110000;&amp\n"),
            ("<a href=>x</a></a>", "x\n"),
            ("ü<ü>ü&ü;", "üü&ü;\n"),
            ("&ünglücklich;", "&ünglücklich;\n"),
        ] {
            assert_eq!(from_html(html), text, "{html:?}");
        }
    }
}
