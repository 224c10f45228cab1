//! Identifiers in SQL text: the only way a name gets there.

/// A name of the project's schema, written quoted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ident<'a>(pub(super) &'a str);

impl Ident<'_> {
    /// Appends the quoted name; a quote inside is doubled.
    pub(super) fn push_to(self, text: &mut String) {
        text.push('"');
        if self.0.contains('"') {
            text.push_str(&self.0.replace('"', "\"\""));
        } else {
            text.push_str(self.0);
        }
        text.push('"');
    }
}

/// Appends a whole number without an allocation.
pub(super) fn push_number(text: &mut String, mut number: usize) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        // A remainder of ten is a single digit.
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    digits[at..].iter().for_each(|d| text.push(char::from(*d)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        let cases =
            [("orders", r#""orders""#), ("auth.users", r#""auth.users""#), (r#"a"; drop"#, r#""a""; drop""#)];
        for (name, expected) in cases {
            let mut text = String::new();
            Ident(name).push_to(&mut text);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn numbers_are_written_in_full() {
        for number in [0_usize, 7, 10, 32_766, usize::MAX] {
            let mut text = String::new();
            push_number(&mut text, number);
            assert_eq!(text, number.to_string());
        }
    }
}
