//! Reads the files of a project into a [`Project`], gathering every problem with file and line.

use crate::{Problem, Project, ProjectFiles, SystemTables};

pub(crate) fn project(files: &ProjectFiles, system: &[SystemTables]) -> (Project, Vec<Problem>) {
    let _ = (files, system);
    todo!("helper: model")
}
