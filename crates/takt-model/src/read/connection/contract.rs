//! `contract = { .. }` and `plausible = [ .. ]` of an operation.
//! Whether the named files exist and are schemas is said by who compiles them (`takt-interfaces`).

use super::super::{
    document::Section,
    problems::{Problems, did_you_mean_or_list},
};
use crate::{Contract, OnDrift, OperationKind, PlausibleRule, Protocol, SchemaRef, StepContract};

/// Rules of one operation.
const MOST_RULES: usize = 32;

pub(super) fn read(part: &Section<'_>, problems: &mut Problems) -> Option<Contract> {
    let said = part.section("contract", problems)?;
    let mut contract = Contract {
        request: schema(&said, "request", problems),
        response: schema(&said, "response", problems),
        steps: steps(&said, problems),
        on_drift: OnDrift::default(),
    };
    if let Some(drift) = said.text("drift", problems) {
        match drift.value.as_str() {
            "stop-lane" => contract.on_drift = OnDrift::StopLane,
            "note" => contract.on_drift = OnDrift::Note,
            other => {
                let help = did_you_mean_or_list(other, ["stop-lane", "note"]);
                problems.error(&drift.source, format!("unknown answer `{other}` to drift"), help);
            }
        }
    }
    let is_empty = ["request", "response", "steps"].iter().all(|key| said.value(key).is_none());
    said.finish(problems);
    if is_empty {
        let help = "write `response = \"contracts/erp/sale.response.json\"`".to_owned();
        problems.error(said.source(), "a contract needs at least one schema", help);
    }
    Some(contract)
}

fn steps(said: &Section<'_>, problems: &mut Problems) -> Vec<StepContract> {
    let Some(part) = said.section("steps", problems) else { return Vec::new() };
    let mut steps = Vec::new();
    for (name, source, node) in part.entries() {
        let Some(step) = part.child(format!("contract of the step `{name}`"), &source, node, problems) else {
            continue;
        };
        let (request, response) = (schema(&step, "request", problems), schema(&step, "response", problems));
        step.finish(problems);
        if request.is_none() && response.is_none() {
            let help = "write `{ response = \"contracts/erp/sale.response.json\" }`".to_owned();
            problems.error(&source, format!("the contract of the step `{name}` has no schema"), help);
        }
        steps.push(StepContract { name: name.to_owned(), request, response, source });
    }
    steps
}

fn schema(part: &Section<'_>, key: &'static str, problems: &mut Problems) -> Option<SchemaRef> {
    let said = part.text(key, problems)?;
    let is_inside = said.value.starts_with("contracts/") && !said.value.split('/').any(|piece| piece == "..");
    if !is_inside || !said.value.ends_with(".json") {
        let help = "write `contracts/erp/sale.response.json`".to_owned();
        problems.error(&said.source, format!("`{}` is no file of schemas", said.value), help);
        return None;
    }
    Some(SchemaRef { file: said.value, source: said.source })
}

pub(super) fn plausible(part: &Section<'_>, problems: &mut Problems) -> Vec<PlausibleRule> {
    let Some(said) = part.texts("plausible", problems) else { return Vec::new() };
    if said.value.len() > MOST_RULES {
        problems.error(&said.source, format!("an operation has at most {MOST_RULES} rules"), None);
    }
    let mut rules = Vec::new();
    for text in said.value.iter().take(MOST_RULES) {
        match PlausibleRule::parse(text) {
            Ok(rule) => rules.push(rule),
            Err(why) => {
                let help = "write `rows >= 0.8 * last.rows` or `zeros(stock) <= 50% * rows`".to_owned();
                problems.error(&said.source, format!("`{text}` is no rule: {why}"), help);
            }
        }
    }
    rules
}

/// What a contract may not say of such an operation.
pub(super) fn misplaced(
    contract: &Contract,
    kind: &OperationKind,
    protocol: Protocol,
) -> Option<&'static str> {
    let has_steps = !contract.steps.is_empty();
    match kind {
        OperationKind::Deliver(_) if protocol == Protocol::Smtp => Some("mails have no contract"),
        OperationKind::Deliver(deliver) if deliver.run.is_some() => (contract.request.is_some()
            || contract.response.is_some())
        .then_some("this function makes several calls: name the one that is meant, `contract.steps.<name>`"),
        OperationKind::Deliver(_) => {
            has_steps.then_some("only a function (`run`) has steps; say `request` and `response`")
        }
        OperationKind::Receive(_) => (has_steps || contract.response.is_some())
            .then_some("a message that comes in has a `request` only: what others send"),
        OperationKind::Poll(_) => None,
    }
}
