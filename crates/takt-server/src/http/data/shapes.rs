//! Plans of reads by shape: a request like one that was asked before binds its values and runs; nothing of it is parsed,
//! planned, guarded or lowered again.
//!
//! A plan that is found here was guarded for the project that is served now: another project empties the whole. It was
//! guarded for somebody with the same rights and roles, which is asked again when it runs, whatever the key says. What is refused is never kept: it takes the
//! whole way each time, so that its error is the one of its own values.

use std::sync::Arc;

use parking_lot::Mutex;
use takt_engine::{Engine, PreparedRead};
use takt_model::{Principal, Project, Value};
use takt_rest::{Request, RestParts, Shape};

use super::generations::Generations;

/// A read of some shape.
pub(crate) struct Read {
    /// The request, without its values.
    pub(crate) request: Request,
    pub(crate) prepared: PreparedRead,
}

/// What was asked before.
#[derive(Default)]
pub(crate) struct Shapes {
    kept: Mutex<Kept>,
}

/// The plans of one project.
#[derive(Default)]
struct Kept {
    project: Option<Arc<Project>>,
    reads: Generations<Read>,
}

impl Shapes {
    /// The plan of a read and the values for it; made now if nobody asked so before. `None` where the request has to go
    /// the whole way.
    pub(crate) fn find(
        &self,
        engine: &Engine,
        project: &Arc<Project>,
        parts: &RestParts<'_>,
        who: &Principal,
    ) -> Option<(Arc<Read>, Vec<Value>)> {
        let shape = Shape::of(parts, project, who)?;
        let known = self.kept.lock().of(project).get(shape.key());
        let read = match known {
            Some(read) => read,
            None => {
                let read = Arc::new(Read::of(engine, project, parts, who, &shape)?);
                self.kept.lock().of(project).put(shape.key(), &read);
                read
            }
        };
        Some((read, shape.into_values()))
    }
}

impl Read {
    /// Plans a shape once, in the words of the request that had it first.
    fn of(
        engine: &Engine,
        project: &Arc<Project>,
        parts: &RestParts<'_>,
        who: &Principal,
        shape: &Shape,
    ) -> Option<Self> {
        let request = shape.request(parts).ok()?;
        let plan = request.plan(project, who).ok()?;
        Some(Self { request, prepared: engine.prepare(project, who, plan).ok()? })
    }
}

impl Kept {
    /// What is kept of this project; all else is forgotten.
    fn of(&mut self, project: &Arc<Project>) -> &mut Generations<Read> {
        if !self.project.as_ref().is_some_and(|own| Arc::ptr_eq(own, project)) {
            *self = Self { project: Some(Arc::clone(project)), ..Self::default() };
        }
        &mut self.reads
    }
}
