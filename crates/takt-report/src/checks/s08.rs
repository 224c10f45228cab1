//! S08: whether partners can be reached, measured by what the business can bear: nothing arrives for longer than the
//! file of the connection says although something wants to.

use super::{Check, answer, partners};
use crate::{
    evidence::{ConnectionFact, Evidence},
    format,
    report::{Answer, Ask, Effort, EvidenceClass, State},
    text::{Text, both, listing},
};

pub(super) const CHECK: Check = Check {
    id: "S08",
    weight: 2,
    cap: false,
    threshold: Text {
        de: "grün: alles kommt an; gelb: etwas wartet seit einem Fehler; rot: länger als erträglich",
        en: "green: everything arrives; yellow: something waits since a failure; red: longer than is bearable",
    },
    meaning: Text {
        de: "Fällt ein Partner aus, steht ein Teil Ihres Geschäfts.",
        en: "If a partner is down, a part of your business stands still.",
    },
    ask: Ask::Partner,
    question: Text {
        de: "Seit wann antwortet Ihr System nicht, und wann geht es wieder?",
        en: "Since when does your system not answer, and when will it be back?",
    },
    advice: Text { de: "Den Partner anrufen", en: "Call the partner" },
    effort: Effort::Small,
    class: EvidenceClass::Measured,
    probe,
};

fn probe(evidence: &Evidence) -> Answer {
    let title = Text {
        de: "Ob die Partner erreichbar sind, ist noch nicht bekannt.",
        en: "Whether the partners can be reached is not yet known.",
    };
    let partners = match partners(evidence, title) {
        Ok(partners) => partners,
        Err(answer) => return *answer,
    };
    let down: Vec<&ConnectionFact> = partners.iter().copied().filter(|c| c.is_down()).collect();
    let too_long: Vec<&ConnectionFact> =
        down.iter().copied().filter(|c| c.is_down_too_long(evidence.at)).collect();
    let reached = partners.iter().filter(|c| c.last_ok_at.is_some() && !c.is_paused && !c.is_down()).count();
    let (state, words) = match (down.as_slice(), too_long.as_slice()) {
        ([], _) => quiet(&partners, reached, title),
        (some, []) => (State::Yellow, sentence(some, "", "")),
        (_, some) => (State::Red, sentence(some, " länger als erträglich", " for longer than is bearable")),
    };
    let given = answer(state, format!("{reached}/{}", partners.len()), words);
    given.because_all(partners.into_iter().map(line))
}

/// Nobody is known to be out of reach. Whoever never answered is not known, and whoever is stopped is not reached.
fn quiet(partners: &[&ConnectionFact], reached: usize, title: Text) -> (State, takt_model::Words) {
    let all = partners.len();
    let never = partners.iter().filter(|c| c.last_ok_at.is_none()).count();
    let stopped: Vec<&ConnectionFact> = partners.iter().copied().filter(|c| c.is_paused).collect();
    if reached == 0 {
        return (State::Unknown, title.words());
    }
    if never > 0 {
        let words = both(
            format!("Erreichbar: {reached} von {all} Partnern; von {never} ist es noch nicht bekannt."),
            format!("{reached} of {all} partners can be reached; of {never} it is not yet known."),
        );
        return (State::Unknown, words);
    }
    if stopped.is_empty() {
        return (State::Green, both("Alle Partner sind erreichbar.", "All partners can be reached."));
    }
    let names = |language| listing(&names(&stopped, language), language, 3);
    let words = both(
        format!("Erreichbar: {reached} von {all} Partnern; angehalten: {}.", names("de")),
        format!("{reached} of {all} partners can be reached; stopped: {}.", names("en")),
    );
    (State::Green, words)
}

fn names(partners: &[&ConnectionFact], language: &str) -> Vec<String> {
    partners.iter().map(|c| c.called(language).to_owned()).collect()
}

fn sentence(down: &[&ConnectionFact], de: &str, en: &str) -> takt_model::Words {
    both(
        format!("Nicht erreichbar{de}: {}.", listing(&names(down, "de"), "de", 3)),
        format!("Out of reach{en}: {}.", listing(&names(down, "en"), "en", 3)),
    )
}

fn line(c: &ConnectionFact) -> takt_model::Words {
    let moment = |language: &str, never: &str| {
        c.last_ok_at.map_or_else(|| never.to_owned(), |at| format::moment_short(at, language))
    };
    let max = c.bearable.as_deref().unwrap_or("–");
    let (stopped_de, stopped_en) = if c.is_paused { ("; angehalten", "; stopped") } else { ("", "") };
    both(
        format!(
            "{}: letzter Erfolg {}; erträglich: {max}{stopped_de}.",
            c.called("de"),
            moment("de", "noch nie")
        ),
        format!(
            "{}: last success {}; bearable: {max}{stopped_en}.",
            c.called("en"),
            moment("en", "never yet")
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use expect_test::expect;

    use crate::checks::tests::{NOW, check, nobody_looked};
    use crate::evidence::{ConnectionFact, Evidence};
    use crate::history::DAY;
    use crate::text::both;

    #[test]
    fn every_state() {
        fn waiting(e: &mut Evidence, since: i64) {
            let c = &mut e.connections.as_mut().unwrap()[0];
            (c.waiting, c.oldest_waiting_at) = (3, Some(NOW - since));
            (c.last_ok_at, c.last_failed_at) = (Some(NOW - since - DAY), Some(NOW - 60_000_000));
        }
        fn another(e: &mut Evidence, change: impl Fn(&mut ConnectionFact)) {
            let all = e.connections.as_mut().unwrap();
            let mut other = ConnectionFact { name: both("Versand", "Shipping"), ..all[0].clone() };
            (other.waiting, other.oldest_waiting_at, other.last_ok_at) = (0, None, Some(NOW - DAY));
            change(&mut other);
            all.push(other);
        }
        check(
            "S08",
            &[
                ("all arrives", |_| {}),
                ("out of reach for an hour", |e| waiting(e, DAY / 24)),
                ("out of reach for a day", |e| waiting(e, DAY)),
                ("out of reach, and nobody said for how long that is bearable", |e| {
                    waiting(e, 9 * DAY);
                    e.connections.as_mut().unwrap()[0].bearable_micros = None;
                }),
                ("quiet, but fine", |e| e.connections.as_mut().unwrap()[0].last_ok_at = Some(NOW - 9 * DAY)),
                ("nothing yet", |e| e.connections.as_mut().unwrap()[0].last_ok_at = None),
                ("never contacted, stopped, and something waits", |e| {
                    let c = &mut e.connections.as_mut().unwrap()[0];
                    (c.last_ok_at, c.is_paused) = (None, true);
                    (c.waiting, c.oldest_waiting_at) = (3, Some(NOW - 9 * DAY));
                }),
                ("one of two never contacted", |e| {
                    another(e, |c| c.last_ok_at = None);
                }),
                ("one of two stopped", |e| another(e, |c| c.is_paused = true)),
                ("all stopped", |e| e.connections.as_mut().unwrap()[0].is_paused = true),
                ("one out of reach, one never contacted", |e| {
                    waiting(e, DAY);
                    another(e, |c| (c.last_ok_at, c.is_paused) = (None, true));
                }),
                ("own functions only", |e| e.connections.as_mut().unwrap()[0].is_partner = false),
                ("no connections", |e| e.connections = Ok(Vec::new())),
                ("unseen", |e| e.connections = nobody_looked()),
            ],
            expect![[r#"
                all arrives: Green [1/1]
                    Alle Partner sind erreichbar.
                    All partners can be reached.
                      - ERP: last success 23 Nov 2026, 09:13; bearable: 8h.
                out of reach for an hour: Yellow [0/1]
                    Nicht erreichbar: ERP.
                    Out of reach: ERP.
                      - ERP: last success 22 Nov 2026, 08:14; bearable: 8h.
                out of reach for a day: Red [0/1]
                    Nicht erreichbar länger als erträglich: ERP.
                    Out of reach for longer than is bearable: ERP.
                      - ERP: last success 21 Nov 2026, 09:14; bearable: 8h.
                out of reach, and nobody said for how long that is bearable: Yellow [0/1]
                    Nicht erreichbar: ERP.
                    Out of reach: ERP.
                      - ERP: last success 13 Nov 2026, 09:14; bearable: 8h.
                quiet, but fine: Green [1/1]
                    Alle Partner sind erreichbar.
                    All partners can be reached.
                      - ERP: last success 14 Nov 2026, 09:14; bearable: 8h.
                nothing yet: Unknown [0/1]
                    Ob die Partner erreichbar sind, ist noch nicht bekannt.
                    Whether the partners can be reached is not yet known.
                      - ERP: last success never yet; bearable: 8h.
                never contacted, stopped, and something waits: Unknown [0/1]
                    Ob die Partner erreichbar sind, ist noch nicht bekannt.
                    Whether the partners can be reached is not yet known.
                      - ERP: last success never yet; bearable: 8h; stopped.
                one of two never contacted: Unknown [1/2]
                    Erreichbar: 1 von 2 Partnern; von 1 ist es noch nicht bekannt.
                    1 of 2 partners can be reached; of 1 it is not yet known.
                      - ERP: last success 23 Nov 2026, 09:13; bearable: 8h.
                      - Shipping: last success never yet; bearable: 8h.
                one of two stopped: Green [1/2]
                    Erreichbar: 1 von 2 Partnern; angehalten: Versand.
                    1 of 2 partners can be reached; stopped: Shipping.
                      - ERP: last success 23 Nov 2026, 09:13; bearable: 8h.
                      - Shipping: last success 22 Nov 2026, 09:14; bearable: 8h; stopped.
                all stopped: Unknown [0/1]
                    Ob die Partner erreichbar sind, ist noch nicht bekannt.
                    Whether the partners can be reached is not yet known.
                      - ERP: last success 23 Nov 2026, 09:13; bearable: 8h; stopped.
                one out of reach, one never contacted: Red [0/2]
                    Nicht erreichbar länger als erträglich: ERP.
                    Out of reach for longer than is bearable: ERP.
                      - ERP: last success 21 Nov 2026, 09:14; bearable: 8h.
                      - Shipping: last success never yet; bearable: 8h; stopped.
                own functions only: NotApplicable []
                    Ihr System ist mit keinem anderen verbunden.
                    Your system is connected to no other.
                no connections: NotApplicable []
                    Ihr System ist mit keinem anderen verbunden.
                    Your system is connected to no other.
                unseen: Unknown []
                    Ob die Partner erreichbar sind, ist noch nicht bekannt.
                    Whether the partners can be reached is not yet known.
                      - Technical reason: canceling statement due to statement timeout
            "#]],
        );
    }
}
