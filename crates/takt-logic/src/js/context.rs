//! A context made ready for one function: limits set, prelude and module evaluated, sealed if it may serve more
//! than one call. Lives on the thread that made it.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use rquickjs::{
    Array, Context, Ctx, Error, Function, Module, Object, Persistent, Promise, Runtime, Value as Js,
    context::intrinsic,
    loader::{ImportAttributes, Loader, Resolver},
    module::Declared,
    promise::PromiseState,
};
use takt_engine::ActionError;

use super::{
    db, failure,
    host::{Host, Kit},
    run,
};
use crate::modules::Modules;

/// No `WeakRef` (it would tell when the collector ran), no `performance` (another clock).
type Intrinsics = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
);

/// Bytes of the script engine's stack. Threads of ours have at least four times as much.
const STACK: usize = 512 * 1024;
/// CPU time that the evaluation of a module may take.
pub(crate) const LOAD_TIME: Duration = Duration::from_millis(250);

const PRELUDE: &str = include_str!("prelude.js");
const SEAL: &str = include_str!("seal.js");

/// A script engine with the prelude in it.
pub(crate) struct Bare {
    // Fields are dropped in this order; the values of the host are dropped before both.
    context: Context,
    runtime: Runtime,
    pub(crate) host: Rc<Host>,
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.host.clear();
    }
}

impl Bare {
    /// A new script engine that can load `modules`, with the limits of `host`.
    pub(crate) fn open(host: Rc<Host>, modules: &Arc<Modules>, memory: usize) -> Result<Self, ActionError> {
        let cannot = |error: Error| ActionError::Failed {
            code: "53200",
            message: format!("no script engine: {error}"),
            position: None,
        };
        let runtime = Runtime::new().map_err(cannot)?;
        runtime.set_memory_limit(memory);
        runtime.set_max_stack_size(STACK);
        let budget = Rc::clone(&host.budget);
        runtime.set_interrupt_handler(Some(Box::new(move || budget.is_spent())));
        runtime.set_loader(Inside(Arc::clone(modules)), Inside(Arc::clone(modules)));
        let tracker = Rc::clone(&host);
        runtime.set_host_promise_rejection_tracker(Some(Box::new(
            move |ctx, promise, reason, is_handled| {
                tracker.promise_rejected(identity(&promise), Persistent::save(&ctx, reason), is_handled);
            },
        )));
        let context = Context::custom::<Intrinsics>(&runtime).map_err(cannot)?;
        Ok(Self { context, runtime, host })
    }

    pub(crate) fn with<R>(&self, work: impl for<'js> FnOnce(&Ctx<'js>) -> R) -> R {
        self.context.with(|ctx| work(&ctx))
    }

    /// Runs waiting jobs until there are none, or the budget is spent; then it is told where.
    /// Not inside [`Bare::with`]: the engine gives the place of a stopped job only here.
    pub(crate) fn drive(&self, modules: &Modules) -> Option<String> {
        loop {
            match self.runtime.execute_pending_job() {
                Ok(false) => return None,
                Ok(true) => {}
                Err(thrown) => {
                    let place = thrown.0.with(|ctx| failure::position(modules, &ctx.catch()));
                    if self.host.budget.hit().is_some() {
                        return place;
                    }
                }
            }
        }
    }

    /// Whether nearly all of the allowed memory is in use.
    pub(crate) fn is_full(&self, memory: usize) -> bool {
        usize::try_from(self.runtime.memory_usage().malloc_size).unwrap_or_default() > memory / 10 * 9
    }
}

/// Who a promise is, as long as it lives.
pub(crate) fn identity(value: &Js<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Evaluates the prelude; its parts are given back, its helpers kept in the host.
pub(crate) fn prelude<'js>(ctx: &Ctx<'js>, host: &Rc<Host>) -> rquickjs::Result<Object<'js>> {
    let make: Function<'js> = ctx.eval(PRELUDE)?;
    let parts: Object<'js> = make.call((run::lent(ctx, host)?,))?;
    let function = |name: &str| -> rquickjs::Result<Persistent<Function<'static>>> {
        Ok(Persistent::save(ctx, parts.get::<_, Function<'js>>(name)?))
    };
    let plain_proto = Object::new(ctx.clone())?.get_prototype().ok_or(Error::Unknown)?;
    let kit = Kit {
        decimal: function("decimal")?,
        decimal_text: function("decimal_text")?,
        decimal_proto: Persistent::save(ctx, parts.get::<_, Object<'js>>("decimal_proto")?),
        plain_proto: Persistent::save(ctx, plain_proto),
        database_error: function("database_error")?,
        hex: function("hex")?,
    };
    *host.kit.borrow_mut() = Some(kit);
    Ok(parts)
}

/// Evaluates the module at `path` and gives its exports.
pub(crate) fn evaluate<'js>(
    ctx: &Ctx<'js>,
    host: &Host,
    modules: &Modules,
    path: &str,
) -> Result<Object<'js>, ActionError> {
    let failed = |error: Error| failure::of_error(host, ctx, modules, &error);
    let code = modules.get(path).map(|m| m.code.as_str()).unwrap_or_default();
    let module = Module::declare(ctx.clone(), path, code).map_err(failed)?;
    let (module, promise) = module.eval().map_err(failed)?;
    drive(ctx, host);
    match settled(&promise) {
        Settled::Fulfilled(_) => module.namespace().map_err(failed),
        Settled::Rejected(reason) => Err(failure::of_value(host, ctx, modules, &reason)),
        Settled::Pending => Err(match host.budget.hit() {
            Some(limit) => failure::limit_hit(limit, None),
            None => never_ends("the module never finishes: it awaits something that nothing will settle"),
        }),
    }
}

fn never_ends(message: &str) -> ActionError {
    ActionError::Failed { code: "P0001", message: message.to_owned(), position: None }
}

/// What a function that has run out of jobs gave, if it is settled.
pub(crate) fn settle<'js>(
    ctx: &Ctx<'js>,
    host: &Host,
    modules: &Modules,
    value: Js<'js>,
) -> Result<Js<'js>, ActionError> {
    let Some(promise) = value.as_promise() else { return Ok(value) };
    match settled(promise) {
        Settled::Fulfilled(value) => Ok(value),
        Settled::Rejected(reason) => Err(failure::of_value(host, ctx, modules, &reason)),
        Settled::Pending => {
            Err(never_ends("the function never finishes: it awaits something that nothing will settle"))
        }
    }
}

/// Runs waiting jobs until there are none, or the budget is spent.
fn drive(ctx: &Ctx<'_>, host: &Host) {
    while host.budget.hit().is_none() && ctx.execute_pending_job() {}
}

/// How a promise stands.
enum Settled<'js> {
    Fulfilled(Js<'js>),
    Rejected(Js<'js>),
    Pending,
}

fn settled<'js>(promise: &Promise<'js>) -> Settled<'js> {
    match promise.state() {
        PromiseState::Pending => Settled::Pending,
        PromiseState::Resolved => match promise.result::<Js<'js>>() {
            Some(Ok(value)) => Settled::Fulfilled(value),
            _ => Settled::Pending,
        },
        PromiseState::Rejected => match promise.result::<Js<'js>>() {
            Some(Err(_)) => Settled::Rejected(promise.ctx().catch()),
            _ => Settled::Pending,
        },
    }
}

/// Finds and loads the project's own modules, and nothing else.
struct Inside(Arc<Modules>);

impl Resolver for Inside {
    fn resolve<'js>(
        &mut self,
        _: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<String> {
        let found = self.0.resolve(base, name).map(ToOwned::to_owned);
        found.ok_or_else(|| {
            Error::new_resolving_message(base, name, "only files inside logic/ can be imported")
        })
    }
}

impl Loader for Inside {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<Module<'js, Declared>> {
        match self.0.get(name) {
            Some(module) => Module::declare(ctx.clone(), name, module.code.as_str()),
            None => Err(Error::new_loading(name)),
        }
    }
}

/// A context that is ready for calls of one action.
pub(crate) struct Prepared {
    entry: Option<Entry>,
    pub(crate) bare: Bare,
    /// Whether nothing of a call can stay in it.
    pub(crate) is_sealed: bool,
    pub(crate) calls: u32,
}

struct Entry {
    /// The default export.
    function: Persistent<Function<'static>>,
    /// Makes the first argument of a user and a moment.
    argument: Persistent<Function<'static>>,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        self.entry.take();
    }
}

impl Prepared {
    /// Makes a context ready for the action in `path`.
    pub(crate) fn new(
        host: Rc<Host>,
        modules: &Arc<Modules>,
        path: &str,
        memory: usize,
    ) -> Result<Self, ActionError> {
        let bare = Bare::open(host, modules, memory)?;
        bare.host.budget.begin(LOAD_TIME);
        let (entry, is_sealed) = bare.with(|ctx| prepare(ctx, &bare.host, modules, path))?;
        bare.host.forget();
        Ok(Self { entry: Some(entry), bare, is_sealed, calls: 0 })
    }

    /// The function and the maker of its first argument.
    pub(crate) fn functions<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<(Function<'js>, Function<'js>)> {
        let entry = self.entry.as_ref().ok_or(Error::Unknown)?;
        Ok((entry.function.clone().restore(ctx)?, entry.argument.clone().restore(ctx)?))
    }
}

fn prepare(
    ctx: &Ctx<'_>,
    host: &Rc<Host>,
    modules: &Arc<Modules>,
    path: &str,
) -> Result<(Entry, bool), ActionError> {
    let failed = |error: Error| failure::of_error(host, ctx, modules, &error);
    let reachable = modules.reachable(path);
    let may_seal = reachable.iter().all(|p| modules.get(p).is_some_and(|m| m.facts.state.is_none()));
    let parts = prelude(ctx, host).map_err(failed)?;
    let own = Array::new(ctx.clone()).map_err(failed)?;
    if may_seal {
        collect_into(ctx, &own).map_err(failed)?;
    }
    let exports = evaluate(ctx, host, modules, path)?;
    let finish = || -> rquickjs::Result<(Entry, bool)> {
        let function: Function<'_> = exports.get("default")?;
        let db: Object<'_> = parts.get::<_, Function<'_>>("db")?.call((db::tables(ctx, host)?,))?;
        let argument: Function<'_> = parts.get::<_, Function<'_>>("argument")?.call((db.clone(),))?;
        ctx.globals().remove("__takt")?;
        let is_whole = own.len() == 2 * reachable.len();
        let is_sealed = may_seal && is_whole && seal(ctx, &own, &parts, &exports, &db, &argument)?;
        let entry =
            Entry { function: Persistent::save(ctx, function), argument: Persistent::save(ctx, argument) };
        Ok((entry, is_sealed))
    };
    finish().map_err(failed)
}

/// From now on each module hands its own names to `own`.
fn collect_into<'js>(ctx: &Ctx<'js>, own: &Array<'js>) -> rquickjs::Result<()> {
    let make: Function<'js> = ctx.eval("(all => (names, meta) => { all.push(names, meta); })")?;
    let collect: Function<'js> = make.call((own.clone(),))?;
    ctx.globals().set("__takt", collect)
}

fn seal<'js>(
    ctx: &Ctx<'js>,
    own: &Array<'js>,
    parts: &Object<'js>,
    exports: &Object<'js>,
    db: &Object<'js>,
    argument: &Function<'js>,
) -> rquickjs::Result<bool> {
    let roots = Array::new(ctx.clone())?;
    let mut at = 0;
    let mut push = |value: Js<'js>| -> rquickjs::Result<()> {
        roots.set(at, value)?;
        at += 1;
        Ok(())
    };
    for value in own.iter::<Js<'js>>() {
        push(value?)?;
    }
    for value in exports.props::<String, Js<'js>>() {
        push(value?.1)?;
    }
    push(parts.get("parts")?)?;
    push(db.clone().into_value())?;
    push(argument.clone().into_value())?;
    let seal: Function<'js> = ctx.eval(SEAL)?;
    seal.call((roots,))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::{path::Path, sync::Arc};

    use takt_model::Project;

    use super::Prepared;
    use crate::{
        js::{host::Host, limits::Measure},
        modules::Modules,
    };

    const MEMORY: usize = 64 * 1024 * 1024;

    fn is_sealed(files: &[(&str, &str)]) -> bool {
        let mut modules = Modules::default();
        for (path, source) in files {
            modules.insert(path, takt_typescript::strip(path, source).unwrap());
        }
        let host = Host::new(Arc::new(Project::default()), Measure::Cpu);
        Prepared::new(host, &Arc::new(modules), files[0].0, MEMORY).unwrap().is_sealed
    }

    #[test]
    fn a_module_without_state_is_sealed_and_serves_many_calls() {
        assert!(is_sealed(&[("logic/a.ts", "const A = { b: [1] };\nexport default () => A;")]));
        let helper = "export const RATE = 19;\nexport class Tea { name = 1; }";
        let main = "import { RATE, Tea } from \"./_b.ts\";\nexport default () => [RATE, new Tea()];";
        assert!(is_sealed(&[("logic/a.ts", main), ("logic/_b.ts", helper)]));
    }

    #[test]
    fn an_import_of_which_nothing_is_used_does_not_matter() {
        let main = "import { b } from \"./_b.ts\";\nexport default () => 1;";
        assert!(is_sealed(&[("logic/a.ts", main), ("logic/_b.ts", "export const b = { c: 1 };")]));
    }

    #[test]
    fn a_module_with_state_serves_one_call() {
        for top in [
            "let n = 0; export const f = () => ++n;",
            "export const m = new Map();",
            "export const r = /a/g;",
        ] {
            let main = format!("{top}\nexport default () => 1;");
            assert!(!is_sealed(&[("logic/a.ts", &main)]), "{top}");
            let main = "import \"./_b.ts\";\nexport default () => 1;";
            assert!(!is_sealed(&[("logic/a.ts", main), ("logic/_b.ts", top)]), "{top} in a helper");
        }
    }

    /// "Buy now" must not pay for a new context with each call.
    #[test]
    fn the_functions_of_the_example_shop_are_sealed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop/logic");
        let files: Vec<(String, String)> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let file = entry.unwrap();
                let path = format!("logic/{}", file.file_name().to_string_lossy());
                (path, std::fs::read_to_string(file.path()).unwrap())
            })
            .collect();
        let mut seen = 0;
        // Helpers and mapping files have no default export; functions may import them.
        for (path, source) in files.iter().filter(|(_, source)| source.contains("export default")) {
            let mut all = vec![(path.as_str(), source.as_str())];
            all.extend(files.iter().filter(|(p, _)| p != path).map(|(p, s)| (p.as_str(), s.as_str())));
            assert!(is_sealed(&all), "{path}");
            seen += 1;
        }
        assert!(seen >= 3);
    }
}
