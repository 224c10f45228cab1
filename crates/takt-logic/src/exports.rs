//! What a file says about itself: evaluated once, in a scratch context with tight limits.

use std::sync::Arc;

use rquickjs::{Ctx, Object, Value as Js};
use serde_json::Value as Json;
use takt_engine::ActionError;
use takt_model::{Problem, Project, Severity, Source, Words};

use crate::{
    Function, FunctionKind, Input,
    js::{
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
const KNOWN: [&str; 7] = ["label", "about", "access", "runs_as", "kind", "input", "default"];

/// Name and value of what was found.
struct Found {
    values: Vec<(&'static str, Json)>,
    has_function: bool,
}

/// Reads the exports of the function at `path`.
pub(crate) fn read(
    project: &Arc<Project>,
    modules: &Arc<Modules>,
    path: &str,
    name: &str,
) -> Result<Function, Vec<Problem>> {
    let Some(module) = modules.get(path) else { return Err(Vec::new()) };
    let mut reader = Reader { path, module, problems: Vec::new() };
    reader.names();
    let found = match scratch(project, modules, path) {
        Ok(found) => found,
        Err(error) => {
            reader.failed(&error);
            return Err(reader.problems);
        }
    };
    let function = reader.function(project, name, &found);
    if reader.problems.iter().any(|p| p.severity == Severity::Error) {
        Err(reader.problems)
    } else {
        Ok(function)
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
    let default: Js<'js> = exports.get("default")?;
    Ok(Found { values, has_function: default.is_function() })
}

struct Reader<'m> {
    path: &'m str,
    module: &'m Module,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn source(&self, export: &str) -> Source {
        let line = self.module.facts.exports.iter().find(|e| e.name == export).map_or(1, |e| e.place.line);
        Source { file: self.path.to_owned(), line }
    }

    fn error(&mut self, export: &str, message: String, help: Option<String>) {
        let source = self.source(export);
        self.problems.push(Problem { source, severity: Severity::Error, message, help });
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
        self.problems.push(Problem { source, severity: Severity::Error, message, help: None });
    }

    fn function(&mut self, project: &Project, name: &str, found: &Found) -> Function {
        let value = |name: &str| found.values.iter().find(|(n, _)| *n == name).map(|(_, v)| v);
        if !found.has_function {
            let help = "write `export default async function ({ db }, input) { ... }`, or begin the file's name \
                        with `_` if it only helps others";
            let message = match self.module.facts.exports.iter().any(|e| e.name == "default") {
                true => "the default export is no function",
                false => "there is no default export",
            };
            self.error("default", message.to_owned(), Some(help.to_owned()));
        }
        let kind = match value("kind") {
            None => FunctionKind::Action,
            Some(Json::String(kind)) if kind == "action" => FunctionKind::Action,
            Some(Json::String(kind)) if kind == "http" => FunctionKind::Http,
            Some(other) => {
                let help = "a function is of kind \"action\" (one transaction) or \"http\"";
                self.error("kind", format!("unknown kind {other}"), Some(help.to_owned()));
                FunctionKind::Action
            }
        };
        let label = self.words(project, "label", value("label"));
        Function {
            name: name.to_owned(),
            label: if label.is_empty() { one_word(project, name) } else { label },
            about: self.words(project, "about", value("about")),
            access: self.access(project, value("access")),
            runs_as_service: self.runs_as(kind, value("runs_as")),
            kind,
            input: self.input(kind, value("input")),
            source: self.source("default"),
        }
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

    fn access(&mut self, project: &Project, value: Option<&Json>) -> Vec<String> {
        let Some(value) = value else { return Vec::new() };
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
        match value.map(|v| v.as_str().unwrap_or_default()) {
            None | Some("caller") => false,
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
        if kind == FunctionKind::Http {
            let help = "an http function reads its request itself".to_owned();
            self.error("input", "an http function has no `input`".to_owned(), Some(help));
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
