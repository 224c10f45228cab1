//! print ∘ parse: what the grammar can say is read back as it was meant, whatever the names and values.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::{collection::vec, option, prelude::*};

use crate::{
    filter::{Filter, Is, Logic, Operand, Operator, Test},
    order::{self, OrderTerm},
    select::{Embed, Item, JoinWord, Tree},
};

fn print_name(name: &str) -> String {
    let keyword = matches!(name, "count" | "inner" | "left" | "and" | "or" | "not");
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    if !keyword && !name.is_empty() && name.chars().all(plain) { name.to_owned() } else { print_quoted(name) }
}

fn print_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn print_select(tree: &Tree) -> String {
    let items: Vec<String> = tree
        .items
        .iter()
        .map(|item| match item {
            Item::All => "*".to_owned(),
            Item::Column { alias, name } => format!("{}{}", print_alias(alias), print_name(name)),
            Item::Embed(at) => print_embed(&tree.embeds[*at]),
        })
        .collect();
    items.join(",")
}

fn print_alias(alias: &Option<String>) -> String {
    alias.as_ref().map(|a| format!("{}:", print_name(a))).unwrap_or_default()
}

fn print_embed(embed: &Embed) -> String {
    let hint = embed.hint.as_ref().map(|h| format!("!{}", print_name(h))).unwrap_or_default();
    let join = match embed.join {
        None => "",
        Some(JoinWord::Inner) => "!inner",
        Some(JoinWord::Left) => "!left",
    };
    let target = print_name(&embed.target);
    format!("{}{target}{hint}{join}({})", print_alias(&embed.alias), print_select(&embed.tree))
}

fn print_list(list: &[Logic]) -> String {
    let printed: Vec<String> = list.iter().map(print_element).collect();
    format!("({})", printed.join(","))
}

fn print_element(logic: &Logic) -> String {
    match logic {
        Logic::Group { any, negated, list } => {
            let not = if *negated { "not." } else { "" };
            let word = if *any { "or" } else { "and" };
            format!("{not}{word}{}", print_list(list))
        }
        Logic::Filter(filter) => {
            format!("{}.{}", print_name(&filter.column), print_condition(filter, print_quoted))
        }
    }
}

fn print_condition(filter: &Filter, value: fn(&str) -> String) -> String {
    let not = if filter.negated { "not." } else { "" };
    match &filter.test {
        Test::Quantified(op, operand) => {
            let op = match op {
                Operator::Eq => "eq",
                Operator::Neq => "neq",
                Operator::Gt => "gt",
                Operator::Gte => "gte",
                Operator::Lt => "lt",
                Operator::Lte => "lte",
                Operator::Like => "like",
                Operator::Ilike => "ilike",
            };
            match operand {
                Operand::One(text) => format!("{not}{op}.{}", value(text)),
                Operand::Any(list) => format!("{not}{op}(any).{}", print_array(list)),
                Operand::All(list) => format!("{not}{op}(all).{}", print_array(list)),
            }
        }
        Test::In(list) => {
            let quoted: Vec<String> = list.iter().map(|v| print_quoted(v)).collect();
            format!("{not}in.({})", quoted.join(","))
        }
        Test::Is(is) => {
            let word = match is {
                Is::Null => "null",
                Is::NotNull => "not_null",
                Is::True => "true",
                Is::False => "false",
                Is::Unknown => "unknown",
            };
            format!("{not}is.{word}")
        }
        Test::Cut(..) => unreachable!("nothing is cut out of what is printed"),
        Test::IsDistinct(text) => format!("{not}isdistinct.{}", value(text)),
    }
}

fn print_array(list: &[Option<String>]) -> String {
    let values: Vec<String> =
        list.iter().map(|v| v.as_deref().map_or_else(|| "NULL".to_owned(), print_quoted)).collect();
    format!("{{{}}}", values.join(","))
}

fn print_order(terms: &[OrderTerm]) -> String {
    let terms: Vec<String> = terms
        .iter()
        .map(|t| {
            let direction = if t.descending { "desc" } else { "asc" };
            let nulls = if t.nulls_first { "nullsfirst" } else { "nullslast" };
            format!("{}.{direction}.{nulls}", print_name(&t.column))
        })
        .collect();
    terms.join(",")
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z_]{1,8}", "\\PC{0,6}", Just("count".to_owned()), Just("and".to_owned())]
}

fn column() -> impl Strategy<Value = (Option<String>, String)> {
    (option::of(name()), name())
}

fn join() -> impl Strategy<Value = Option<JoinWord>> {
    option::of(prop_oneof![Just(JoinWord::Inner), Just(JoinWord::Left)])
}

/// Columns and `*` first, embeds after them.
fn tree() -> impl Strategy<Value = Tree> {
    let leaf = (any::<bool>(), vec(column(), 0..4)).prop_map(|(all, columns)| {
        let all = all.then_some(Item::All);
        let columns = columns.into_iter().map(|(alias, name)| Item::Column { alias, name });
        Tree { items: all.into_iter().chain(columns).collect(), ..Tree::default() }
    });
    leaf.prop_recursive(3, 16, 3, |inner| {
        let embed = (column(), option::of(name()), join(), inner.clone())
            .prop_map(|((alias, target), hint, join, tree)| Embed { alias, target, hint, join, tree });
        (inner, vec(embed, 0..3)).prop_map(|(mut tree, embeds)| {
            for embed in embeds {
                tree.items.push(Item::Embed(tree.embeds.len()));
                tree.embeds.push(embed);
            }
            tree
        })
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,10}", "[,(){}\"\\\\.:*%a-c ]{0,8}"]
}

fn test() -> impl Strategy<Value = Test> {
    let operators = [
        Operator::Eq,
        Operator::Neq,
        Operator::Gt,
        Operator::Gte,
        Operator::Lt,
        Operator::Lte,
        Operator::Like,
        Operator::Ilike,
    ];
    let list = || vec(option::of(text()), 0..4);
    let operand = prop_oneof![
        text().prop_map(Operand::One),
        list().prop_map(Operand::Any),
        list().prop_map(Operand::All),
    ];
    let words = [Is::Null, Is::NotNull, Is::True, Is::False, Is::Unknown];
    prop_oneof![
        (proptest::sample::select(operators.to_vec()), operand).prop_map(|(o, v)| Test::Quantified(o, v)),
        vec(text(), 0..4).prop_map(Test::In),
        proptest::sample::select(words.to_vec()).prop_map(Test::Is),
        text().prop_map(Test::IsDistinct),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    (name(), any::<bool>(), test()).prop_map(|(column, negated, test)| Filter { column, negated, test })
}

fn logic() -> impl Strategy<Value = Logic> {
    filter().prop_map(Logic::Filter).prop_recursive(4, 20, 4, |inner| {
        (any::<bool>(), any::<bool>(), vec(inner, 1..4)).prop_map(|(any, negated, list)| Logic::Group {
            any,
            negated,
            list,
        })
    })
}

proptest! {
    #[test]
    fn select_reads_what_was_printed(tree in tree()) {
        prop_assert_eq!(Tree::parse(&print_select(&tree)).unwrap(), tree);
    }

    #[test]
    fn logic_reads_what_was_printed(list in vec(logic(), 1..4), any: bool, negated: bool) {
        let read = Logic::group(any, negated, &print_list(&list)).unwrap();
        prop_assert_eq!(read, Logic::Group { any, negated, list });
    }

    #[test]
    fn a_parameter_is_its_value_whatever_it_holds(filter in filter()) {
        let printed = print_condition(&filter, str::to_owned);
        let read = Logic::filter(filter.column.clone(), &printed).unwrap();
        prop_assert_eq!(read, Logic::Filter(filter));
    }

    #[test]
    fn order_reads_what_was_printed(
        terms in vec((name(), any::<bool>(), any::<bool>()), 1..4)
    ) {
        let terms: Vec<OrderTerm> = terms
            .into_iter()
            .map(|(column, descending, nulls_first)| OrderTerm { column, descending, nulls_first })
            .collect();
        prop_assert_eq!(order::parse(&print_order(&terms)).unwrap(), terms);
    }
}
