//! What a file says about itself: evaluated once, in a scratch context with tight limits.

use std::sync::Arc;

use rquickjs::{Ctx, Object, Value as Js};
use serde_json::Value as Json;
use takt_engine::ActionError;
use takt_model::{Problem, Project, ProjectFiles, Schedule, Severity, Source, Verb, Words};

use crate::{
    Function, FunctionKind, Input, Mapping, Trigger,
    js::{
        conditions::public_tables,
        context::{Bare, LOAD_TIME, evaluate, prelude},
        host::Host,
        json,
        limits::Measure,
    },
    modules::{Module, Modules},
    near::did_you_mean,
};

/// Memory of the scratch context.
const MEMORY: usize = 16 * 1024 * 1024;
const KNOWN: [&str; 10] =
    ["label", "about", "access", "runs_as", "kind", "on", "schedule", "time_zone", "input", "default"];
const KINDS: [(&str, FunctionKind); 5] = [
    ("action", FunctionKind::Action),
    ("http", FunctionKind::Http),
    ("hook", FunctionKind::Hook),
    ("consumer", FunctionKind::Consumer),
    ("job", FunctionKind::Job),
];
/// The kind of a file that is no function but exports several.
const MAPPING: &str = "mapping";
const WRITES: [Verb; 3] = [Verb::Insert, Verb::Update, Verb::Delete];

/// What a file is.
pub(crate) enum Read {
    Function(Function),
    Mapping(Mapping),
}

/// Name and value of what was found.
struct Found {
    values: Vec<(&'static str, Json)>,
    /// Exports that are functions; `default` among them.
    functions: Vec<String>,
}

impl Found {
    fn value(&self, name: &str) -> Option<&Json> {
        self.values.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }
}

/// Reads the exports of the function at `path`.
pub(crate) fn read(
    files: &ProjectFiles,
    project: &Arc<Project>,
    modules: &Arc<Modules>,
    path: &str,
    name: &str,
) -> Result<Read, Vec<Problem>> {
    let Some(module) = modules.get(path) else { return Err(Vec::new()) };
    let mut reader = Reader { path, module, files, project, problems: Vec::new() };
    let found = match scratch(project, modules, path) {
        Ok(found) => found,
        Err(error) => {
            reader.failed(&error);
            return Err(reader.problems);
        }
    };
    let is_mapping = found.value("kind").is_some_and(|kind| kind == MAPPING);
    let read = if is_mapping {
        Read::Mapping(reader.mapping(name, &found))
    } else {
        reader.names();
        Read::Function(reader.function(name, &found))
    };
    if reader.problems.iter().any(|p| p.severity == Severity::Error) {
        Err(reader.problems)
    } else {
        Ok(read)
    }
}

fn scratch(project: &Arc<Project>, modules: &Arc<Modules>, path: &str) -> Result<Found, ActionError> {
    let host = Host::new(Arc::clone(project), Measure::Cpu);
    let bare = Bare::open(host, modules, MEMORY)?;
    bare.host.budget.begin(LOAD_TIME);
    bare.with(|ctx| {
        let broken = |e: rquickjs::Error| crate::js::failure::of_error(&bare.host, ctx, modules, &e);
        prelude(ctx, &bare.host).map_err(broken)?;
        let exports = evaluate(ctx, &bare.host, modules, path)?;
        exported(ctx, &bare.host, &exports).map_err(broken)
    })
}

fn exported<'js>(ctx: &Ctx<'js>, host: &Host, exports: &Object<'js>) -> rquickjs::Result<Found> {
    let mut values = Vec::new();
    for name in KNOWN.into_iter().filter(|n| *n != "default") {
        let value: Js<'js> = exports.get(name)?;
        if let Some(text) = json::write_some(host, ctx, &value).map_err(|t| host.throw(ctx, t))? {
            values.push((name, serde_json::from_str(&text).unwrap_or(Json::Null)));
        }
    }
    let mut functions = Vec::new();
    for name in exports.keys::<String>() {
        let name = name?;
        if exports.get::<_, Js<'js>>(name.as_str())?.is_function() {
            functions.push(name);
        }
    }
    Ok(Found { values, functions })
}

struct Reader<'m> {
    path: &'m str,
    module: &'m Module,
    files: &'m ProjectFiles,
    project: &'m Project,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn source(&self, export: &str) -> Source {
        let line = self.module.facts.exports.iter().find(|e| e.name == export).map_or(1, |e| e.place.line);
        Source { file: self.path.to_owned(), line }
    }

    fn error(&mut self, export: &str, message: String, help: Option<String>) {
        let source = self.source(export);
        self.problems.push(Problem { source, column: None, severity: Severity::Error, message, help });
    }

    /// A mistyped name of an export would go unnoticed; `acess` closes the function to everybody.
    fn names(&mut self) {
        let unknown = self.module.facts.exports.iter().filter(|e| !KNOWN.contains(&e.name.as_str()));
        let near: Vec<(String, String)> =
            unknown.filter_map(|e| Some((e.name.clone(), did_you_mean(&e.name, KNOWN)?))).collect();
        for (name, help) in near {
            self.error(&name, format!("unknown export `{name}`"), Some(help));
        }
    }

    fn failed(&mut self, error: &ActionError) {
        let (message, position) = match error {
            ActionError::Failed { message, position, .. } => (message.clone(), position.as_deref()),
            other => (other.to_string(), None),
        };
        let mut source = Source { file: self.path.to_owned(), line: 1 };
        if let Some((file, line)) = position.and_then(place) {
            source = Source { file: file.to_owned(), line };
        }
        let message = format!("the file cannot be read as a module: {message}");
        self.problems.push(Problem { source, column: None, severity: Severity::Error, message, help: None });
    }

    fn function(&mut self, name: &str, found: &Found) -> Function {
        let project = self.project;
        let value = |name: &str| found.value(name);
        if !found.functions.iter().any(|f| f == "default") {
            let help = "write `export default async function ({ db }, input) { ... }`, or begin the file's name \
                        with `_` if it only helps others, or say `export const kind = \"mapping\"`";
            let message = match self.module.facts.exports.iter().any(|e| e.name == "default") {
                true => "the default export is no function",
                false => "there is no default export",
            };
            self.error("default", message.to_owned(), Some(help.to_owned()));
        }
        let kind = self.kind(value("kind"));
        let label = self.words(project, "label", value("label"));
        let input = self.input(kind, value("input"));
        let trigger = self.trigger(kind, found);
        if matches!(trigger, Trigger::Schedule(_)) && input.entries.iter().any(|e| !e.optional) {
            let help = "make its input optional, or leave the schedule out".to_owned();
            self.error("input", "the clock gives no input".to_owned(), Some(help));
        }
        Function {
            name: name.to_owned(),
            label: if label.is_empty() { one_word(project, name) } else { label },
            about: self.words(project, "about", value("about")),
            access: self.access(kind, value("access")),
            runs_as_service: self.runs_as(kind, value("runs_as")),
            kind,
            trigger,
            input,
            source: self.source("default"),
        }
    }

    /// A file of mapping functions: nothing but words beside them.
    fn mapping(&mut self, name: &str, found: &Found) -> Mapping {
        for export in ["access", "runs_as", "on", "schedule", "time_zone", "input", "default"] {
            let is_there = self.module.facts.exports.iter().any(|e| e.name == export);
            if is_there {
                let help = "it is called by connections, by the names of its functions".to_owned();
                self.error(export, format!("a mapping has no `{export}`"), Some(help));
            }
        }
        let exports: Vec<String> = found.functions.iter().filter(|f| *f != "default").cloned().collect();
        if exports.is_empty() {
            let help = "write `export function toSale(order) { return { ... }; }`".to_owned();
            self.error("kind", "a mapping exports functions".to_owned(), Some(help));
        }
        let project = self.project;
        let label = self.words(project, "label", found.value("label"));
        Mapping {
            label: if label.is_empty() { one_word(project, name) } else { label },
            about: self.words(project, "about", found.value("about")),
            exports,
            source: Source { file: self.path.to_owned(), line: 1 },
        }
    }

    fn kind(&mut self, value: Option<&Json>) -> FunctionKind {
        let Some(value) = value else { return FunctionKind::Action };
        if let Some((_, kind)) = KINDS.iter().find(|(name, _)| value == name) {
            return *kind;
        }
        let known = KINDS.iter().map(|(name, _)| *name).chain([MAPPING]);
        let names: Vec<String> = known.map(|name| format!("\"{name}\"")).collect();
        let help = format!("a function is of kind {}", names.join(", "));
        self.error("kind", format!("unknown kind {value}"), Some(help));
        FunctionKind::Action
    }

    fn trigger(&mut self, kind: FunctionKind, found: &Found) -> Trigger {
        let value = |name: &str| found.value(name);
        if !matches!(kind, FunctionKind::Hook | FunctionKind::Consumer) && value("on").is_some() {
            let help = "say `export const kind = \"hook\"` for rows, `\"consumer\"` for events".to_owned();
            self.error("on", "nothing sets off a function of this kind but a call".to_owned(), Some(help));
        }
        for name in ["schedule", "time_zone"] {
            if kind != FunctionKind::Job && value(name).is_some() {
                let help = "say `export const kind = \"job\"`".to_owned();
                self.error(name, format!("only jobs have a `{name}`"), Some(help));
            }
        }
        match kind {
            FunctionKind::Action | FunctionKind::Http => Trigger::Call,
            FunctionKind::Hook => self.rows(value("on")),
            FunctionKind::Consumer => self.events(value("on")),
            FunctionKind::Job => self.schedule(value("schedule"), value("time_zone")),
        }
    }

    /// `"order.placed"`, or a list of such names.
    fn events(&mut self, on: Option<&Json>) -> Trigger {
        let names: Option<Vec<String>> = match on {
            Some(Json::String(name)) => Some(vec![name.clone()]),
            Some(Json::Array(list)) => list.iter().map(|n| n.as_str().map(ToOwned::to_owned)).collect(),
            _ => None,
        };
        let Some(names) = names.filter(|n| !n.is_empty() && n.iter().all(|n| !n.is_empty())) else {
            let help = "write `export const on = \"order.placed\"`, or a list of events".to_owned();
            self.error("on", "a consumer says which events it waits for".to_owned(), Some(help));
            return Trigger::Call;
        };
        Trigger::Events(names)
    }

    fn schedule(&mut self, schedule: Option<&Json>, time_zone: Option<&Json>) -> Trigger {
        let Some(schedule) = schedule else {
            if time_zone.is_some() {
                let help = "write `export const schedule = \"0 6 * * *\"`".to_owned();
                self.error("time_zone", "a time zone without a schedule".to_owned(), Some(help));
            }
            return Trigger::Call;
        };
        let zone = time_zone.map_or("UTC", |z| z.as_str().unwrap_or_default());
        match Schedule::read(schedule.as_str().unwrap_or_default(), zone) {
            Ok(schedule) => Trigger::Schedule(schedule),
            Err(message) => {
                let help = "write `schedule = \"0 6 * * *\"`, `time_zone = \"Europe/Berlin\"`".to_owned();
                self.error("schedule", message, Some(help));
                Trigger::Call
            }
        }
    }

    /// `{ table: "orders", verbs: ["insert"] }`; all verbs if none are said.
    fn rows(&mut self, on: Option<&Json>) -> Trigger {
        let table = on.and_then(|on| on.get("table")).and_then(Json::as_str);
        let Some(table) = table else {
            let help = "write `export const on = { table: \"orders\", verbs: [\"insert\"] }`".to_owned();
            self.error("on", "a hook says whose rows it waits for".to_owned(), Some(help));
            return Trigger::Call;
        };
        let unknown = on.and_then(Json::as_object).into_iter().flatten().map(|(key, _)| key.as_str());
        for key in unknown.filter(|key| !["table", "verbs"].contains(key)) {
            self.error("on", format!("`on` does not know `{key}`"), did_you_mean(key, ["table", "verbs"]));
        }
        self.table(table);
        let verbs = match on.and_then(|on| on.get("verbs")) {
            None => WRITES.to_vec(),
            Some(list) => self.verbs(list),
        };
        Trigger::Rows { table: table.to_owned(), verbs }
    }

    /// A table whose own file is broken is not this file's mistake.
    fn table(&mut self, name: &str) {
        let known = || public_tables(self.project).map(|t| t.name.as_str());
        let has_file = self.files.0.contains_key(&format!("schema/{name}.toml"));
        if !has_file && !known().any(|t| t == name) {
            let near = did_you_mean(name, known());
            self.error("on", format!("unknown table `{name}`"), near);
        }
    }

    fn verbs(&mut self, list: &Json) -> Vec<Verb> {
        let mut verbs = Vec::new();
        for verb in list.as_array().into_iter().flatten() {
            match WRITES.into_iter().find(|w| verb == w.name()) {
                Some(verb) => verbs.push(verb),
                None => {
                    let near = did_you_mean(verb.as_str().unwrap_or_default(), WRITES.map(Verb::name));
                    let help =
                        near.unwrap_or_else(|| "rows are written by insert, update, delete".to_owned());
                    self.error("on", format!("unknown verb {verb}"), Some(help));
                }
            }
        }
        if verbs.is_empty() && list.as_array().is_none_or(Vec::is_empty) {
            let help = "write `verbs: [\"insert\", \"update\", \"delete\"]`".to_owned();
            self.error("on", "`verbs` is no list of verbs".to_owned(), Some(help));
        }
        verbs
    }

    fn words(&mut self, project: &Project, export: &str, value: Option<&Json>) -> Words {
        match value {
            None => Words::default(),
            Some(Json::String(text)) => one_word(project, text),
            Some(Json::Object(map)) if map.values().all(Json::is_string) => {
                let text = |v: &Json| v.as_str().unwrap_or_default().to_owned();
                Words(map.iter().map(|(k, v)| (k.clone(), text(v))).collect())
            }
            Some(_) => {
                let help = "write `{ en: \"...\", de: \"...\" }`".to_owned();
                self.error(export, format!("`{export}` is no text"), Some(help));
                Words::default()
            }
        }
    }

    fn access(&mut self, kind: FunctionKind, value: Option<&Json>) -> Vec<String> {
        let Some(value) = value else { return Vec::new() };
        if !kind.is_called() {
            let help = "leave it out; nobody calls a function of this kind".to_owned();
            self.error("access", "`access` says who may call".to_owned(), Some(help));
            return Vec::new();
        }
        let project = self.project;
        let roles: Option<Vec<String>> = value
            .as_array()
            .and_then(|list| list.iter().map(|r| r.as_str().map(ToOwned::to_owned)).collect());
        let Some(roles) = roles else {
            self.error(
                "access",
                "`access` is no list of roles".to_owned(),
                Some("write `[\"authenticated\"]`".to_owned()),
            );
            return Vec::new();
        };
        let known = || {
            ["anon", "authenticated", "service_role"]
                .into_iter()
                .chain(project.settings.roles.iter().map(String::as_str))
        };
        for role in &roles {
            if !known().any(|k| k == role) {
                let help = did_you_mean(role, known()).unwrap_or_else(|| {
                    "name the project's own roles in takt.toml: `roles = [...]`".to_owned()
                });
                self.error("access", format!("unknown role `{role}`"), Some(help));
            }
        }
        roles
    }

    fn runs_as(&mut self, kind: FunctionKind, value: Option<&Json>) -> bool {
        let nobody_calls = matches!(kind, FunctionKind::Consumer | FunctionKind::Job);
        match value.map(|v| v.as_str().unwrap_or_default()) {
            None => false,
            Some("caller") if nobody_calls => {
                let help = "leave it out: what nobody calls runs as service".to_owned();
                self.error("runs_as", "there is no caller whose rights it could have".to_owned(), Some(help));
                false
            }
            Some("caller") => false,
            Some("service") if kind == FunctionKind::Http => {
                let help = "let it call an action that runs as service".to_owned();
                self.error(
                    "runs_as",
                    "an http function has no transaction and no rights of its own".to_owned(),
                    Some(help),
                );
                false
            }
            Some("service") => true,
            Some(other) => {
                let help = "a function runs as \"caller\" or as \"service\"".to_owned();
                self.error("runs_as", format!("unknown value `{other}` of `runs_as`"), Some(help));
                false
            }
        }
    }

    fn input(&mut self, kind: FunctionKind, value: Option<&Json>) -> Input {
        let Some(value) = value else { return Input::default() };
        let given = match kind {
            FunctionKind::Action | FunctionKind::Job => None,
            FunctionKind::Http => {
                Some(("an http function has no `input`", "an http function reads its request itself"))
            }
            FunctionKind::Hook => {
                Some(("a hook has no `input`", "a hook is given `{ verb, table, before, after }`"))
            }
            FunctionKind::Consumer => {
                Some(("a consumer has no `input`", "a consumer is given `{ id, name, key, payload, at }`"))
            }
        };
        if let Some((message, help)) = given {
            self.error("input", message.to_owned(), Some(help.to_owned()));
            return Input::default();
        }
        Input::read(value).unwrap_or_else(|problems| {
            for problem in problems {
                self.error("input", problem.message, problem.help);
            }
            Input::default()
        })
    }
}

fn one_word(project: &Project, text: &str) -> Words {
    let language = project.settings.languages.first().map_or("en", String::as_str);
    Words::from([(language, text)])
}

/// `logic/checkout.ts:12:9` taken apart.
fn place(position: &str) -> Option<(&str, u32)> {
    let mut parts = position.rsplitn(3, ':');
    parts.next()?;
    let line = parts.next()?.parse().ok()?;
    Some((parts.next()?, line))
}
