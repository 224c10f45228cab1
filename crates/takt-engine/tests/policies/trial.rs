//! One project on a real store beside the reference: runs plans on both and compares.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use takt_model::Principal;
use takt_plan::Plan;

use crate::{
    case::Case,
    draw_data,
    draw_plan::Planner,
    draw_world,
    house::{House, Way, first_table},
    tape::Tape,
    text,
    told::{Done, Expected, Refusal, row_text},
    truth::{Scene, Weakness},
    world::{Data, World, principals},
};

pub(crate) struct Trial {
    pub(crate) world: World,
    pub(crate) data: Data,
    house: House,
}

/// A plan with its caller.
struct Drawn {
    who: Principal,
    way: Way,
    plan: Plan,
}

impl Trial {
    pub(crate) fn new(case: &Case) -> Result<Self, String> {
        let mut tape = Tape::new(&case.world);
        let world = draw_world::world(&mut tape, first_table());
        let data = draw_data::data(&world, &mut tape);
        Self::of(world, data)
    }

    pub(crate) fn of(world: World, data: Data) -> Result<Self, String> {
        let house = House::open(&world, &data).map_err(|e| format!("{e}\n{}", project_text(&world)))?;
        Ok(Self { world, data, house })
    }

    fn draw(&self, plan: &[u32]) -> Drawn {
        let mut tape = Tape::new(plan);
        let who = principals().swap_remove(tape.weighted(&[5, 3, 3, 4, 1, 1]));
        let way = if tape.chance(1, 4) { Way::Action } else { Way::Transact };
        let mut planner = Planner { world: &self.world, data: &self.data, who: &who, tape: &mut tape };
        let plan = planner.plan();
        Drawn { who, way, plan }
    }

    pub(crate) fn expected(&self, who: &Principal, plan: &Plan, weakness: Option<Weakness>) -> Expected {
        let scene = Scene { world: &self.world, data: &self.data, who, weakness };
        match plan {
            Plan::Read(read) => scene.read(read),
            Plan::Insert(insert) => scene.insert(insert),
            Plan::Update(update) => scene.update(update),
            Plan::Delete(delete) => scene.delete(delete),
        }
    }

    pub(crate) fn run(
        &self,
        who: &Principal,
        plan: &Plan,
        way: Way,
    ) -> Result<Result<Done, Refusal>, String> {
        self.house.run(&self.world, who, plan, way)
    }

    /// Compares one plan.
    pub(crate) fn check(&self, tape: &[u32], tally: &mut Tally) -> Result<(), String> {
        let Drawn { who, way, plan } = self.draw(tape);
        let expected = self.expected(&who, &plan, None);
        let found = self.run(&who, &plan, way)?;
        tally.add(&plan, &found);
        match expected.difference(&found, &self.data) {
            None => Ok(()),
            Some(difference) => Err(difference),
        }
    }

    /// Which of some weakened references this plan tells from the engine.
    pub(crate) fn notices(&self, tape: &[u32], weaknesses: &[Weakness]) -> Vec<Weakness> {
        let Drawn { who, way, plan } = self.draw(tape);
        let found = self.run(&who, &plan, way).unwrap();
        let differs =
            |w: &&Weakness| self.expected(&who, &plan, Some(**w)).difference(&found, &self.data).is_some();
        weaknesses.iter().filter(differs).copied().collect()
    }

    /// The whole case in words.
    pub(crate) fn tell(&self, tape: &[u32]) -> String {
        let Drawn { who, way, plan } = self.draw(tape);
        let mut out = project_text(&self.world);
        for (spec, rows) in self.world.tables.iter().zip(&self.data.0) {
            let names: Vec<&str> = spec.fields.iter().map(|f| f.name.as_str()).collect();
            let _ = writeln!(out, "rows of {} {names:?}", spec.name);
            for row in rows {
                let _ = writeln!(out, "  {}", row_text(row));
            }
        }
        let _ = writeln!(out, "caller: {who:?}\nway: {way:?}\nplan: {plan:?}");
        let filter = match &plan {
            Plan::Read(read) => read.root.filter.as_ref().map(|f| (read.root.table, f)),
            Plan::Update(update) => update.filter.as_ref().map(|f| (update.table, f)),
            Plan::Delete(delete) => delete.filter.as_ref().map(|f| (delete.table, f)),
            Plan::Insert(_) => None,
        };
        if let Some((table, filter)) = filter {
            let _ =
                writeln!(out, "filter: {}", text::expression(&self.world, self.world.index(table), filter));
        }
        out
    }
}

fn project_text(world: &World) -> String {
    text::files(world).0.iter().fold(String::new(), |mut out, (path, text)| {
        let _ = writeln!(out, "--- {path}\n{text}");
        out
    })
}

/// What was tried, and how it ended.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<(&'static str, String), u64>);

impl Tally {
    fn add(&mut self, plan: &Plan, found: &Result<Done, Refusal>) {
        let verb = match plan {
            Plan::Read(_) => "read",
            Plan::Update(_) => "update",
            Plan::Delete(_) => "delete",
            Plan::Insert(i) if i.conflict.is_some() => "upsert",
            Plan::Insert(_) => "insert",
        };
        let ended = match found {
            Ok(done) if done.returned + done.affected + done.count.unwrap_or(0) > 0 => "with rows".to_owned(),
            Ok(_) => "without rows".to_owned(),
            Err(Refusal::Code(code)) => code.clone(),
            Err(Refusal::Denied(_)) => "denied".to_owned(),
            Err(Refusal::UnknownField(_)) => "unknown field".to_owned(),
            Err(Refusal::FieldDenied(_)) => "field denied".to_owned(),
            Err(Refusal::NoFilter) => "no filter".to_owned(),
        };
        *self.0.entry((verb, ended)).or_default() += 1;
    }

    fn count(&self, verb: &'static str, ended: &str) -> u64 {
        self.0.get(&(verb, ended.to_owned())).copied().unwrap_or(0)
    }

    /// A test that only ever sees refusals would say little.
    pub(crate) fn assert_broad(&self) {
        let wanted = [
            ("read", "with rows"),
            ("read", "without rows"),
            ("read", "denied"),
            ("read", "unknown field"),
            ("insert", "with rows"),
            ("insert", "denied"),
            ("insert", "field denied"),
            ("insert", "42501"),
            ("insert", "23505"),
            ("insert", "23503"),
            ("insert", "23502"),
            ("upsert", "with rows"),
            ("upsert", "42501"),
            ("update", "with rows"),
            ("update", "without rows"),
            ("update", "42501"),
            ("update", "23514"),
            ("delete", "with rows"),
            ("delete", "42501"),
            ("delete", "23503"),
        ];
        for (verb, ended) in wanted {
            assert!(self.count(verb, ended) > 0, "no {verb} ended {ended}:\n{self}");
        }
        let all: u64 = self.0.values().sum();
        let fruitful: u64 = self.0.iter().filter(|((_, e), _)| e == "with rows").map(|(_, n)| n).sum();
        assert!(fruitful * 4 > all, "fewer than a quarter of all plans did anything:\n{self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} plans", self.0.values().sum::<u64>())?;
        self.0.iter().try_for_each(|((verb, ended), n)| writeln!(f, "  {verb:<7} {ended:<14} {n:>8}"))
    }
}
