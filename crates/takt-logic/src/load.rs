//! Reads all functions of a project, once, with every mistake told.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use takt_model::{OnDelete, Problem, Project, ProjectFiles, Severity, Source, Verb};
use takt_outbound::Outbound;
use takt_typescript::{Place, strip};

use crate::{
    Function, FunctionKind, Mapping, Trigger,
    calls::{self, Mistake},
    emits::{Renamed, renamed},
    exports::{self, Read},
    js::conditions::public_tables,
    modules::{Module, Modules},
    near::did_you_mean,
    workers::Workers,
};

/// All functions of a project. Never changes; a reload makes a new one.
#[derive(Clone)]
pub struct Logic {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    /// Tells contexts of this project from those of the one before.
    pub(crate) generation: u64,
    pub(crate) project: Arc<Project>,
    pub(crate) modules: Arc<Modules>,
    pub(crate) functions: Arc<Vec<Function>>,
    pub(crate) mappings: Vec<Mapping>,
    by_name: BTreeMap<String, usize>,
    pub(crate) outbound: Outbound,
    pub(crate) workers: Workers,
    /// Threads that wait for other systems; a slow one must not keep functions of visitors waiting.
    pub(crate) talkers: Workers,
}

impl Shared {
    pub(crate) fn position(&self, name: &str, kind: FunctionKind) -> Option<usize> {
        let at = *self.by_name.get(name)?;
        (self.functions[at].kind == kind).then_some(at)
    }
}

static GENERATIONS: AtomicU64 = AtomicU64::new(1);

impl Logic {
    /// Reads every `logic/**/*.{ts,js}`. With an error among the problems the function it belongs to is missing.
    #[must_use]
    pub fn load(files: &ProjectFiles, project: &Arc<Project>, outbound: Outbound) -> (Self, Vec<Problem>) {
        let mut loader = Loader { files, project, mappings: Vec::new(), problems: Vec::new() };
        let modules = Arc::new(loader.modules());
        let functions = Arc::new(loader.functions(&modules));
        let by_name = functions.iter().enumerate().map(|(at, f)| (f.name.clone(), at)).collect();
        let shared = Shared {
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
            project: Arc::clone(project),
            modules,
            functions,
            mappings: loader.mappings,
            by_name,
            outbound,
            workers: Workers::default(),
            talkers: Workers::default(),
        };
        let mut problems = loader.problems;
        problems.sort_by(|a, b| a.source.cmp(&b.source));
        (Self { shared: Arc::new(shared) }, problems)
    }

    /// All functions, by name.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.shared.functions
    }

    /// The function named `name`.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.shared.by_name.get(name).map(|at| &self.shared.functions[*at])
    }
}

struct Loader<'l> {
    files: &'l ProjectFiles,
    project: &'l Arc<Project>,
    mappings: Vec<Mapping>,
    problems: Vec<Problem>,
}

impl Loader<'_> {
    fn problem(&mut self, file: &str, line: u32, severity: Severity, message: String, help: Option<String>) {
        let source = Source { file: file.to_owned(), line };
        self.problems.push(Problem { source, column: None, severity, message, help });
    }

    fn error_at(&mut self, file: &str, place: Place, message: String, help: Option<String>) {
        let source = Source { file: file.to_owned(), line: place.line };
        let (column, severity) = (Some(place.column), Severity::Error);
        self.problems.push(Problem { source, column, severity, message, help });
    }

    fn error(&mut self, file: &str, line: u32, message: String, help: Option<String>) {
        self.problem(file, line, Severity::Error, message, help);
    }

    /// Every file without its types.
    fn modules(&mut self) -> Modules {
        let files = self.files;
        let mut modules = Modules::default();
        let sources = files.under("logic", "ts").chain(files.under("logic", "js"));
        for (path, text) in sources.filter(|(path, _)| !path.ends_with(".d.ts")) {
            match strip(path, text) {
                Ok(stripped) => modules.insert(path, stripped),
                Err(p) => {
                    self.error_at(path, Place { line: p.line, column: p.column }, p.message, p.help);
                }
            }
        }
        for (path, module) in modules.iter() {
            self.imports(&modules, path, module);
            self.tables(path, module);
            self.calls(path, module);
            self.events(path, module);
        }
        modules
    }

    /// Personal fields that would leave under another name. Secrets are no matter of taste.
    fn events(&mut self, path: &str, module: &Module) {
        for Renamed { mistake, is_secret } in module.facts.emits.iter().flat_map(|e| renamed(self.project, e))
        {
            let source = Source { file: path.to_owned(), line: mistake.place.line };
            let severity = if is_secret { Severity::Error } else { Severity::Warning };
            let Mistake { place, message, help } = mistake;
            self.problems.push(Problem { source, column: Some(place.column), severity, message, help });
        }
    }

    fn imports(&mut self, modules: &Modules, path: &str, module: &Module) {
        for import in &module.facts.imports {
            if modules.resolve(path, &import.name).is_some() {
                continue;
            }
            let relative = import.name.starts_with("./") || import.name.starts_with("../");
            let help = if relative {
                "only files inside logic/ can be imported"
            } else {
                "only files inside logic/ can be imported, by a relative path; there are no packages and no system modules"
            };
            let message = format!("cannot import `{}`", import.name);
            // A file that is there but broken has told so itself.
            if !(relative && self.is_there(path, &import.name)) {
                self.error(path, import.place.line, message, Some(help.to_owned()));
            }
        }
        for place in &module.facts.dynamic_imports {
            let help = "write a static `import ... from` at the top".to_owned();
            self.error(path, place.line, "`import(...)` cannot be used here".to_owned(), Some(help));
        }
    }

    /// Whether the project has the file, readable or not.
    fn is_there(&self, base: &str, specifier: &str) -> bool {
        let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
        let name = specifier.trim_start_matches("./").trim_end_matches(".ts").trim_end_matches(".js");
        ["ts", "js"].iter().any(|ext| self.files.0.contains_key(&format!("{folder}/{name}.{ext}")))
    }

    fn tables(&mut self, path: &str, module: &Module) {
        for table in &module.facts.tables {
            let known = public_tables(self.project).any(|t| t.name == table.name);
            // A table whose own file is broken is not this file's mistake.
            let has_file = self.files.0.contains_key(&format!("schema/{}.toml", table.name));
            if !known && !has_file {
                let near = did_you_mean(&table.name, public_tables(self.project).map(|t| t.name.as_str()));
                self.error_at(path, table.place, format!("unknown table `{}`", table.name), near);
            }
        }
    }

    /// Calls of tables that do not fit the schema.
    fn calls(&mut self, path: &str, module: &Module) {
        for call in &module.facts.calls {
            let Some(table) = public_tables(self.project).find(|t| t.name == call.table.name) else {
                continue;
            };
            // A field that could not be read has told so itself.
            let schema = self.files.0.get(&format!("schema/{}.toml", table.name));
            let is_spoilt = |name: &str| {
                schema.is_some_and(|text| {
                    text.contains(&format!("[fields.{name}]")) || text.contains(&format!("\n{name} = "))
                })
            };
            for mistake in calls::check(table, call, &is_spoilt) {
                self.error_at(path, mistake.place, mistake.message, mistake.help);
            }
        }
    }

    /// Jobs that are asked for and are not there. One whose file is broken has told so itself.
    fn later(&mut self, modules: &Modules, functions: &[Function]) {
        let jobs = || functions.iter().filter(|f| f.kind == FunctionKind::Job).map(|f| f.name.as_str());
        for (path, module) in modules.iter() {
            for asked in &module.facts.later {
                let has_file = function_files(&asked.name).iter().any(|f| self.files.0.contains_key(f));
                let other_kind = functions.iter().any(|f| f.name == asked.name);
                if !jobs().any(|job| job == asked.name) && (other_kind || !has_file) {
                    let near = did_you_mean(&asked.name, jobs());
                    self.error_at(path, asked.place, format!("there is no job `{}`", asked.name), near);
                }
            }
        }
    }

    fn functions(&mut self, modules: &Arc<Modules>) -> Vec<Function> {
        let mut functions: Vec<Function> = Vec::new();
        for (path, _) in modules.iter() {
            let Some(name) = function_name(path) else { continue };
            if let Some(other) = functions.iter().find(|f| f.name == name) {
                let message =
                    format!("the function `{name}` exists twice; the other is {}", other.source.file);
                self.error(path, 1, message, None);
                continue;
            }
            // A module with a broken import cannot be evaluated; it has told so itself.
            if !is_whole(modules, path) {
                continue;
            }
            match exports::read(self.files, self.project, modules, path, &name) {
                Ok(Read::Mapping(mapping)) => self.mappings.push(mapping),
                Ok(Read::Function(function)) => {
                    self.state(modules, path, &function);
                    self.unseen(&function);
                    functions.push(function);
                }
                Err(problems) => self.problems.extend(problems),
            }
        }
        functions.sort_by(|a, b| a.name.cmp(&b.name));
        self.later(modules, &functions);
        functions
    }

    /// What the database changes by itself sets nothing off; whoever waits for it should know.
    fn unseen(&mut self, function: &Function) {
        let Trigger::Rows { table, verbs } = &function.trigger else { return };
        let (project, file, line) = (self.project, function.source.file.clone(), function.source.line);
        let Some(table) = project.table(table) else { return };
        for key in &table.foreign_keys {
            let (verb, told) = match key.on_delete {
                OnDelete::Cascade => (Verb::Delete, "removed with their"),
                OnDelete::SetNull => (Verb::Update, "cut off from their"),
                OnDelete::Restrict => continue,
            };
            if verbs.contains(&verb) {
                let parent = &project.get(key.target).name;
                let message = format!("rows of {} that are {told} {parent} call no hook", table.name);
                let help = format!("put a hook on {parent}, or say `on_delete = \"restrict\"`");
                self.problem(&file, line, Severity::Warning, message, Some(help));
            }
        }
    }

    /// Whoever keeps something at the top of a module believes that the next call will see it.
    fn state(&mut self, modules: &Modules, path: &str, function: &Function) {
        if function.kind == FunctionKind::Http {
            return;
        }
        for path in modules.reachable(path) {
            let Some(state) = modules.get(path).and_then(|m| m.facts.state.as_ref()) else { continue };
            if self.problems.iter().any(|p| p.source.file == path && p.severity == Severity::Warning) {
                continue;
            }
            let message = format!("{}: each call starts anew, which takes longer", state.name);
            let help = "keep state in tables; declare constants with plain values".to_owned();
            self.problem(path, state.place.line, Severity::Warning, message, Some(help));
        }
    }
}

fn is_whole(modules: &Modules, path: &str) -> bool {
    modules.reachable(path).into_iter().all(|path| {
        modules.get(path).is_some_and(|m| {
            m.facts.dynamic_imports.is_empty()
                && m.facts.imports.iter().all(|i| modules.resolve(path, &i.name).is_some())
        })
    })
}

/// Where the function of this name could stand.
fn function_files(name: &str) -> [String; 2] {
    let path = name.replace('.', "/");
    [format!("logic/{path}.ts"), format!("logic/{path}.js")]
}

/// `logic/stock/count.ts` is `stock.count`; nothing for helpers, whose file or folder begins with `_`.
fn function_name(path: &str) -> Option<String> {
    let inner = path.strip_prefix("logic/")?.rsplit_once('.')?.0;
    if inner.split('/').any(|part| part.starts_with('_')) {
        return None;
    }
    Some(inner.replace('/', "."))
}
