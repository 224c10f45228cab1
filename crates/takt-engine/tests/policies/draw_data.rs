//! Random rows: few distinct values, many nulls, and none that the project's own keys and checks would refuse.

use takt_model::Value;

use crate::{
    command::{sorted, with_row},
    tape::Tape,
    values::stored,
    world::{Data, FieldSpec, Row, World, key_value, values},
};

/// Draws rows for all tables.
pub(crate) fn data(world: &World, tape: &mut Tape<'_>) -> Data {
    let mut data = Data(vec![Vec::new(); world.tables.len()]);
    for table in 0..world.tables.len() {
        let n = [3, 4, 5, 6, 2, 1, 0][tape.weighted(&[4, 4, 4, 4, 2, 1, 1])];
        for number in 0..n {
            let row = row(world, tape, &data, table, number + 1);
            if let Some(with) = row.and_then(|row| with_row(world, &data, table, row)) {
                data = with;
            }
        }
    }
    sorted(world, data)
}

/// A row that fits its fields, if the tape gives one.
fn row(world: &World, tape: &mut Tape<'_>, data: &Data, table: usize, number: usize) -> Option<Row> {
    let spec = &world.tables[table];
    let own_key = spec.key.len() == 1;
    let fields = spec.fields.iter().enumerate().map(|(at, field)| {
        let drawn = if own_key && at == spec.key[0] {
            key_value(field.kind, table, number)
        } else {
            value(tape, data, field)
        };
        stored(field, &drawn).ok()
    });
    fields.collect()
}

/// A value that a field often holds; references point somewhere.
pub(crate) fn value(tape: &mut Tape<'_>, data: &Data, field: &FieldSpec) -> Value {
    if !field.required && tape.chance(1, 4) {
        return Value::Null;
    }
    match field.reference {
        Some(reference) => match data.0[reference.table].as_slice() {
            [] => Value::Null,
            rows => tape.pick(rows)[reference.field].clone(),
        },
        None => tape.pick(&values(field.kind)).clone(),
    }
}
