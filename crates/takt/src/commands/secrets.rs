//! `takt secrets`: values that connections need and that stand in no file.

use std::io::Read;

use clap::{Args, Subcommand};
use serde_json::Value as Json;
use takt_server::AdminRequest;

use super::{Common, text};
use crate::out::Exit;

/// Keep the secrets of connections, sealed in the database.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt secrets list                        which ones the connections need, and which have a value
  takt secrets set erp_key < key.txt       the value is read from standard input, so that no list of processes has it
  takt secrets remove erp_key

A variable of the environment comes first: TAKT_SECRET_ERP_KEY is the secret `erp_key`.")]
pub(crate) struct SecretsCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say which secrets there are; never their values.
    List,
    /// Keep a value, read from standard input.
    Set {
        /// Name of the secret.
        name: String,
    },
    /// Forget a value.
    Remove {
        /// Name of the secret.
        name: String,
    },
}

impl SecretsCommand {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let format = common.format();
        let (request, done) = match self.verb {
            Verb::List => (AdminRequest::SecretList, None),
            Verb::Set { name } => match value_from_stdin() {
                Ok(value) => {
                    let done = format!("`{name}` is kept.");
                    (AdminRequest::SecretSet { name, value }, Some(done))
                }
                Err(why) => return format.fail(why),
            },
            Verb::Remove { name } => {
                let done = format!("`{name}` is forgotten.");
                (AdminRequest::SecretRemove { name }, Some(done))
            }
        };
        match common.ask_as(None, request) {
            Ok(answer) => {
                format.show(done.unwrap_or_else(|| for_people(&answer)), &answer);
                Exit::Done
            }
            Err(why) => format.fail(why),
        }
    }
}

/// One line break at the end is the editor's, not the secret's.
fn value_from_stdin() -> Result<String, String> {
    let mut value = String::new();
    let read = std::io::stdin().lock().take(64 * 1024).read_to_string(&mut value);
    read.map_err(|e| format!("The value cannot be read: {e}."))?;
    let value = value.strip_suffix('\n').unwrap_or(&value);
    Ok(value.strip_suffix('\r').unwrap_or(value).to_owned())
}

fn for_people(answer: &Json) -> String {
    let Some(list) = answer.as_array().filter(|l| !l.is_empty()) else {
        return "No connection needs a secret, and none is kept.".to_owned();
    };
    let line = |secret: &Json| {
        let uses = secret["connections"].as_array().map(Vec::as_slice).unwrap_or_default();
        let uses: Vec<_> = uses.iter().filter_map(Json::as_str).collect();
        let uses = if uses.is_empty() { "needed by no connection".to_owned() } else { uses.join(", ") };
        let state = if secret["is_set"] == true { "set" } else { "MISSING" };
        format!("{:<30} {state:<8} {uses}", text(secret, "name"))
    };
    list.iter().map(line).collect::<Vec<_>>().join("\n")
}
