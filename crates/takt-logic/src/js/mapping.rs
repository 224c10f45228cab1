//! One call of a mapping function, on a worker's thread, in a context of its own.

use std::{rc::Rc, sync::Arc};

use rquickjs::{Ctx, Function, Object, Persistent, Value as Js};
use takt_engine::ActionError;

use super::{
    context::{Bare, LOAD_TIME, evaluate, prelude, settle},
    failure,
    host::{Host, Thrown},
    json,
    limits::Measure,
};
use crate::{LogicError, load::Shared};

/// Runs the function and reads its answer as JSON text.
pub(crate) fn run(shared: &Shared, path: &str, export: &str, input: &str) -> Result<String, LogicError> {
    let settings = &shared.project.settings.logic;
    let host = Host::new(Arc::clone(&shared.project), Measure::Cpu);
    // No moment at all: a date made of it is invalid, and using it fails instead of telling 1970.
    host.clock.set(|| f64::NAN);
    let bare = Bare::open(host, &shared.modules, settings.memory_bytes)?;
    let mut answer = answer(&bare, shared, path, export, input);
    if let Err(error) = &mut answer {
        failure::tell_memory(error, bare.is_full(settings.memory_bytes));
    }
    Ok(answer?)
}

fn answer(
    bare: &Bare,
    shared: &Shared,
    path: &str,
    export: &str,
    input: &str,
) -> Result<String, ActionError> {
    let (host, modules) = (&bare.host, &shared.modules);
    host.budget.begin(LOAD_TIME);
    let called = bare.with(|ctx| {
        let failed = |error: rquickjs::Error| failure::of_error(host, ctx, modules, &error);
        let parts = prelude(ctx, host).map_err(failed)?;
        let exports = evaluate(ctx, host, modules, path)?;
        host.budget.begin(shared.project.settings.logic.action_time);
        let called = call(ctx, &parts, &exports, export, input).map_err(failed)?;
        Ok::<_, ActionError>(Persistent::save(ctx, called))
    })?;
    let place = bare.drive(modules);
    bare.with(|ctx| {
        let failed = |error: rquickjs::Error| failure::of_error(host, ctx, modules, &error);
        let ended = settle(ctx, host, modules, called.restore(ctx).map_err(failed)?);
        if let Some(limit) = host.budget.hit() {
            return Err(failure::limit_hit(limit, place));
        }
        let value = ended?;
        json::write(host, ctx, &value).map_err(|thrown| told(host, ctx, shared, thrown))
    })
}

fn told(host: &Rc<Host>, ctx: &Ctx<'_>, shared: &Shared, thrown: Thrown) -> ActionError {
    let error = host.throw(ctx, thrown);
    failure::of_error(host, ctx, &shared.modules, &error)
}

/// `export(input, { Decimal })`
fn call<'js>(
    ctx: &Ctx<'js>,
    parts: &Object<'js>,
    exports: &Object<'js>,
    export: &str,
    input: &str,
) -> rquickjs::Result<Js<'js>> {
    let function: Function<'js> = exports.get(export)?;
    let second = Object::new(ctx.clone())?;
    second.set("Decimal", parts.get::<_, Js<'js>>("Decimal")?)?;
    function.call((ctx.json_parse(input)?, second))
}
