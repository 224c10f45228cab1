//! One case: a tape for a project with its rows, and tapes for plans over it. Drawn by proptest, shrunk by ourselves:
//! first all plans but one go, then pieces of the tapes are cut out or become zero.

use proptest::{
    prelude::Rng,
    strategy::{NewTree, Strategy, ValueTree},
    test_runner::TestRunner,
};

/// Numbers for a project with its rows.
const WORLD_CELLS: usize = 700;
/// Numbers for one plan.
const PLAN_CELLS: usize = 250;

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) world: Vec<u32>,
    pub(crate) plans: Vec<Vec<u32>>,
}

/// Cases of so many plans.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cases {
    pub(crate) plans: usize,
}

impl Case {
    pub(crate) fn draw(rng: &mut impl Rng, plans: usize) -> Self {
        let mut cells = |n: usize| (0..n).map(|_| rng.next_u32()).collect::<Vec<_>>();
        let world = cells(WORLD_CELLS);
        Self { world, plans: (0..plans).map(|_| cells(PLAN_CELLS)).collect() }
    }
}

impl Strategy for Cases {
    type Tree = Shrinking;
    type Value = Case;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let case = Case::draw(runner.rng(), self.plans);
        Ok(Shrinking { before: case.clone(), case, edit: Edit { stage: 0, at: 0 } })
    }
}

/// A case that is being made smaller.
#[derive(Debug)]
pub(crate) struct Shrinking {
    case: Case,
    /// The smallest case that is known to fail.
    before: Case,
    edit: Edit,
}

/// What is tried next: a stage, and where on its tape.
#[derive(Debug, Clone, Copy)]
struct Edit {
    stage: usize,
    at: usize,
}

/// What happens to a piece of a tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Cut,
    Zero,
    Halve,
}

/// Piece sizes, large ones first; all of them for the plan's tape (it is quicker), then for the world's.
const STAGES: [(Change, usize); 8] = [
    (Change::Cut, 64),
    (Change::Zero, 16),
    (Change::Cut, 8),
    (Change::Zero, 4),
    (Change::Cut, 2),
    (Change::Cut, 1),
    (Change::Zero, 1),
    (Change::Halve, 1),
];

impl Change {
    /// Changes a piece of a tape; false if that makes no difference.
    fn apply(self, tape: &mut Vec<u32>, from: usize, to: usize) -> bool {
        let each = |tape: &mut Vec<u32>, new: fn(u32) -> u32| {
            let different = tape[from..to].iter().any(|c| new(*c) != *c);
            tape[from..to].iter_mut().for_each(|c| *c = new(*c));
            different
        };
        match self {
            Self::Cut => tape.drain(from..to).count() > 0,
            Self::Zero => each(tape, |_| 0),
            Self::Halve => each(tape, |c| if c < 64 { c / 2 } else { c % 64 }),
        }
    }
}

impl Shrinking {
    /// Makes the next edit that changes something; false when all have been tried.
    fn edit(&mut self) -> bool {
        let plans = self.case.plans.len();
        if plans > 1 {
            // Keep one plan: the next one, until the failing one is found.
            if self.edit.at < plans {
                self.case.plans = vec![self.case.plans.swap_remove(self.edit.at)];
            }
            return self.edit.at < plans;
        }
        while let Some((change, size)) = STAGES.get(self.edit.stage % STAGES.len()) {
            let tape = match self.edit.stage / STAGES.len() {
                0 => &mut self.case.plans[0],
                1 => &mut self.case.world,
                _ => return false,
            };
            let to = (self.edit.at + size).min(tape.len());
            if self.edit.at >= to {
                self.edit = Edit { stage: self.edit.stage + 1, at: 0 };
            } else if change.apply(tape, self.edit.at, to) {
                return true;
            } else {
                self.edit.at = to;
            }
        }
        false
    }

    /// Goes on behind the last edit.
    fn advance(&mut self) {
        let plan = self.before.plans.len() > 1;
        self.edit.at += if plan { 1 } else { STAGES[self.edit.stage % STAGES.len()].1 };
    }
}

impl ValueTree for Shrinking {
    type Value = Case;

    fn current(&self) -> Case {
        self.case.clone()
    }

    /// The case as it is fails: it may become smaller still.
    fn simplify(&mut self) -> bool {
        let cut = STAGES[self.edit.stage % STAGES.len()].0 == Change::Cut;
        if self.before.plans.len() > self.case.plans.len() {
            self.edit.at = 0;
        } else if !cut {
            self.advance();
        }
        self.before = self.case.clone();
        self.edit()
    }

    /// The last edit was too much.
    fn complicate(&mut self) -> bool {
        self.case = self.before.clone();
        self.advance();
        self.edit()
    }
}
