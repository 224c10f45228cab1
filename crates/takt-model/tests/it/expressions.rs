//! The language of policies and checks: what is read, as what, and what is refused.

use std::sync::LazyLock;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use takt_model::{Expr, Project, parse_expression};

use crate::good;

const ORDERS: &str = r#"
label = "Orders"
[fields.id]
type = "uuid"
primary_key = true
[fields.customer_id]
type = "uuid"
[fields.number]
type = "text"
[fields.status]
type = "enum"
values = ["pending", "paid", "shipped"]
[fields.total]
type = "decimal(12,2)"
[fields.tax]
type = "decimal(4,3)"
[fields.quantity]
type = "integer"
[fields.weight]
type = "double"
[fields.open]
type = "boolean"
[fields.day]
type = "date"
[fields.created_at]
type = "timestamp"
[fields.data]
type = "json"
[fields.Mixed]
type = "text"
"#;

const ITEMS: &str = r#"
label = "Items"
[fields.id]
type = "uuid"
primary_key = true
[fields.order_id]
type = "uuid"
[fields.name]
type = "text"
[fields.kind]
type = "enum"
values = ["goods", "paid"]
"#;

fn project() -> &'static Project {
    static PROJECT: LazyLock<Project> = LazyLock::new(|| {
        good([
            ("takt.toml", "roles = [\"staff\", \"editor\"]"),
            ("schema/orders.toml", ORDERS),
            ("schema/items.toml", ITEMS),
        ])
    });
    &PROJECT
}

fn read(project: &Project, text: &str) -> Result<Expr, String> {
    let table = project.table("orders").unwrap().id;
    parse_expression(project, table, text).map_err(|p| match p.help {
        Some(help) => format!("{}; {help}", p.message),
        None => p.message,
    })
}

/// Every line as text again, or the problem. What is printed must read back as the same tree.
fn check(texts: &str, expected: Expect) {
    let project = project();
    let mut out = String::new();
    for text in texts.lines().map(str::trim).filter(|t| !t.is_empty()) {
        match read(project, text) {
            Ok(expr) => {
                let printed = expr.display(project).to_string();
                assert_eq!(read(project, &printed), Ok(expr), "{text} -> {printed}");
                out += &format!("{printed}\n");
            }
            Err(problem) => out += &format!("{text}\n    ! {problem}\n"),
        }
    }
    expected.assert_eq(&out);
}

#[test]
fn comparisons() {
    check(
        "
        customer_id = auth.uid()
        status = 'pending'
        'pending' = status
        status <> 'paid' and status != 'shipped'
        total >= 0
        total > 12.5
        total < '100'
        total = 0.001
        quantity < 10 and quantity <= 1.0
        quantity = -3
        weight > 0.5
        open
        not open
        open = true
        open is true and open is not false and open is not true
        number is null or number is not null
        number is distinct from null and number is not distinct from 'x'
        day >= '2024-01-01' and day < date '2025-01-01'
        created_at > now() and created_at <= '2024-01-01T00:00:00Z'::timestamptz
        id = '0199A000-0000-7000-8000-000000000001'
        orders.status = 'paid'
        ORDERS.STATUS = 'paid'
        Mixed = 'x' and \"Mixed\" = 'it''s'
        true
        false
        not true
        ",
        expect![[r#"
            customer_id = auth.uid()
            status = 'pending'
            'pending' = status
            status <> 'paid' and status <> 'shipped'
            total >= 0.00
            total > 12.50
            total < 100.00
            total = 0.001
            quantity < 10 and quantity <= 1
            quantity = -3
            weight > 0.5
            open
            not open
            open = true
            open is true and open is not false and open is not true
            number is null or number is not null
            number is distinct from null and number is not distinct from 'x'
            day >= '2024-01-01' and day < '2025-01-01'
            created_at > now() and created_at <= '2024-01-01T00:00:00+00:00'
            id = '0199a000-0000-7000-8000-000000000001'
            status = 'paid'
            status = 'paid'
            "Mixed" = 'x' and "Mixed" = 'it''s'
            true
            false
            false
        "#]],
    );
}

#[test]
fn lists_ranges_and_patterns() {
    check(
        r"
        status in ('pending', 'paid')
        status not in ('pending')
        quantity in (1, 2, 3)
        quantity between 1 and 10
        total not between 1 and 10
        number like 'B-%'
        number not ilike '%\_x'
        lower(number) = upper('x') and length(trim(number)) > 3
        coalesce(quantity, 0) > 1
        coalesce(number, status, 'x') = 'x'
        abs(total - 5) < 1
        total * 2 + tax > 1.5
        quantity * total - 1 >= 0
        (quantity + 1) * 2 = 4
        - quantity < 3
        status::text = 'paid'
        status::text like 'p%' or length(status) > 3
        ",
        expect![[r#"
            status in ('pending', 'paid')
            status not in ('pending')
            quantity in (1, 2, 3)
            quantity >= 1 and quantity <= 10
            not (total >= 1.00 and total <= 10.00)
            number like 'B-%'
            number not ilike '%\_x'
            lower(number) = upper('x') and length(trim(number)) > 3
            coalesce(quantity, 0) > 1
            coalesce(number, status, 'x') = 'x'
            abs(total - 5) < 1.00
            total * 2 + tax > 1.500
            quantity * total - 1 >= 0.00
            (quantity + 1) * 2 = 4
            0 - quantity < 3
            status = 'paid'
            status like 'p%' or length(status) > 3
        "#]],
    );
}

#[test]
fn and_or_not() {
    check(
        "
        open and open or open
        open and (open or open)
        (open and open) and (open and not open)
        not (open and open)
        not (open or status = 'paid') and not status = 'paid'
        (open or open) or open
        open = (status = 'paid')
        true and open
        open or false
        not not open
        (not open) is true
        (open and open) is not true
        ",
        expect![[r#"
            open and open or open
            open and (open or open)
            open and open and open and not open
            not (open and open)
            not (open or status = 'paid') and not status = 'paid'
            open or open or open
            open = (status = 'paid')
            open
            open
            not (not open)
            (not open) is true
            (open and open) is not true
        "#]],
    );
}

#[test]
fn who_is_asking() {
    check(
        "
        auth.role() = 'authenticated'
        auth.has_role('staff') or auth.has_role('authenticated')
        auth.jwt() ->> 'email' = 'a@example.org'
        auth.jwt() -> 'app_metadata' ->> 'team' = number
        (auth.jwt() ->> 'email') like '%@example.org'
        (select auth.uid()) = customer_id
        current_timestamp > created_at
        ",
        expect![[r#"
            auth.role() = 'authenticated'
            auth.has_role('staff') or auth.has_role('authenticated')
            auth.jwt() ->> 'email' = 'a@example.org'
            auth.jwt() -> 'app_metadata' ->> 'team' = number
            (auth.jwt() ->> 'email') like '%@example.org'
            auth.uid() = customer_id
            now() > created_at
        "#]],
    );
}

#[test]
fn sub_queries() {
    check(
        "
        exists (select 1 from items where items.order_id = orders.id)
        exists (select * from items i where i.order_id = orders.id and name = number)
        not exists (select id from items where order_id = orders.id)
        id in (select order_id from items)
        id not in (select i.order_id from items as i where i.name = 'x')
        status in (select kind from items)
        exists (select 1 from orders o where o.customer_id = orders.customer_id and o.open)
        exists (select 1 from items where id in (select o.id from orders o where o.number = name and orders.open))
        exists (select 1 from items)
        exists (select 1 from items where true)
        ",
        expect![[r#"
            exists (select 1 from items where items.order_id = orders.id)
            exists (select 1 from items where items.order_id = orders.id and items.name = orders.number)
            not exists (select 1 from items where items.order_id = orders.id)
            id in (select items.order_id from items)
            id not in (select items.order_id from items where items.name = 'x')
            status in (select items.kind from items)
            exists (select 1 from orders orders_1 where orders_1.customer_id = orders.customer_id and orders_1.open)
            exists (select 1 from items where items.id in (select orders_2.id from orders orders_2 where orders_2.number = items.name and orders.open))
            exists (select 1 from items)
            exists (select 1 from items)
        "#]],
    );
}

#[test]
fn refusals() {
    check(
        "
        statsu = 'paid'
        order.status = 'paid'
        orders.statsu = 'paid'
        status = 'pendin'
        status in ('paid', 'lost')
        status = \"paid\"
        status > 'paid'
        total
        'x'
        5
        null
        number = 5
        number = null
        null <> number
        status in ('paid', null)
        quantity > 1.5
        quantity = 'many'
        quantity = open
        weight = total
        total + number > 1
        data = '{}'
        data ->> 'x' = 'y'
        day = '2024-02-30'
        id = 'x'
        id = id
        open and number
        number like 5
        number like 'x' escape '#'
        number || 'x' = 'y'
        number ~ 'x'
        total / 2 > 1
        id = any(select order_id from items)
        case when open then true else false end
        created_at > now() - interval '1 day'
        total::text = '1'
        id = 'x'::uuid
        number = 'x'::money
        extract(year from day) = 2024
        (id, number) = ('x', 'y')
        array[1] = array[2]
        $1 = number
        auth.uid = id
        auth.uid(1) = id
        auth.uidd() = id
        auth.email() = number
        auth.jwt() = number
        auth.jwt() -> 'x' = number
        auth.jwt() ->> 'a' ->> 'b' = number
        auth.jwt() ->> number = 'x'
        auth.has_role('stuff')
        auth.has_role(number)
        count(*) > 1
        sum(total) > 1
        lower(number, number) = 'x'
        lower(distinct number) = 'x'
        abs(number) = 1
        coalesce(number) = 'x'
        coalesce(number, quantity) = 'x'
        length(total) = 1
        current_user = 'x'
        ",
        expect![[r#"
            statsu = 'paid'
                ! unknown field `statsu`; did you mean `status`?
            order.status = 'paid'
                ! no row is called `order` here; did you mean `orders`?
            orders.statsu = 'paid'
                ! table `orders` has no field `statsu`; did you mean `status`?
            status = 'pendin'
                ! invalid input value for enum orders_status: "pendin"; did you mean `pending`?
            status in ('paid', 'lost')
                ! invalid input value for enum orders_status: "lost"; known are `pending`, `paid`, `shipped`
            status = "paid"
                ! unknown field `paid`; a text stands in single quotes: 'paid'
            status > 'paid'
                ! the values of an enum have no order; list them: `status in ('paid', 'shipped')`
            total
                ! `total` is decimal(12,2), but true or false is needed here
            'x'
                ! `'x'` is a text, but true or false is needed here
            5
                ! `5` is a number, but true or false is needed here
            null
                ! `NULL` is null, but true or false is needed here
            number = 5
                ! `number` is text and cannot be compared with the number 5; a text stands in single quotes: '5'
            number = null
                ! a comparison with `null` is never true; write `number is null`
            null <> number
                ! a comparison with `null` is never true; write `number is not null`
            status in ('paid', null)
                ! `null` in a list is never equal to anything; write `status is null` beside it
            quantity > 1.5
                ! `quantity` holds whole numbers and never equals `1.5`
            quantity = 'many'
                ! invalid input syntax for type integer: "many"
            quantity = open
                ! `quantity` is integer and cannot be compared with `open`, which is boolean
            weight = total
                ! `weight` is double and cannot be compared with `total`, which is decimal(12,2)
            total + number > 1
                ! `number` is text, not a number
            data = '{}'
                ! `data` is json, and json values cannot be compared
            data ->> 'x' = 'y'
                ! `->` and `->>` are for `auth.jwt()` only; fields of type json cannot be looked into
            day = '2024-02-30'
                ! date/time field value out of range: "2024-02-30"
            id = 'x'
                ! invalid input syntax for type uuid: "x"
            id = id
                ! both sides are the same field `id`; name the row of each side: `orders.id = o.id`
            open and number
                ! `number` is text, but true or false is needed here
            number like 5
                ! `5` is a number, but a text is needed here
            number like 'x' escape '#'
                ! `like` with `any` or `escape` is not part of the language; the escape character is `\`
            number || 'x' = 'y'
                ! the operator `||` is not part of the language
            number ~ 'x'
                ! the operator `~` is not part of the language
            total / 2 > 1
                ! the operator `/` is not part of the language
            id = any(select order_id from items)
                ! `any` is not part of the language; write `x in (...)`
            case when open then true else false end
                ! `case` is not part of the language; write it with `and` and `or`
            created_at > now() - interval '1 day'
                ! `interval` is not part of the language
            total::text = '1'
                ! only literals can be cast, not decimal(12,2) to text
            id = 'x'::uuid
                ! invalid input syntax for type uuid: "x"
            number = 'x'::money
                ! a cast to `money` is not part of the language
            extract(year from day) = 2024
                ! `extract` is not part of the language
            (id, number) = ('x', 'y')
                ! a row of several values is not part of the language; compare the fields one by one with `and`
            array[1] = array[2]
                ! `array` is not part of the language
            $1 = number
                ! `$1`: there are no parameters here
            auth.uid = id
                ! `auth.uid` is no field; functions need parentheses: `auth.uid()`
            auth.uid(1) = id
                ! `auth.uid()` takes no arguments
            auth.uidd() = id
                ! unknown function `auth.uidd`; did you mean `auth.uid`?
            auth.email() = number
                ! unknown function `auth.email`; write `auth.jwt() ->> 'email'`
            auth.jwt() = number
                ! `auth.jwt()` alone has no value that can be compared; take a claim: `auth.jwt() ->> 'email'`
            auth.jwt() -> 'x' = number
                ! a claim is taken by `->` and, at the end, by `->>`; write `auth.jwt() -> 'app_metadata' ->> 'team'`
            auth.jwt() ->> 'a' ->> 'b' = number
                ! a claim is taken by `->` and, at the end, by `->>`; write `auth.jwt() -> 'app_metadata' ->> 'team'`
            auth.jwt() ->> number = 'x'
                ! the name of a claim is a text: `auth.jwt() ->> 'email'`
            auth.has_role('stuff')
                ! unknown role `stuff`; did you mean `staff`?
            auth.has_role(number)
                ! `auth.has_role` takes one role as a text: `auth.has_role('staff')`
            count(*) > 1
                ! unknown function `count`; policies and checks do not calculate over several rows
            sum(total) > 1
                ! unknown function `sum`; policies and checks do not calculate over several rows
            lower(number, number) = 'x'
                ! `lower` takes one value, not 2
            lower(distinct number) = 'x'
                ! `lower(...)` is called in a way that is not part of the language
            abs(number) = 1
                ! `number` is text, not a number
            coalesce(number) = 'x'
                ! `coalesce` takes at least two values
            coalesce(number, quantity) = 'x'
                ! `number` is text and cannot be compared with `quantity`, which is integer
            length(total) = 1
                ! `total` is decimal(12,2), but a text is needed here
            current_user = 'x'
                ! unknown function `current_user`; use `auth.uid()` or `auth.role()`
        "#]],
    );
}

#[test]
fn refused_sub_queries() {
    check(
        "
        exists (select 1 from orders where orders.id = id)
        exists (select 1 from itms)
        exists (select 1 from auth.users)
        exists (select 1 from items, orders o)
        exists (select 1 from items join orders o on o.id = items.order_id)
        exists (select 1 from items order by id)
        exists (select 1 from items limit 1)
        exists (select 1 from items group by id)
        exists (select 1 from items union select 1 from items)
        exists (with x as (select 1) select 1 from items)
        exists (delete from items)
        exists (select nothing from items)
        exists (select 1 from items where order_id = items.order_id)
        exists (select 1 from (select 1) x)
        exists (select 1 where open)
        id in (select order_id, id from items)
        id in (select 1 from items)
        id in (select name from items)
        id in (select orders.id from items)
        id = (select order_id from items)
        ",
        expect![[r#"
            exists (select 1 from orders where orders.id = id)
                ! `orders` already names a row outside this sub-query; give the inner one a name of its own: `from orders other`
            exists (select 1 from itms)
                ! unknown table `itms`; did you mean `items`?
            exists (select 1 from auth.users)
                ! policies cannot ask the product's own table `auth.users`; use `auth.uid()`, `auth.has_role('...')` or `auth.jwt() ->> '...'`
            exists (select 1 from items, orders o)
                ! a sub-query asks exactly one table; for further ones write another `exists (select ...)` inside
            exists (select 1 from items join orders o on o.id = items.order_id)
                ! `join` is not part of the language; write another `exists (select ...)` inside
            exists (select 1 from items order by id)
                ! `order by` in a sub-query is not part of the language
            exists (select 1 from items limit 1)
                ! `limit` in a sub-query is not part of the language
            exists (select 1 from items group by id)
                ! `group by` in a sub-query is not part of the language
            exists (select 1 from items union select 1 from items)
                ! `union` in a sub-query is not part of the language
            exists (with x as (select 1) select 1 from items)
                ! `with` in a sub-query is not part of the language
            exists (delete from items)
                ! an expression changes nothing: only `select` may stand here
            exists (select nothing from items)
                ! unknown field `nothing`; known are `id`, `order_id`, `name`, `kind`
            exists (select 1 from items where order_id = items.order_id)
                ! both sides are the same field `order_id`; name the row of each side: `orders.id = o.id`
            exists (select 1 from (select 1) x)
                ! `(SELECT 1) x` is no table
            exists (select 1 where open)
                ! a sub-query asks exactly one table; for further ones write another `exists (select ...)` inside
            id in (select order_id, id from items)
                ! `in (select ...)` selects exactly one field of its table
            id in (select 1 from items)
                ! `in (select ...)` selects exactly one field of its table
            id in (select name from items)
                ! `id in (select ...)`: uuid cannot be compared with `name`, which is text
            id in (select orders.id from items)
                ! `in (select ...)` selects exactly one field of its table
            id = (select order_id from items)
                ! a sub-query cannot stand here; write `x in (select ...)` or `exists (select ...)`
        "#]],
    );
}

#[test]
fn texts_that_are_no_expression() {
    check(
        "
        ''
        open;
        open open
        open where open
        (open
        open)
        'open
        and
        select 1
        drop table orders
        open -- and a remark
        open /* and
        ",
        expect![[r#"
            ''
                ! `''` is a text, but true or false is needed here
            open;
                ! the expression ends with `;`; leave it out
            open open
                ! `open` is not expected here
            open where open
                ! `where` is not part of an expression
            (open
                ! this is no expression: expected ), found EOF
            open)
                ! `)` is not expected here
            'open
                ! this is no expression: Unterminated string literal
            and
                ! unknown field `and`; known are `id`, `customer_id`, `number`, `status`, `total`, `tax`, `quantity`, `weight`, `open`, `day`, `created_at`, `data`, `Mixed`
            select 1
                ! `1` is not expected here
            drop table orders
                ! `table` is not expected here
            open
            open /* and
                ! this is no expression: Unexpected EOF while in a multi-line comment
        "#]],
    );
    let project = project();
    expect!["the expression is empty; for all rows write `true`"]
        .assert_eq(&read(project, " \n").unwrap_err());
}

#[test]
fn depth_and_length_are_bounded() {
    let project = project();
    let nested = |n: usize| format!("{}open{}", "(".repeat(n), ")".repeat(n));
    assert!(read(project, &nested(16)).is_ok());
    let too_deep = "the expression is nested too deeply; ask one thing after the other with `and`";
    assert_eq!(read(project, &nested(40)).unwrap_err(), too_deep);
    assert_eq!(read(project, &nested(400)).unwrap_err(), too_deep);
    assert!(read(project, &format!("{}open", "not ".repeat(400))).is_err());
    assert_eq!(read(project, &format!("1{} = 1", " + 1".repeat(300))).unwrap_err(), too_deep);
    assert!(read(project, &vec!["open"; 400].join(" and ")).is_ok(), "chains are no depth");
    assert!(read(project, &format!("quantity in ({})", vec!["1"; 400].join(", "))).is_ok());
    let too_long = "the expression is too long: more than 1000 words and signs";
    assert_eq!(read(project, &vec!["open"; 600].join(" and ")).unwrap_err(), too_long);
    // Whatever the parser does with these, it comes back, and soon.
    for deep in [
        "1!",
        "1 is null",
        "1::int",
        "- 1",
        "@ 1",
        "(((",
        "case when ",
        "cast(",
        "array[",
        "f((",
        "interval ",
        "exists((select ",
        "x in ((",
        "not(",
        "{a:{",
        "data -> 'x'",
        "exists (select 1 from items where ",
    ] {
        let (start, repeated) = deep.split_at(1);
        for text in [
            format!("{start}{}", repeated.repeat(300)),
            deep.repeat(160),
            format!("{} = 1", deep.repeat(300)),
        ] {
            let _ = read(project, &text);
        }
    }
}

fn soup() -> impl Strategy<Value = String> {
    const TOKENS: &[&str] = &[
        "(",
        ")",
        ",",
        ".",
        "=",
        "<>",
        "<",
        ">",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "::",
        "->",
        "->>",
        "||",
        "and",
        "or",
        "not",
        "is",
        "null",
        "true",
        "false",
        "in",
        "exists",
        "select",
        "from",
        "where",
        "between",
        "like",
        "ilike",
        "distinct",
        "orders",
        "items",
        "o",
        "i",
        "id",
        "status",
        "total",
        "open",
        "number",
        "quantity",
        "day",
        "'paid'",
        "'x'",
        "1",
        "1.5",
        "0",
        "auth.uid()",
        "auth.jwt()",
        "auth.has_role('staff')",
        "lower(",
        "coalesce(",
        "abs(",
        "trim(",
        "now()",
        "case",
        "when",
        "then",
        "end",
        "cast(",
        "as",
        "date",
        "uuid",
        "interval",
        "array[",
        "]",
        "$1",
        ";",
        "\"",
        "'",
        "any(",
        "all(",
        "join",
        "on",
        "limit",
        "group by",
        "extract(",
        "--",
        "/*",
        "*/",
        "E'\\n'",
        "x'41'",
        "@",
        "!",
        "~",
    ];
    prop::collection::vec(prop::sample::select(TOKENS), 0..40).prop_map(|tokens| tokens.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        let _ = read(project(), &text);
    }

    #[test]
    fn what_is_read_from_any_tokens_prints_and_reads_back(text in soup()) {
        let project = project();
        if let Ok(expr) = read(project, &text) {
            let printed = expr.display(project).to_string();
            prop_assert_eq!(read(project, &printed), Ok(expr), "{}", printed);
        }
    }
}
