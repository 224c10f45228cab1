//! The `Range` header: one range of bytes. Several ranges at once are answered with the whole file, as HTTP allows.

/// Which bytes are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Range {
    /// All of them.
    Whole,
    /// From `first` to `last`, both included.
    Part {
        /// Counted from 0.
        first: u64,
        /// Below the length.
        last: u64,
    },
    /// None that the file has.
    Impossible,
}

impl Range {
    /// What `header` asks of a file of `length` bytes; what cannot be understood asks for nothing in particular.
    pub(crate) fn parse(header: &str, length: u64) -> Self {
        let Some(bytes) = header.trim().strip_prefix("bytes=") else { return Self::Whole };
        let Some((first, last)) = bytes.split_once('-') else { return Self::Whole };
        let number = |text: &str| text.trim().parse::<u64>();
        match (first.trim(), last.trim()) {
            ("", suffix) => match number(suffix) {
                Ok(0) => Self::Impossible,
                Ok(n) => Self::between(length.saturating_sub(n), u64::MAX, length),
                Err(_) => Self::Whole,
            },
            (first, "") => number(first).map_or(Self::Whole, |f| Self::between(f, u64::MAX, length)),
            (first, last) => match (number(first), number(last)) {
                (Ok(f), Ok(l)) if f <= l => Self::between(f, l, length),
                (Ok(_) | Err(_), _) => Self::Whole,
            },
        }
    }

    fn between(first: u64, last: u64, length: u64) -> Self {
        if first < length { Self::Part { first, last: last.min(length - 1) } } else { Self::Impossible }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        let part = |first, last| Range::Part { first, last };
        for (header, expected) in [
            ("bytes=0-0", part(0, 0)),
            ("bytes=2-5", part(2, 5)),
            ("bytes=2-", part(2, 9)),
            ("bytes=2-500", part(2, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-30", part(0, 9)),
            ("bytes=10-", Range::Impossible),
            ("bytes=-0", Range::Impossible),
            ("bytes=5-2", Range::Whole),
            ("bytes=0-1,4-5", Range::Whole),
            ("bytes=x-5", Range::Whole),
            ("bytes=", Range::Whole),
            ("rows=0-4", Range::Whole),
            ("bytes=-99999999999999999999", Range::Whole),
        ] {
            assert_eq!(Range::parse(header, 10), expected, "{header}");
        }
        assert_eq!(Range::parse("bytes=0-", 0), Range::Impossible);
    }
}
