//! The files in `contracts/`, compiled for the operations that name them, and what is wrong with both.

use std::{collections::HashMap, sync::Arc};

use takt_model::{
    ExportRef, Operation, OperationKind, Problem, Project, ProjectFiles, SchemaRef, Severity, Source,
};

use super::{Contracts, Whose, compile, schema::Schema};

/// Schemas by file and by whose messages they judge; nothing if the file is no schema.
type Read = HashMap<(String, bool), Option<Arc<Schema>>>;

impl Contracts {
    /// Compiles what the project's operations name. Every missing file, every file that is no schema, every step that
    /// no function has and every file that nothing names is a problem; the rest is compiled.
    #[must_use]
    pub fn read(files: &ProjectFiles, project: &Project) -> (Self, Vec<Problem>) {
        let (mut contracts, mut problems) = (Self::default(), Vec::new());
        let mut read = Read::new();
        for connection in &project.connections {
            for operation in &connection.operations {
                let Some(contract) = &operation.contract else { continue };
                problems.extend(unknown_steps(files, operation));
                let incoming = matches!(operation.kind, OperationKind::Receive(_));
                let named = |named: &SchemaRef, whose| {
                    let key = (named.file.clone(), whose == Whose::Theirs);
                    read.entry(key).or_insert_with(|| one(files, named, whose, &mut problems)).clone()
                };
                let compiled = compile(contract, named, incoming);
                let of = contracts.operations.entry(connection.id.clone()).or_default();
                of.insert(operation.name.clone(), compiled);
            }
        }
        problems.extend(unnamed(files, &read));
        problems.dedup();
        (contracts, problems)
    }
}

fn one(
    files: &ProjectFiles,
    named: &SchemaRef,
    whose: Whose,
    problems: &mut Vec<Problem>,
) -> Option<Arc<Schema>> {
    let Some(text) = files.0.get(&named.file) else {
        let known: Vec<_> = schemas(files).map(|path| format!("`{path}`")).collect();
        let help = match known.as_slice() {
            [] => "there is no file in `contracts/` yet".to_owned(),
            some => format!("there are {}", some.join(", ")),
        };
        problems.push(problem(
            &named.source,
            Severity::Error,
            format!("there is no file `{}`", named.file),
            Some(help),
        ));
        return None;
    };
    match Schema::compile(text, whose) {
        Ok(schema) => Some(Arc::new(schema)),
        Err(wrong) => {
            let source = Source { file: named.file.clone(), line: wrong.line };
            let help = format!("it is named in {}:{}; draft 2020-12", named.source.file, named.source.line);
            problems.push(problem(&source, Severity::Error, wrong.message, Some(help)));
            None
        }
    }
}

fn schemas(files: &ProjectFiles) -> impl Iterator<Item = &str> {
    files.0.keys().filter(|path| path.starts_with("contracts/")).map(String::as_str)
}

/// A contract that nobody has looks like protection and is none.
fn unnamed(files: &ProjectFiles, read: &Read) -> Vec<Problem> {
    let is_named = |path: &str| read.keys().any(|(file, _)| file == path);
    let unnamed = schemas(files).filter(|path| !is_named(path));
    let told = |path: &str| {
        let source = Source { file: path.to_owned(), line: 1 };
        let help = "name it in `contract` of an operation in interfaces/, or delete it".to_owned();
        problem(&source, Severity::Warning, "no operation names this contract".to_owned(), Some(help))
    };
    unnamed.map(told).collect()
}

/// Steps that stand nowhere in the function's file: their contract would never be asked.
fn unknown_steps(files: &ProjectFiles, operation: &Operation) -> Vec<Problem> {
    let run: Option<&ExportRef> = match &operation.kind {
        OperationKind::Deliver(deliver) => deliver.run.as_ref(),
        OperationKind::Poll(poll) => Some(&poll.run),
        OperationKind::Receive(_) => None,
    };
    // That there is no such file is said elsewhere.
    let Some((run, text)) = run.and_then(|run| Some((run, files.0.get(&run.file)?))) else {
        return Vec::new();
    };
    let steps = operation.contract.iter().flat_map(|c| &c.steps);
    let is_said = |name: &str| ['"', '\'', '`'].iter().any(|q| text.contains(&format!("{q}{name}{q}")));
    let unknown = steps.filter(|step| !is_said(&step.name));
    let told = |step: &takt_model::StepContract| {
        let message = format!("no call and no step in {} is named `{}`", run.file, step.name);
        let help = match names(text).as_slice() {
            [] => format!("name the call: `call(method, path, {{ as: \"{}\" }})`", step.name),
            some => format!("there are `{}`", some.join("`, `")),
        };
        problem(&step.source, Severity::Error, message, Some(help))
    };
    unknown.map(told).collect()
}

/// Names of calls and steps, as far as they can be seen without running the function.
fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for mark in ["step(\"", "as: \""] {
        for (at, _) in text.match_indices(mark) {
            let name =
                text.get(at + mark.len()..).and_then(|rest| rest.split('"').next()).unwrap_or_default();
            if !name.is_empty() && !names.iter().any(|n| n == name) {
                names.push(name.to_owned());
            }
        }
    }
    names.truncate(16);
    names
}

fn problem(source: &Source, severity: Severity, message: String, help: Option<String>) -> Problem {
    Problem { source: source.clone(), column: None, severity, message, help }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const HEAD: &str = "purpose = { en = \"x\" }\npartner = { name = \"x\" }\nowner = \"x\"\noutage = { en = \"x\" }\ndata = []\n[connect]\nprotocol = \"rest\"\nbase = \"https://erp.example\"\n";

    fn told(erp: &str) -> String {
        let text = format!("{HEAD}{erp}");
        let files = ProjectFiles::from([
            ("takt.toml", "name = \"Test\"\nlanguages = [\"en\"]\n"),
            ("interfaces/erp.toml", text.as_str()),
            ("logic/erp.ts", "step(\"party\", () => call(\"POST\", \"/p\", { as: \"party_create\" }))"),
            ("contracts/good.json", "{ \"type\": \"object\" }"),
            ("contracts/bad.json", "{\n  \"type\": \"objekt\"\n}"),
            ("contracts/spare.json", "{}"),
        ]);
        let (project, problems) = Project::parse(&files, &[]);
        let (_, more) = Contracts::read(&files, &project);
        let mut all: Vec<_> = problems.into_iter().chain(more).map(|p| p.to_string()).collect();
        all.retain(|p| {
            !p.starts_with("contracts/")
                || erp.contains(p.split(':').next().unwrap_or_default())
                || erp.is_empty()
        });
        all.join("\n")
    }

    #[test]
    fn what_is_wrong_with_contracts_is_said_with_file_line_and_help() {
        let run = "[[op]]\nname = \"sale\"\nkind = \"deliver\"\non = \"order.placed\"\nrun = \"logic/erp.ts#send\"\n";
        let one =
            "[[op]]\nname = \"sale\"\nkind = \"deliver\"\non = \"order.placed\"\nrequest = \"POST /sales\"\n";
        let mut all = String::new();
        for text in [
            "".to_owned(),
            format!("{one}contract = {{ request = \"contracts/goood.json\" }}"),
            format!("{one}contract = {{ response = \"contracts/bad.json\" }}"),
            format!("{one}contract = {{ response = \"contracts/../takt.toml\" }}"),
            format!("{one}contract = {{ drift = \"note\" }}"),
            format!("{one}contract = {{ response = \"contracts/good.json\", drift = \"stop\" }}"),
            format!("{one}contract = {{ steps = {{ party = {{ response = \"contracts/good.json\" }} }} }}"),
            format!("{run}contract = {{ response = \"contracts/good.json\" }}"),
            format!(
                "{run}contract = {{ steps = {{ party = {{ response = \"contracts/good.json\" }}, sael = {{ request = \"contracts/good.json\" }} }} }}"
            ),
            format!(
                "{run}contract = {{ steps = {{ party_create = {{ answer = \"contracts/good.json\" }} }} }}"
            ),
        ] {
            all.push_str(&format!("--\n{}\n", told(&text)));
        }
        expect![[r#"
            --
            interfaces/erp.toml:1: warning: nothing is done over this connection; write `[[op]]` with `name` and `kind`
            contracts/bad.json:1: warning: no operation names this contract; name it in `contract` of an operation in interfaces/, or delete it
            contracts/good.json:1: warning: no operation names this contract; name it in `contract` of an operation in interfaces/, or delete it
            contracts/spare.json:1: warning: no operation names this contract; name it in `contract` of an operation in interfaces/, or delete it
            --
            interfaces/erp.toml:14: error: there is no file `contracts/goood.json`; there are `contracts/bad.json`, `contracts/good.json`, `contracts/spare.json`
            --
            contracts/bad.json:2: error: this is no schema: "objekt" is not valid under any of the schemas listed in the 'anyOf' keyword; it is named in interfaces/erp.toml:14; draft 2020-12
            --
            interfaces/erp.toml:14: error: `contracts/../takt.toml` is no file of schemas; write `contracts/erp/sale.response.json`
            --
            interfaces/erp.toml:14: error: a contract needs at least one schema; write `response = "contracts/erp/sale.response.json"`
            --
            interfaces/erp.toml:14: error: unknown answer `stop` to drift; known are `stop-lane`, `note`
            --
            interfaces/erp.toml:9: error: only a function (`run`) has steps; say `request` and `response`
            --
            interfaces/erp.toml:9: error: this function makes several calls: name the one that is meant, `contract.steps.<name>`
            --
            interfaces/erp.toml:14: error: no call and no step in logic/erp.ts is named `sael`; there are `party`, `party_create`
            --
            interfaces/erp.toml:14: error: unknown key `answer` in contract of the step `party_create`; known are `request`, `response`
            interfaces/erp.toml:14: error: the contract of the step `party_create` has no schema; write `{ response = "contracts/erp/sale.response.json" }`
            contracts/good.json:1: warning: no operation names this contract; name it in `contract` of an operation in interfaces/, or delete it
        "#]].assert_eq(&all);
    }
}
