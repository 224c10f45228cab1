//! A light: shape, word and colour together, so that nobody needs to tell colours apart.

use maud::{Markup, PreEscaped, html};
use takt_report::State;

use super::language::Language;

/// The word of a state.
pub(super) fn word(state: State, language: Language) -> &'static str {
    let text = state.word();
    match language {
        Language::German => text.de,
        Language::English => text.en,
    }
}

/// The class that colours it.
pub(super) fn class(state: State) -> &'static str {
    match state {
        State::Green => "is-green",
        State::Yellow => "is-yellow",
        State::Red => "is-red",
        State::Unknown => "is-unknown",
        State::NotApplicable => "is-none",
        State::TooYoung => "is-young",
    }
}

/// The shape alone, for beside a word.
pub(super) fn shape(state: State) -> Markup {
    let drawing = match state {
        State::Green => r#"<circle cx="12" cy="12" r="9" fill="currentColor"/>"#,
        State::Yellow => r#"<path d="M12 3 22 21H2Z" fill="currentColor"/>"#,
        State::Red => r#"<rect x="3.5" y="3.5" width="17" height="17" fill="currentColor"/>"#,
        State::Unknown => {
            r#"<circle cx="12" cy="12" r="8" fill="none" stroke="currentColor" stroke-width="2.5" stroke-dasharray="3.2 3.1"/>"#
        }
        State::NotApplicable => r#"<path d="M4 12h16" stroke="currentColor" stroke-width="3"/>"#,
        State::TooYoung => {
            r#"<circle cx="12" cy="12" r="8" fill="none" stroke="currentColor" stroke-width="2.5"/><path d="M12 12V6.5M12 12l4 2.4" fill="none" stroke="currentColor" stroke-width="2.2"/>"#
        }
    };
    html! {
        svg.shape viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false" { (PreEscaped(drawing)) }
    }
}

/// Shape and word.
pub(super) fn light(state: State, language: Language) -> Markup {
    html! { span.light.(class(state)) { (shape(state)) " " span.word { (word(state, language)) } } }
}
