//! Random projects: two to four tables with references, one of them perhaps a junction, and policies over them.

use takt_model::{Expr, OnDelete, Value, Verb};

use crate::{
    draw_expr::{Drawer, Speech, check},
    tape::Tape,
    world::{Default, FieldSpec, Kind, PolicySpec, Reference, STATUS, TableSpec, World, values},
};

/// Names for each table, in the order of the alphabet; some are what the store calls its rows inside.
const NAMES: [&[&str]; 4] =
    [&["a_b", "child", "T2"], &["group", "j0", "j1", "main"], &["t0", "t1"], &["v", "w"]];

const ROLES: [&[&str]; 7] = [
    &["authenticated"],
    &["anon"],
    &["staff"],
    &["anon", "authenticated"],
    &["authenticated", "staff"],
    &["anon", "staff"],
    &["anon", "authenticated", "staff"],
];

/// Draws a project whose tables begin at the id `first`.
pub(crate) fn world(tape: &mut Tape<'_>, first: u16) -> World {
    let mut world = World { first, tables: Vec::new() };
    let tables = 2 + tape.below(2);
    for at in 0..tables {
        let table = ordinary(&world, tape, at);
        world.tables.push(table);
    }
    if tape.chance(2, 3) {
        let table = junction(&world, tape, tables);
        world.tables.push(table);
    }
    for table in 0..world.tables.len() {
        checks(&mut world, tape, table);
    }
    // Policies ask only tables of a lower rank, so that none asks in a circle; ranks know nothing of references.
    let ranks = tape.permutation(world.tables.len());
    for table in 0..world.tables.len() {
        let lower = (0..world.tables.len()).filter(|other| ranks[*other] < ranks[table]).collect();
        policies(&mut world, tape, table, lower);
    }
    world
}

fn field(name: &str, kind: Kind) -> FieldSpec {
    FieldSpec {
        name: name.to_owned(),
        kind,
        required: false,
        unique: false,
        reference: None,
        default: None,
        check: None,
        max: None,
        transitions: None,
    }
}

fn ordinary(world: &World, tape: &mut Tape<'_>, at: usize) -> TableSpec {
    let key_kind = if tape.chance(1, 2) { Kind::Uuid } else { Kind::Integer };
    let mut fields = vec![FieldSpec { required: true, ..field("id", key_kind) }];
    if tape.chance(3, 4) {
        let default = tape.chance(1, 2).then_some(Default::AuthUid);
        fields.push(FieldSpec { default, ..field("owner", Kind::Uuid) });
    }
    fields.push(FieldSpec { max: tape.chance(1, 3).then_some(3), ..field("name", Kind::Text) });
    fields.push(FieldSpec { required: tape.chance(1, 3), ..field("qty", Kind::Integer) });
    if tape.chance(1, 2) {
        fields.push(FieldSpec { unique: true, ..field("group", Kind::Text) });
    }
    if tape.chance(1, 2) {
        fields.push(status(tape));
    }
    if tape.chance(2, 3) {
        let default = tape.chance(1, 3).then(|| Default::Constant(values(Kind::Decimal(8, 2))[1].clone()));
        fields.push(FieldSpec { default, ..field("price", Kind::Decimal(8, 2)) });
    }
    if tape.chance(1, 3) {
        fields.push(field("rate", Kind::Decimal(6, 4)));
    }
    if tape.chance(1, 2) {
        let default = tape.chance(1, 2).then_some(Default::Constant(Value::Boolean(true)));
        fields.push(FieldSpec { default, ..field("flag", Kind::Boolean) });
    }
    if tape.chance(1, 3) {
        fields.push(FieldSpec { default: Some(Default::Now), ..field("at", Kind::Timestamp) });
    }
    for target in 0..at {
        if tape.chance(2, 3) {
            let mut reference = reference(world, tape, &format!("r{target}"), target);
            reference.unique = tape.chance(1, 5);
            fields.push(reference);
        }
    }
    if tape.chance(1, 3) {
        let reference = Reference { table: at, field: 0, on_delete: on_delete(tape, true) };
        fields.push(FieldSpec { reference: Some(reference), ..field("parent", key_kind) });
    }
    let name = *tape.pick(NAMES[at]);
    TableSpec { name, fields, key: vec![0], policies: Vec::new() }
}

/// An enum, perhaps with transitions.
fn status(tape: &mut Tape<'_>) -> FieldSpec {
    let default = tape.chance(1, 2).then(|| Default::Constant(Value::Text(STATUS[1].to_owned())));
    let transitions = tape.chance(1, 3).then(|| {
        STATUS.iter().map(|from| (*from, tape.some(&STATUS, 1, 2))).filter(|(_, to)| !to.is_empty()).collect()
    });
    FieldSpec { default, transitions, ..field("status", Kind::Enum) }
}

fn on_delete(tape: &mut Tape<'_>, nullable: bool) -> OnDelete {
    let all = [OnDelete::Restrict, OnDelete::Cascade, OnDelete::SetNull];
    *tape.pick(if nullable { &all[..] } else { &all[..2] })
}

fn reference(world: &World, tape: &mut Tape<'_>, name: &str, target: usize) -> FieldSpec {
    let required = tape.chance(1, 4);
    let reference = Reference { table: target, field: 0, on_delete: on_delete(tape, !required) };
    FieldSpec { required, reference: Some(reference), ..field(name, world.tables[target].fields[0].kind) }
}

/// A table between two others (or between one and itself).
fn junction(world: &World, tape: &mut Tape<'_>, at: usize) -> TableSpec {
    let (left, right) = (tape.below(world.tables.len()), tape.below(world.tables.len()));
    let keyed = !tape.chance(1, 3);
    let mut fields = Vec::new();
    if !keyed {
        fields.push(FieldSpec { required: true, ..field("id", Kind::Integer) });
    }
    for (name, target) in [("l", left), ("r", right)] {
        let mut reference = reference(world, tape, name, target);
        if keyed {
            reference.required = true;
            let cascade = tape.chance(1, 2);
            if let Some(r) = &mut reference.reference {
                r.on_delete = if cascade { OnDelete::Cascade } else { OnDelete::Restrict };
            }
        }
        fields.push(reference);
    }
    fields.push(field("owner", Kind::Uuid));
    fields.push(field("qty", Kind::Integer));
    let key = if keyed { vec![0, 1] } else { vec![0] };
    let name = *tape.pick(NAMES[at]);
    TableSpec { name, fields, key, policies: Vec::new() }
}

fn checks(world: &mut World, tape: &mut Tape<'_>, table: usize) {
    for at in 0..world.tables[table].fields.len() {
        let number = matches!(world.tables[table].fields[at].kind, Kind::Integer | Kind::Decimal(..));
        let plain =
            !world.tables[table].key.contains(&at) && world.tables[table].fields[at].reference.is_none();
        if number && plain && tape.chance(1, 4) {
            let check = check(world, tape, table, at);
            world.tables[table].fields[at].check = Some(check);
        }
    }
}

/// `lower` are the tables that select policies may ask.
fn policies(world: &mut World, tape: &mut Tape<'_>, table: usize, lower: Vec<usize>) {
    let speech = |tables| Speech { tables, auth: true, filter: false };
    let asks = Asks { reading: speech(lower), writing: speech((0..world.tables.len()).collect()) };
    let n = [3, 2, 4, 5, 1, 0][tape.weighted(&[4, 4, 4, 3, 2, 1])];
    for number in 0..n {
        // Most tables can be read by somebody: else every question that touches them is only denied.
        let open = number == 0 && tape.chance(3, 4);
        let policy = policy(world, tape, table, &asks, open);
        world.tables[table].policies.push(policy);
    }
}

/// What the policies of a table may ask.
struct Asks {
    reading: Speech,
    /// Policies for writes may ask everything, the table itself too.
    writing: Speech,
}

fn policy(world: &World, tape: &mut Tape<'_>, table: usize, asks: &Asks, open: bool) -> PolicySpec {
    use Verb::{Delete, Insert, Select, Update};
    let to =
        if open { ROLES[[0, 3, 6][tape.below(3)]] } else { ROLES[tape.weighted(&[5, 2, 3, 3, 2, 1, 3])] };
    let allow: &[Verb] = match if open { 0 } else { tape.weighted(&[8, 3, 3, 2, 2, 3, 2]) } {
        1 => &[Insert],
        2 => &[Update],
        3 => &[Delete],
        4 => &[Insert, Update],
        5 => &[Select, Insert, Update, Delete],
        6 => &[Select, Update],
        _ => &[Select],
    };
    let fields = (allow != [Delete] && tape.chance(2, 5)).then(|| some_fields(world, tape, table));
    let mut draw = |open: usize, speech: &Speech| {
        if tape.chance(open, 8) {
            return Expr::yes();
        }
        let drawn = Drawer::new(world, tape, speech, table).condition(2);
        // "All rows" has one form, which the reader may or may not see through others.
        if constant(&drawn) == Some(true) { Expr::yes() } else { drawn }
    };
    let speech = if allow.contains(&Select) { &asks.reading } else { &asks.writing };
    let using = (allow != [Insert]).then(|| draw(2, speech));
    let writes = allow.iter().any(|v| matches!(v, Insert | Update));
    let check = writes.then(|| draw(3, &asks.writing));
    // Half of the time nothing is said about new rows.
    let check = check.filter(|_| tape.chance(1, 2));
    PolicySpec { to: to.to_vec(), allow: allow.to_vec(), fields, using, check }
}

/// Most fields of a table; now and then without its key.
fn some_fields(world: &World, tape: &mut Tape<'_>, table: usize) -> Vec<usize> {
    let spec = &world.tables[table];
    let mut fields = spec.key.clone();
    fields.extend((0..spec.fields.len()).filter(|at| !spec.key.contains(at) && tape.chance(3, 4)));
    if tape.chance(1, 8) {
        fields.remove(0);
    }
    if fields.is_empty() { spec.key.clone() } else { fields }
}

/// What an expression is worth whatever is asked.
fn constant(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::And(list) if list.iter().any(|e| constant(e) == Some(false)) => Some(false),
        Expr::Or(list) if list.iter().any(|e| constant(e) == Some(true)) => Some(true),
        Expr::And(list) => list.iter().all(|e| constant(e).is_some()).then_some(true),
        Expr::Or(list) => list.iter().all(|e| constant(e).is_some()).then_some(false),
        Expr::Not(e) => constant(e).map(|b| !b),
        Expr::IsBoolean(e, wanted) => constant(e).map(|b| b == *wanted),
        Expr::IsNull(e) => constant(e).map(|_| false),
        _ => None,
    }
}
