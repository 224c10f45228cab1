//! What the project's functions emit, as far as it is written out: names and first fields for whoever waits for events,
//! and personal fields that would leave under another name. What is worked out when it runs is not judged.

use std::collections::BTreeMap;

use takt_model::{Exposure, Field, Project};
use takt_typescript::{EmitCall, Sent};

use crate::{Logic, calls::Mistake};

/// Kind of the fields that leave under no name.
const SECRET: &str = "secret";

/// The events of a project's functions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emitted {
    /// By name: what they carry on the first level; nothing if that is not written out everywhere.
    pub events: BTreeMap<String, Option<Vec<String>>>,
    /// Whether there can be no others.
    pub is_whole: bool,
}

impl Logic {
    /// The events that functions emit, as far as their names are written out.
    #[must_use]
    pub fn emitted(&self) -> Emitted {
        let mut emitted = Emitted { is_whole: true, ..Emitted::default() };
        for (_, module) in self.shared.modules.iter() {
            module.facts.emits.iter().for_each(|call| note(&mut emitted, call));
        }
        emitted
    }
}

fn note(emitted: &mut Emitted, call: &EmitCall) {
    let Some(name) = &call.name else {
        emitted.is_whole = false;
        return;
    };
    let here = call.is_whole.then(|| {
        let first = |sent: &Sent| sent.path.first().map(|n| n.name.clone());
        call.fields.iter().filter_map(first).collect::<Vec<_>>()
    });
    let fields = emitted.events.entry(name.name.clone()).or_insert_with(|| Some(Vec::new()));
    match (fields.as_mut(), here) {
        (Some(all), Some(here)) => all.extend(here),
        _ => *fields = None,
    }
}

/// A personal field under another name: `data` of connections and the dots in logs know it only by its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renamed {
    pub(crate) mistake: Mistake,
    /// Whether the field is one that leaves under no name.
    pub(crate) is_secret: bool,
}

pub(crate) fn renamed(project: &Project, call: &EmitCall) -> Vec<Renamed> {
    call.fields.iter().filter_map(|sent| one(project, sent)).collect()
}

fn one(project: &Project, sent: &Sent) -> Option<Renamed> {
    let is_personal = |name: &str| fields(project, name).any(|f| f.personal.is_some());
    // Under a personal name everything is held back, whatever it is made of.
    if sent.path.iter().any(|part| is_personal(&part.name)) {
        return None;
    }
    let last = sent.path.last()?;
    let of = sent.of.iter().find(|name| means_a_person(project, name))?;
    let is_secret = fields(project, of).any(|f| f.personal.as_deref() == Some(SECRET));
    let message = if is_secret {
        format!("`{of}` is secret and would leave as `{}`", last.name)
    } else {
        format!(
            "`{of}` is personal and would leave as `{}`, which `data` of no connection can hold back",
            last.name
        )
    };
    let help = match is_secret {
        true => "leave it out; who may see it reads it from the table".to_owned(),
        false => {
            format!("call it `{of}` in the event too; a mapping function can give it the other side's name")
        }
    };
    Some(Renamed { mistake: Mistake { place: last.place, message, help: Some(help) }, is_secret })
}

/// Whether a field of that name is personal wherever there is one; of a name that is both, nothing is said. One secret
/// is enough.
fn means_a_person(project: &Project, name: &str) -> bool {
    let mut kinds = fields(project, name).map(|f| f.personal.as_deref()).peekable();
    let is_known = kinds.peek().is_some();
    let kinds: Vec<_> = kinds.collect();
    is_known && (kinds.iter().all(Option::is_some) || kinds.contains(&Some(SECRET)))
}

fn fields<'p>(project: &'p Project, name: &str) -> impl Iterator<Item = &'p Field> {
    let public = project.tables.iter().filter(|t| t.exposure == Exposure::Public);
    let found: Vec<_> = public.filter_map(|t| t.field(name)).collect();
    found.into_iter()
}
