//! One call of a function of a mapping file, on a worker's thread, in a context of its own.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use rquickjs::{Ctx, Function, Object, Persistent, Value as Js};
use takt_engine::ActionError;

use super::{
    context::{Bare, LOAD_TIME, evaluate, prelude, settle},
    failure,
    host::{Host, Thrown},
    json,
    limits::Measure,
};
use crate::{Converse, LogicError, load::Shared};

/// `call` and `step`, made of what the conversation lends.
const CONVERSE: &str = include_str!("converse.js");

/// Which function, with what.
pub(crate) struct Errand {
    pub(crate) path: String,
    pub(crate) export: String,
    /// JSON text.
    pub(crate) input: String,
}

/// A conversation while it is lent to a function; none for pure functions.
type Lent = Option<Rc<RefCell<dyn Converse>>>;

/// Runs a pure function and reads its answer as JSON text.
pub(crate) fn run(shared: &Shared, errand: &Errand) -> Result<String, LogicError> {
    let host = Host::new(Arc::clone(&shared.project), Measure::Cpu);
    // No moment at all: a date made of it is invalid, and using it fails instead of telling 1970.
    host.clock.set(|| f64::NAN);
    run_in(shared, host, errand, &None)
}

/// Runs a function that talks to another system; the conversation comes back with what it has kept.
pub(crate) fn converse<C: Converse + 'static>(
    shared: &Shared,
    errand: &Errand,
    conversation: C,
) -> (Result<String, LogicError>, Option<C>) {
    // The other side's time is not the function's: only its own is counted.
    let host = Host::new(Arc::clone(&shared.project), Measure::Cpu);
    host.clock.set(|| f64::NAN);
    let conversation = Rc::new(RefCell::new(conversation));
    let lent: Lent = Some(Rc::clone(&conversation) as Rc<RefCell<dyn Converse>>);
    let result = run_in(shared, host, errand, &lent);
    drop(lent);
    // The script engine is gone, and with it every handle that it had.
    (result, Rc::into_inner(conversation).map(RefCell::into_inner))
}

fn run_in(shared: &Shared, host: Rc<Host>, errand: &Errand, lent: &Lent) -> Result<String, LogicError> {
    let settings = &shared.project.settings.logic;
    let bare = Bare::open(host, &shared.modules, settings.memory_bytes)?;
    let mut answer = answer(&bare, shared, errand, lent);
    if let Err(error) = &mut answer {
        failure::tell_memory(error, bare.is_full(settings.memory_bytes));
    }
    Ok(answer?)
}

fn answer(bare: &Bare, shared: &Shared, errand: &Errand, lent: &Lent) -> Result<String, ActionError> {
    let (host, modules) = (&bare.host, &shared.modules);
    host.budget.begin(LOAD_TIME);
    let called = bare.with(|ctx| {
        let failed = |error: rquickjs::Error| failure::of_error(host, ctx, modules, &error);
        let parts = prelude(ctx, host).map_err(failed)?;
        let exports = evaluate(ctx, host, modules, &errand.path)?;
        let settings = &shared.project.settings.logic;
        // Who talks to another system reads long lists page by page, on a thread where nobody waits for it.
        host.budget.begin(if lent.is_some() { settings.http_time } else { settings.action_time });
        let called = call(ctx, host, &parts, &exports, errand, lent).map_err(failed)?;
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

/// `export(input, { Decimal })`, in a conversation also `{ call, step, refuse, CallError }`.
fn call<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    parts: &Object<'js>,
    exports: &Object<'js>,
    errand: &Errand,
    lent: &Lent,
) -> rquickjs::Result<Js<'js>> {
    let function: Function<'js> = exports.get(errand.export.as_str())?;
    let second = match lent {
        Some(lent) => ctx.eval::<Function<'js>, _>(CONVERSE)?.call((means(ctx, host, lent)?,))?,
        None => Object::new(ctx.clone())?,
    };
    second.set("Decimal", parts.get::<_, Js<'js>>("Decimal")?)?;
    function.call((ctx.json_parse(errand.input.as_str())?, second))
}

/// What Rust lends to `converse.js`: texts in, texts out.
fn means<'js>(
    ctx: &Ctx<'js>,
    host: &Rc<Host>,
    lent: &Rc<RefCell<dyn Converse>>,
) -> rquickjs::Result<Object<'js>> {
    let means = Object::new(ctx.clone())?;
    let h = Rc::clone(host);
    let write =
        move |ctx: Ctx<'js>, value: Js<'js>| json::write(&h, &ctx, &value).map_err(|t| h.throw(&ctx, t));
    means.set("json", Function::new(ctx.clone(), write)?)?;
    let (h, l) = (Rc::clone(host), Rc::clone(lent));
    let call = move |ctx: Ctx<'js>, request: String| {
        let told = Object::new(ctx)?;
        match h.budget.elsewhere(|| l.borrow_mut().call(&request)) {
            Ok(answer) => told.set("answer", answer)?,
            Err(error) => told.set("error", error)?,
        }
        Ok::<_, rquickjs::Error>(told)
    };
    means.set("call", Function::new(ctx.clone(), call)?)?;
    means.set("is_rpc", lent.borrow().is_rpc())?;
    let l = Rc::clone(lent);
    means.set("kept", Function::new(ctx.clone(), move |step: String| l.borrow().kept(&step))?)?;
    let l = Rc::clone(lent);
    let keep = move |step: String, result: String| l.borrow_mut().keep(&step, &result);
    means.set("keep", Function::new(ctx.clone(), keep)?)?;
    let l = Rc::clone(lent);
    means.set("refuse", Function::new(ctx.clone(), move || l.borrow_mut().refuse())?)?;
    Ok(means)
}
