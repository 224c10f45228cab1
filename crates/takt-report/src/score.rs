//! From single results to the lights of the blocks and the whole: `design/assessment.md` section 3. Pure.

use takt_model::Words;

use crate::{
    catalogue,
    evidence::Evidence,
    format,
    report::{Ask, Block, CheckResult, Effort, NextStep, RuleSet, State, Verdict},
    text::both,
};

/// Below this share of the block's catalogue weight a finding may make a block red or yellow, but nothing makes it
/// green: three good answers of twenty say little about the other seventeen.
const ANSWERED_FOR_GREEN: (u32, u32) = (1, 3);

/// The gravest first.
pub(crate) fn gravity(state: State) -> u8 {
    match state {
        State::Red => 0,
        State::Yellow => 1,
        State::Unknown => 2,
        State::TooYoung => 3,
        State::Green => 4,
        State::NotApplicable => 5,
    }
}

/// The light of a block.
pub(crate) fn block_light(results: &[CheckResult], catalogue_weight: u32) -> State {
    let weight = |wanted: &[State]| -> u32 {
        results.iter().filter(|r| wanted.contains(&r.state)).map(|r| u32::from(r.weight)).sum()
    };
    let (green, yellow, red) = (weight(&[State::Green]), weight(&[State::Yellow]), weight(&[State::Red]));
    let unknown = weight(&[State::Unknown]);
    let known = green + yellow + red;
    // Doubled, because a yellow is worth a half.
    let points = 2 * green + yellow;

    let reds = || results.iter().filter(|r| r.state == State::Red);
    if reds().any(|r| r.cap || r.weight >= 5)
        || reds().filter(|r| r.weight >= 3).count() >= 2
        || (known > 0 && points < known)
    {
        return State::Red;
    }
    if known + unknown == 0 {
        let young = results.iter().any(|r| r.state == State::TooYoung);
        return if young { State::TooYoung } else { State::Unknown };
    }
    if unknown * 2 > known + unknown {
        return State::Unknown;
    }
    let (part, of) = ANSWERED_FOR_GREEN;
    if red + yellow == 0 && known * of < catalogue_weight * part {
        return State::Unknown;
    }
    let grave = |s: State| results.iter().any(|r| r.state == s && r.weight >= 3);
    let has_gap = red > 0 || grave(State::Yellow) || grave(State::Unknown);
    if has_gap || 100 * points < 85 * 2 * (known + unknown) {
        return State::Yellow;
    }
    if known * of < catalogue_weight * part { State::Unknown } else { State::Green }
}

/// The most important sentence of a block.
pub(crate) fn sentence(state: State, results: &[CheckResult]) -> Words {
    let heaviest = |wanted: State| {
        results
            .iter()
            .filter(|r| r.state == wanted)
            .max_by_key(|r| (r.cap, r.weight))
            .map(|r| r.title.clone())
    };
    let cause = match state {
        State::Red | State::Yellow => {
            heaviest(State::Red).or_else(|| heaviest(State::Yellow)).or_else(|| heaviest(State::Unknown))
        }
        State::Green => heaviest(State::Green),
        State::Unknown | State::TooYoung | State::NotApplicable => None,
    };
    match (state, cause) {
        (_, Some(title)) => title,
        (State::TooYoung, _) => both(
            "Die Beobachtung läuft, ist aber noch zu kurz für ein Urteil.",
            "Observation is running but still too short for a verdict.",
        ),
        _ => both(
            "Noch nicht zu beurteilen. Das Wichtigste misst hier noch niemand.",
            "Cannot be judged yet. Nobody measures the most important things here so far.",
        ),
    }
}

/// The whole in one word; the first rule that fits.
pub(crate) fn total(blocks: &[Block], rules: &RuleSet) -> Verdict {
    let results = || blocks.iter().flat_map(|b| &b.results);
    let coverage = both(
        format!("Belegt sind {} von {} Prüfungen.", rules.answered, rules.planned),
        format!("{} of {} checks are answered.", rules.answered, rules.planned),
    );
    if let Some(cause) = results().find(|r| r.cap && r.state == State::Red) {
        return Verdict {
            state: State::Red,
            word: both("Gefährdet", "At risk"),
            reason: cause.title.clone(),
        };
    }
    if rules.answered * 2 < rules.planned {
        return Verdict {
            state: State::Unknown,
            word: both("Noch nicht beurteilbar", "Cannot be judged yet"),
            reason: coverage,
        };
    }
    let gap = blocks.iter().any(|b| matches!(b.state, State::Red | State::Yellow | State::Unknown))
        || results().any(|r| r.cap && r.state == State::Unknown)
        || rules.answered * 5 < rules.planned * 4;
    if gap {
        return Verdict { state: State::Yellow, word: both("Mit Lücken", "With gaps"), reason: coverage };
    }
    Verdict { state: State::Green, word: both("Solide", "Sound"), reason: coverage }
}

/// At most three steps, at most one for each block: what lifts a cap first, then weight by distance and effort.
/// Where findings do not fill the list, the gravest questions that nobody answers yet do.
pub(crate) fn next_steps(blocks: &[Block]) -> Vec<NextStep> {
    let mut ranked: Vec<(u32, NextStep)> = blocks.iter().filter_map(step_of_block).collect();
    ranked.sort_by_key(|(rank, step)| (std::cmp::Reverse(*rank), step.id));
    let mut steps: Vec<NextStep> = ranked.into_iter().map(|(_, step)| step).collect();
    let open = blocks.iter().flat_map(|b| &b.open).map(|o| o.id);
    for id in open {
        let Some((entry, question)) =
            catalogue::ALL.iter().find(|e| e.id == id).and_then(|e| Some((e, e.question?)))
        else {
            continue;
        };
        steps.push(NextStep {
            id: entry.id,
            title: question.title.words(),
            ask: Ask::Agency,
            question: question.question.words(),
            effort: None,
        });
    }
    steps.truncate(3);
    steps
}

fn step_of_block(block: &Block) -> Option<(u32, NextStep)> {
    let distance = |s: State| match s {
        State::Red => 2,
        State::Yellow => 1,
        _ => 0,
    };
    let effort = |e: Effort| match e {
        Effort::Small => 1,
        Effort::Medium => 2,
        Effort::Large => 4,
    };
    let rank = |r: &CheckResult| {
        let lifts_cap = u32::from(r.cap && r.state == State::Red) * 1000;
        lifts_cap + u32::from(r.weight) * distance(r.state) * 4 / effort(r.effort)
    };
    let found = block.results.iter().filter(|r| distance(r.state) > 0).max_by_key(|r| rank(r))?;
    let step = NextStep {
        id: found.id,
        title: found.advice.clone(),
        ask: found.ask,
        question: found.question.clone(),
        effort: Some(found.effort),
    };
    Some((rank(found), step))
}

/// What somebody without programming knowledge should know.
pub(crate) fn notes(evidence: &Evidence, rules: &RuleSet) -> Vec<Words> {
    let mut notes = Vec::new();
    if let Ok(store) = &evidence.store {
        let (de, en) = match store.bytes / 1_000_000 {
            0 => ("unter 1 MB".to_owned(), "under 1 MB".to_owned()),
            n => (format!("{} MB", format::count(n, "de")), format!("{} MB", format::count(n, "en"))),
        };
        notes.push(both(
            format!("Alle Daten liegen in einer Datei auf diesem Rechner ({de})."),
            format!("All data lies in one file on this machine ({en})."),
        ));
        notes.push(both(
            "Wie alt die letzte Sicherung ist und ob sie sich zurückspielen lässt, steht im Maschinenraum.",
            "How old the last backup is, and whether it can be restored, stands under Engine room.",
        ));
    }
    if let Ok(parts) = &evidence.parts
        && !parts.actions.is_empty()
    {
        let n = parts.actions.len();
        notes.push(both(
            format!("Das Programm kennt {n} Vorgänge. Jeder gelingt ganz oder gar nicht, und zu jedem gibt es eine Geschichte."),
            format!("The program knows {n} processes. Each succeeds as a whole or not at all, and each leaves a story."),
        ));
    }
    notes.push(both(
        format!(
            "Grau heißt: noch nicht bekannt, nicht: in Ordnung. Heute sind {} von {} Prüfungen beantwortet.",
            rules.answered, rules.planned
        ),
        format!(
            "Grey means not yet known. It does not mean fine. Today {} of {} checks are answered.",
            rules.answered, rules.planned
        ),
    ));
    notes
}

#[cfg(test)]
mod tests;
