//! `takt account`: makes, lists and changes accounts.

use std::io::BufRead;

use clap::{Args, Subcommand};
use serde_json::Value as Json;
use takt_server::AdminRequest;

use super::{Common, text};
use crate::out::Exit;

/// Make, list and change accounts.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  takt account add staff@example.com --role staff    prints a new password
  echo \"$PASSWORD\" | takt account add a@example.com --password-stdin
  takt account list
  takt account role staff@example.com --add staff    a role of takt.toml: what the interface lets them do
  takt account role staff@example.com --add editor   a role in the console: owner, developer, editor or auditor
  takt account role staff@example.com --add auditor --remove staff

An account has at most one role in the console: a new one takes the place of the old one.")]
pub(crate) struct AccountCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an account; its password is made up and printed unless one is given.
    Add {
        /// Email address.
        email: String,
        /// A role of the project, or of the console; may stand several times.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// Read the password from standard input, so that it stands in no list of processes.
        #[arg(long)]
        password_stdin: bool,
    },
    /// List accounts, newest first.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u64,
    },
    /// Give roles to an account and take roles from it.
    Role {
        /// Email address.
        email: String,
        /// A role to give; may stand several times.
        #[arg(long, value_name = "ROLE")]
        add: Vec<String>,
        /// A role to take; may stand several times.
        #[arg(long, value_name = "ROLE")]
        remove: Vec<String>,
    },
}

impl AccountCommand {
    pub(crate) fn run(self, common: &Common) -> Exit {
        let format = common.format();
        let request = match self.verb.request() {
            Ok(request) => request,
            Err(why) => return format.fail(why),
        };
        match common.ask_as(None, request) {
            Ok(answer) => {
                format.show(for_people(&answer), &answer);
                Exit::Done
            }
            Err(why) => format.fail(why),
        }
    }
}

impl Verb {
    fn request(self) -> Result<AdminRequest, String> {
        Ok(match self {
            Self::Add { email, roles, password_stdin } => {
                let password = if password_stdin { Some(password_from_stdin()?) } else { None };
                AdminRequest::AccountAdd { email, password, roles }
            }
            Self::List { limit } => AdminRequest::AccountList { limit },
            Self::Role { email, add, remove } => AdminRequest::AccountRole { email, add, remove },
        })
    }
}

fn password_from_stdin() -> Result<String, String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|e| format!("The password cannot be read: {e}."))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn for_people(answer: &Json) -> String {
    match answer.as_array() {
        Some(accounts) if accounts.is_empty() => "There are no accounts yet.".to_owned(),
        Some(accounts) => accounts.iter().map(line).collect::<Vec<_>>().join("\n"),
        None => match answer["password"].as_str() {
            Some(password) => format!("{}\nPassword  {password}", line(answer)),
            None => line(answer),
        },
    }
}

fn line(account: &Json) -> String {
    let roles = account["roles"].as_array().map(Vec::as_slice).unwrap_or_default();
    let roles: Vec<_> = roles.iter().chain([&account["studio_role"]]).filter_map(Json::as_str).collect();
    let roles = if roles.is_empty() { "-".to_owned() } else { roles.join(", ") };
    format!("{:<40} {roles:<20} {}", text(account, "email"), text(account, "id"))
}
