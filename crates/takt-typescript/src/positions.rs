//! Places in a text, and the way from generated code back to its source.

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1.
    pub column: u32,
}

/// From places in the generated code to places in the source.
#[derive(Debug, Clone, Default)]
pub struct Positions {
    /// Generated and source (line, column), counted from 0, ordered by the generated one.
    places: Vec<((u32, u32), (u32, u32))>,
}

impl Positions {
    pub(crate) fn new(places: impl Iterator<Item = ((u32, u32), (u32, u32))>) -> Self {
        Self { places: places.collect() }
    }

    /// Where the source says what stands at `place` of the generated code.
    #[must_use]
    pub fn source(&self, place: Place) -> Option<Place> {
        let at = (place.line.saturating_sub(1), place.column.saturating_sub(1));
        let after = self.places.partition_point(|(generated, _)| *generated <= at);
        // Before the first token of its line: the line's own first token says it better than the line before.
        let found = match after.checked_sub(1).map(|i| self.places[i]) {
            Some(found) if found.0.0 == at.0 => found,
            before => match self.places.get(after) {
                Some(next) if next.0.0 == at.0 => *next,
                _ => before?,
            },
        };
        Some(Place { line: found.1.0 + 1, column: found.1.1 + 1 })
    }
}

/// Where lines begin, to tell places from offsets.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    pub(crate) fn place(&self, offset: u32) -> Place {
        let offset = (offset as usize).min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let before = self.text.get(self.starts[line]..offset).unwrap_or_default();
        Place { line: line as u32 + 1, column: before.chars().count() as u32 + 1 }
    }
}
