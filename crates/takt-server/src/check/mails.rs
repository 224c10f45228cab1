//! `mails/*`: faults of templates, and mails that operations name and nobody wrote.

use takt_interfaces::{MailTemplates, TemplateError};
use takt_model::{OperationKind, Problem, Project, ProjectFiles, Severity, Source};

/// The templates of a project, with days of its time zone.
pub(super) fn read(files: &ProjectFiles, time_zone: &str) -> MailTemplates {
    let mails = files.0.iter().filter(|(path, _)| path.starts_with("mails/"));
    MailTemplates::read(mails.map(|(path, text)| (path.clone(), text.clone()))).in_time_zone(time_zone)
}

pub(super) fn check(templates: &MailTemplates, project: &Project) -> Vec<Problem> {
    let mut problems: Vec<Problem> = templates.check().iter().map(problem).collect();
    for connection in &project.connections {
        for operation in &connection.operations {
            let OperationKind::Deliver(deliver) = &operation.kind else { continue };
            let Some(mail) = &deliver.mail else { continue };
            if !templates.names().any(|name| name == mail.template) {
                let known: Vec<_> = templates.names().collect();
                problems.push(Problem {
                    source: operation.source.clone(),
                    column: None,
                    severity: Severity::Error,
                    message: format!("there is no mail `{}` in mails/", mail.template),
                    help: (!known.is_empty()).then(|| format!("there are: {}", known.join(", "))),
                });
            }
        }
    }
    problems
}

fn problem(fault: &TemplateError) -> Problem {
    let (file, line) = match fault {
        TemplateError::Missing { name, language } => (format!("mails/{name}.{language}.txt"), 1),
        TemplateError::FileName { file }
        | TemplateError::NoSubject { file }
        | TemplateError::TooLarge { file, .. } => (file.clone(), 1),
        TemplateError::Syntax { file, line, .. }
        | TemplateError::MissingField { file, line, .. }
        | TemplateError::Render { file, line, .. } => (file.clone(), u32::try_from(*line).unwrap_or(1)),
    };
    let text = fault.to_string();
    let message = text.strip_prefix(&format!("{file}:{line}: ")).or(text.strip_prefix(&format!("{file}: ")));
    let message = message.unwrap_or(&text).to_owned();
    Problem { source: Source { file, line }, column: None, severity: Severity::Error, message, help: None }
}
