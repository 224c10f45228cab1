//! Policies that would ask each other without end. Who may see a row of `a` depends on rows of `b` that the same
//! caller may see; if those depend on `a` again, there is no answer (PostgreSQL: 42P17).

use super::problems::Problems;
use crate::{Expr, Policy, Project, Table, TableId, Verb};

pub(crate) fn check(project: &Project, problems: &mut Problems) {
    // A visitor is never signed in, so the policies of the two groups do not meet.
    let groups: [fn(&str) -> bool; 2] = [|role| role == "anon", |role| role != "anon"];
    let mut reported: Vec<Vec<TableId>> = Vec::new();
    for group in groups {
        for table in &project.tables {
            let Some(circle) = circle_from(project, table.id, group) else { continue };
            let mut members = circle.clone();
            members.sort_unstable();
            if !reported.contains(&members) {
                report(project, &circle, group, problems);
                reported.push(members);
            }
        }
    }
}

/// The shortest way from `start` back to itself, without the repeated end.
fn circle_from(project: &Project, start: TableId, group: fn(&str) -> bool) -> Option<Vec<TableId>> {
    let mut ways = vec![vec![start]];
    let mut seen = Vec::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let Some(&last) = way.last() else { continue };
            for next in asked(project.get(last), group) {
                if next == start {
                    return Some(way);
                }
                if !seen.contains(&next) {
                    seen.push(next);
                    longer.push(way.iter().copied().chain([next]).collect());
                }
            }
        }
        ways = longer;
    }
    None
}

fn reading(table: &Table, group: fn(&str) -> bool) -> impl Iterator<Item = &Policy> {
    let applies = move |policy: &&Policy| {
        policy.allow.contains(&Verb::Select) && policy.to.iter().any(|role| group(role))
    };
    table.policies.iter().filter(applies)
}

/// The tables that the select policies of `table` look into.
fn asked(table: &Table, group: fn(&str) -> bool) -> Vec<TableId> {
    reading(table, group).flat_map(asked_by).collect()
}

fn asked_by(policy: &Policy) -> Vec<TableId> {
    let mut tables = Vec::new();
    if let Some(using) = &policy.using {
        using.walk(&mut |e| {
            if let Expr::Exists(query) | Expr::InQuery(_, query) = e {
                tables.push(query.table);
            }
        });
    }
    tables
}

fn report(project: &Project, circle: &[TableId], group: fn(&str) -> bool, problems: &mut Problems) {
    let Some(&start) = circle.first() else { return };
    let next = circle.get(1).copied().unwrap_or(start);
    let table = project.get(start);
    let policy = reading(table, group).find(|p| asked_by(p).contains(&next));
    let source = policy.map_or(&table.source, |p| &p.source);
    let names: Vec<&str> = circle.iter().chain([&start]).map(|id| project.get(*id).name.as_str()).collect();
    let message = if circle.len() == 1 {
        format!(
            "to know who may read `{}` this policy reads `{}` itself, without end",
            table.name, table.name
        )
    } else {
        format!("policies ask in a circle: {}", names.join(" -> "))
    };
    let help = "keep what decides in a table whose own policies ask no other table".to_owned();
    problems.error(source, message, help);
}
