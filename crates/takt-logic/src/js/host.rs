//! What the script engine's side and ours share during a call: the transaction, the budget, what was refused.
//!
//! Functions lent to JavaScript hold a [`Host`]; values of JavaScript that a [`Host`] holds are dropped by
//! [`Host::clear`] before the engine goes, because neither side could ever be freed otherwise.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use rquickjs::{Ctx, Function as JsFunction, Object, Persistent, Value};
use takt_engine::{ActionError, ActionTx, EngineError, StoreError};
use takt_model::{Project, Words};
use takt_plan::{Plan, Rows};

use super::{
    limits::{Budget, Limit, Measure},
    rows::RowMaker,
};
use crate::Function;

/// Shared by all functions lent to one context.
pub(crate) struct Host {
    pub(crate) project: Arc<Project>,
    pub(crate) budget: Rc<Budget>,
    tx: RefCell<Option<ActionTx>>,
    /// Statements that this call may still make.
    statements_left: Cell<u32>,
    /// The first `reject`, even if the function caught it.
    refusal: RefCell<Option<ActionError>>,
    /// Refusals of the engine that were thrown; an error object carries its position here.
    thrown: RefCell<Vec<EngineError>>,
    /// Rejected promises that nobody handled so far, with their reasons.
    unhandled: RefCell<Vec<(u64, Persistent<Value<'static>>)>>,
    /// State of `Math.random`.
    chance: Cell<u64>,
    /// Milliseconds that `Date.now()` gives, where no transaction says it.
    pub(crate) clock: Cell<fn() -> f64>,
    /// For the jobs that a call may ask for.
    functions: RefCell<Arc<Vec<Function>>>,
    pub(crate) kit: RefCell<Option<Kit>>,
    pub(crate) makers: RefCell<Vec<Rc<RowMaker>>>,
}

/// Helpers of the prelude that Rust calls.
pub(crate) struct Kit {
    pub(crate) decimal: Persistent<JsFunction<'static>>,
    pub(crate) decimal_text: Persistent<JsFunction<'static>>,
    pub(crate) decimal_proto: Persistent<Object<'static>>,
    pub(crate) plain_proto: Persistent<Object<'static>>,
    pub(crate) database_error: Persistent<JsFunction<'static>>,
    pub(crate) hex: Persistent<JsFunction<'static>>,
}

/// What an object's prototype says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Inherits from nothing but `Object.prototype`.
    Plain,
    Decimal,
    Other,
}

/// Why something that JavaScript asked of the host did not work; becomes an error object there.
#[derive(Debug)]
pub(crate) enum Thrown {
    /// Already an exception of the script engine.
    Script(rquickjs::Error),
    /// A function of the first argument was used in a wrong way: a `TypeError`.
    Misuse(String),
    /// A sentence with a SQLSTATE.
    Told { code: &'static str, message: String, hint: Option<String> },
    /// The engine's own.
    Engine(EngineError),
}

impl From<rquickjs::Error> for Thrown {
    fn from(error: rquickjs::Error) -> Self {
        Self::Script(error)
    }
}

impl From<EngineError> for Thrown {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl Thrown {
    pub(crate) fn told(code: &'static str, message: impl Into<String>) -> Self {
        Self::Told { code, message: message.into(), hint: None }
    }

    pub(crate) fn hinted(code: &'static str, message: impl Into<String>, hint: Option<String>) -> Self {
        Self::Told { code, message: message.into(), hint }
    }
}

/// The property under which an error object remembers which refusal of the engine it is.
pub(crate) const THROWN: &str = "\u{0}takt";

impl Host {
    pub(crate) fn new(project: Arc<Project>, measure: Measure) -> Rc<Self> {
        Rc::new(Self {
            project,
            budget: Rc::new(Budget::new(measure)),
            tx: RefCell::default(),
            statements_left: Cell::new(0),
            refusal: RefCell::default(),
            thrown: RefCell::default(),
            unhandled: RefCell::default(),
            chance: Cell::new(0),
            clock: Cell::new(|| 0.0),
            functions: RefCell::default(),
            kit: RefCell::default(),
            makers: RefCell::default(),
        })
    }

    pub(crate) fn set_functions(&self, functions: &Arc<Vec<Function>>) {
        *self.functions.borrow_mut() = Arc::clone(functions);
    }

    pub(crate) fn functions(&self) -> Arc<Vec<Function>> {
        Arc::clone(&self.functions.borrow())
    }

    /// A call begins in `tx`.
    pub(crate) fn begin(&self, tx: &ActionTx, time: std::time::Duration, statements: u32) {
        self.forget();
        self.chance.set(seed(tx));
        self.statements_left.set(statements);
        *self.tx.borrow_mut() = Some(tx.clone());
        self.budget.begin(time);
    }

    /// The call has ended: nothing of it stays.
    pub(crate) fn forget(&self) {
        self.tx.borrow_mut().take();
        self.refusal.borrow_mut().take();
        self.thrown.borrow_mut().clear();
        self.unhandled.borrow_mut().clear();
    }

    /// Drops every value of the script engine.
    pub(crate) fn clear(&self) {
        self.forget();
        self.kit.borrow_mut().take();
        self.makers.borrow_mut().clear();
    }

    pub(crate) fn tx(&self) -> Result<ActionTx, Thrown> {
        let tx = self.tx.borrow().clone();
        tx.ok_or_else(|| Thrown::told("25P01", "there is no transaction here"))
    }

    /// Runs a plan in the call's transaction.
    pub(crate) fn rows(&self, plan: Plan) -> Result<Rows, Thrown> {
        if self.budget.is_spent() {
            return Err(Thrown::told("57014", "the time of this call is over"));
        }
        let tx = self.tx()?;
        let Some(left) = self.statements_left.get().checked_sub(1) else {
            self.budget.run_out(Limit::Statements);
            return Err(Thrown::told("54000", "more statements than one call may make"));
        };
        self.statements_left.set(left);
        if !Arc::ptr_eq(tx.inner().project(), &self.project)
            && tx.inner().project().schema_fingerprint != self.project.schema_fingerprint
        {
            // The project was reloaded between the two: ids of tables would not be the same.
            return Err(EngineError::Store(StoreError::Busy).into());
        }
        let (rows, _) = self.budget.elsewhere(|| tx.rows(plan))?;
        Ok(rows)
    }

    /// One of the prelude's helpers.
    pub(crate) fn kit<T: Clone>(&self, pick: impl FnOnce(&Kit) -> &T) -> Result<T, Thrown> {
        let kit = self.kit.borrow();
        let found = kit.as_ref().map(|kit| pick(kit).clone());
        found.ok_or_else(not_ready)
    }

    /// What the object is by its prototype.
    pub(crate) fn kind<'js>(&self, ctx: &Ctx<'js>, object: &Object<'js>) -> Result<Kind, Thrown> {
        let Some(proto) = object.get_prototype() else { return Ok(Kind::Other) };
        let proto = Persistent::save(ctx, proto);
        let kit = self.kit.borrow();
        let kit = kit.as_ref().ok_or_else(not_ready)?;
        Ok(match proto {
            proto if proto == kit.plain_proto => Kind::Plain,
            proto if proto == kit.decimal_proto => Kind::Decimal,
            _ => Kind::Other,
        })
    }

    /// Milliseconds since 1970 for `Date`.
    pub(crate) fn now_ms(&self) -> f64 {
        match &*self.tx.borrow() {
            Some(tx) => (tx.inner().now() / 1_000) as f64,
            None => (self.clock.get())(),
        }
    }

    /// The next number of `Math.random`: splitmix64, from the transaction's own chance.
    pub(crate) fn random(&self) -> f64 {
        let state = self.chance.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.chance.set(state);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn set_chance(&self, seed: u64) {
        self.chance.set(seed);
    }

    /// Notes a refusal; the first one counts.
    pub(crate) fn refuse(&self, status: u16, message: Words, details_json: String) {
        self.refusal.borrow_mut().get_or_insert(ActionError::Reject { status, message, details_json });
    }

    pub(crate) fn take_refusal(&self) -> Option<ActionError> {
        self.refusal.borrow_mut().take()
    }

    pub(crate) fn thrown(&self, at: i32) -> Option<EngineError> {
        self.thrown.borrow().get(usize::try_from(at).ok()?).cloned()
    }

    /// A promise was rejected without a handler, or got one later.
    pub(crate) fn promise_rejected(
        &self,
        promise: u64,
        reason: Persistent<Value<'static>>,
        is_handled: bool,
    ) {
        let mut unhandled = self.unhandled.borrow_mut();
        if is_handled {
            unhandled.retain(|(p, _)| *p != promise);
        } else {
            unhandled.push((promise, reason));
        }
    }

    /// The reason of a rejected promise that nobody handled, besides the function's own.
    pub(crate) fn unhandled(&self, own: Option<u64>) -> Option<Persistent<Value<'static>>> {
        self.unhandled.borrow().iter().find(|(p, _)| Some(*p) != own).map(|(_, reason)| reason.clone())
    }

    /// Turns a refusal into an exception of the script engine.
    pub(crate) fn throw(&self, ctx: &Ctx<'_>, thrown: Thrown) -> rquickjs::Error {
        match self.error_object(ctx, thrown) {
            Ok(value) => ctx.throw(value),
            Err(error) => error,
        }
    }

    fn error_object<'js>(&self, ctx: &Ctx<'js>, thrown: Thrown) -> rquickjs::Result<Value<'js>> {
        let (code, message, details, hint, engine) = match thrown {
            Thrown::Script(error) => return Err(error),
            Thrown::Misuse(message) => return Err(rquickjs::Exception::throw_type(ctx, &message)),
            Thrown::Told { code, message, hint } => (code, message, None, hint, None),
            Thrown::Engine(error) => {
                let (code, details, hint) = super::failure::engine_words(&error);
                (code, error.to_string(), details, hint, Some(error))
            }
        };
        let make = match &*self.kit.borrow() {
            Some(kit) => kit.database_error.clone().restore(ctx)?,
            None => return Err(rquickjs::Exception::throw_message(ctx, &message)),
        };
        let value: Object<'js> = make.call((message, code, details, hint))?;
        if let Some(error) = engine {
            let mut all = self.thrown.borrow_mut();
            let at = i32::try_from(all.len()).unwrap_or(i32::MAX);
            all.push(error);
            value.prop(THROWN, at)?;
        }
        Ok(value.into_value())
    }
}

fn not_ready() -> Thrown {
    Thrown::told("XX000", "the context is not ready")
}

/// Chance of this transaction: a re-run draws the same.
fn seed(tx: &ActionTx) -> u64 {
    let (high, low) = tx.inner().new_uuid().as_u64_pair();
    high ^ low
}
