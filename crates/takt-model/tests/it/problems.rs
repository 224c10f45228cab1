//! Every mistake has a line, a sentence and, where it can be known, what would be right.

use expect_test::{Expect, expect};

use crate::{lines, read};

fn check<const N: usize>(files: [(&str, &str); N], expected: Expect) {
    expected.assert_eq(&lines(&read(files).1));
}

/// One table with an `id`, and these lines after it.
fn check_table(text: &str, expected: Expect) {
    let table =
        format!("label = {{ en = \"Things\" }}\n[fields.id]\ntype = \"uuid\"\nprimary_key = true\n{text}");
    check([("schema/things.toml", &table)], expected);
}

#[test]
fn all_files_are_read_to_their_end() {
    check(
        [
            (
                "takt.toml",
                "languages = [\"deutsch\"]\nroles = [\"staff\", \"anon\"]\n[server]\nlisten = \"everywhere\"\nlisen = 1\n",
            ),
            ("schema/broken.toml", "label = { en = \"Broken\" }\n[fields.id\ntype = \"uuid\"\n"),
            (
                "schema/orders.toml",
                "[fields.id]\ntype = \"uid\"\nprimary_key = true\n\n[fields.broken_id]\ntype = \"uuid\"\nreferences = \"broken.id\"\n",
            ),
            ("seeds/order.csv", "id\n"),
            ("seeds/broken.csv", "anything\n"),
        ],
        expect![[r#"
            schema/broken.toml:2: error: this is no valid TOML: unclosed table, expected `]`
            schema/orders.toml:1: warning: table `orders` has no label; say what people call it: `label = { en = "...", de = "..." }`
            schema/orders.toml:2: error: unknown type `uid`; did you mean `uuid`?
            seeds/order.csv:1: error: these seeds are for the unknown table `order`; did you mean `orders`?
            takt.toml:1: error: `languages` must be a list of language codes like "de", not `deutsch`
            takt.toml:1: error: a project needs at least one language
            takt.toml:2: error: `anon` is reserved and no possible role; try `anon_`
            takt.toml:4: error: `server.listen` must be an address and port like "127.0.0.1:8000", not `everywhere`
            takt.toml:5: error: unknown setting `server.lisen`; did you mean `server.listen`?
        "#]],
    );
}

#[test]
fn keys_and_their_types() {
    check_table(
        r#"
[fields.name]
type = "text"
requierd = true
unique = "yes"
max = 0
label = "Name"
about = { en = 3, fr = "Nom" }

[fields.count]
type = 5

[fields.flag]

[fields.both]
type = "integer"
max = 3
values = ["a"]
personal = ""

[indices]
"#,
        expect![[r#"
            schema/things.toml:8: error: unknown key `requierd` in field `name`; did you mean `required`?
            schema/things.toml:9: error: `unique` must be true or false, but is a text
            schema/things.toml:10: error: `max` must be a whole number of at least 1, but is 0
            schema/things.toml:12: error: `about.en` must be a text, but is 3
            schema/things.toml:12: warning: `fr` is no language of the project; known are `en`
            schema/things.toml:15: error: `type` must be a text, but is 5
            schema/things.toml:17: error: field `flag` has no type
            schema/things.toml:21: error: `max` is for text and bytes, not for integer; for others, write a `check`
            schema/things.toml:22: error: `values` is for enums, not for integer
            schema/things.toml:23: error: `personal` is empty
            schema/things.toml:25: error: unknown key `indices` in table `things`; did you mean `indexes`?
        "#]],
    );
}

#[test]
fn types() {
    check_table(
        r#"
[fields.a]
type = "txet"
[fields.b]
type = "varchar(20)"
[fields.c]
type = "decimal"
[fields.d]
type = "decimal(19,2)"
[fields.e]
type = "decimal(4,5)"
[fields.f]
type = "text[]"
[fields.g]
type = "enum"
[fields.h]
type = "enum"
values = []
[fields.i]
type = "enum"
values = ["x", "x", ""]
[fields.j]
type = "bewegung"
"#,
        expect![[r#"
            schema/things.toml:7: error: unknown type `txet`; did you mean `text`?
            schema/things.toml:9: error: unknown type `varchar(20)`; did you mean `text`?
            schema/things.toml:11: error: a decimal needs its digits; write `decimal(12,2)` for 12 digits, 2 of them after the point
            schema/things.toml:13: error: a decimal has 1 to 18 digits, not 19
            schema/things.toml:15: error: a decimal cannot have 5 of 4 digits after the point
            schema/things.toml:17: error: unknown type `text[]`; arrays are not there yet; use `json` or a table of their own
            schema/things.toml:19: error: an enum needs its values; write `values = ["...", "..."]`
            schema/things.toml:22: error: an enum needs at least one value
            schema/things.toml:25: error: value `x` is named twice
            schema/things.toml:25: error: `` is no possible value; a value has 1 to 63 bytes
            schema/things.toml:27: error: unknown type `bewegung`; known are `text`, `integer`, `bigint`, `decimal`, `double`, `boolean`, `date`, `time`, `timestamp`, `uuid`, `json`, `bytes`, `enum`
        "#]],
    );
}

#[test]
fn names() {
    let long = "a".repeat(64);
    let long_field = format!("[fields.{long}]\ntype = \"text\"\n");
    check_table(
        &format!(
            "[fields.order]\ntype = \"text\"\n[fields.2nd]\ntype = \"text\"\n[fields.\"größe\"]\ntype = \"text\"\n[fields.ID]\ntype = \"text\"\n[fields.\"\"]\ntype = \"text\"\n{long_field}"
        ),
        expect![[r#"
            schema/things.toml:5: error: `order` is reserved and no possible field name; try `order_`
            schema/things.toml:7: error: `2nd` is no possible field name; a name begins with a letter or `_`
            schema/things.toml:9: error: `größe` is no possible field name; a name consists of letters a to z, digits and `_`
            schema/things.toml:11: error: the name of field `ID` is taken
            schema/things.toml:13: error: `` is no possible field name; a name begins with a letter or `_`
            schema/things.toml:15: error: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` is no possible field name; a name has at most 63 characters
        "#]],
    );
    let table = "label = \"x\"\n[fields.id]\ntype = \"uuid\"\nprimary_key = true\n";
    check(
        [
            ("schema/rpc.toml", table),
            ("schema/sqlite_x.toml", table),
            ("schema/a/b.toml", table),
            ("schema/b.toml", table),
        ],
        expect![[r#"
            schema/b.toml:1: error: there is a table `b` already, in schema/a/b.toml
            schema/rpc.toml:1: error: `rpc` is reserved and no possible table name; try `rpc_`
            schema/sqlite_x.toml:1: error: table names that begin with `sqlite_` are reserved
        "#]],
    );
}

#[test]
fn tables_need_fields_and_a_key() {
    check(
        [
            ("schema/a.toml", "label = \"A\"\n"),
            ("schema/b.toml", "label = \"B\"\n[fields.x]\ntype = \"text\"\n"),
            ("schema/c.toml", "label = \"C\"\nfields = 3\n"),
            ("schema/d.toml", "label = \"D\"\n[fields]\nid = \"uuid\"\n"),
        ],
        expect![[r#"
            schema/a.toml:1: error: table `a` has no fields
            schema/b.toml:1: error: table `b` has no primary key; write `primary_key = true` at the field that names a row, usually `id`
            schema/c.toml:1: error: table `c` has no fields
            schema/c.toml:2: error: `fields` must be a table `[fields]`, but is 3
            schema/d.toml:1: error: table `d` has no fields
            schema/d.toml:3: error: field `id` must be a table, but is a text
        "#]],
    );
}

#[test]
fn defaults() {
    check_table(
        r#"
[fields.a]
type = "integer"
default = "uuid_v7()"
[fields.b]
type = "uuid"
default = "uuid_v8()"
[fields.c]
type = "uuid"
default = "gen_random_uuid()"
[fields.d]
type = "text"
default = "next_number('orders')"
[fields.e]
type = "text"
default = "next_number('orders', 'B-{jahr}-{n}')"
[fields.f]
type = "text"
default = "next_number('orders', 'B-{year}')"
[fields.g]
type = "integer"
default = 3000000000
[fields.h]
type = "decimal(4,2)"
default = 1.999
[fields.i]
type = "decimal(4,2)"
default = 100
[fields.j]
type = "boolean"
default = "true"
[fields.k]
type = "enum"
values = ["open", "closed"]
default = "opne"
[fields.l]
type = "text"
max = 3
default = "four"
[fields.m]
type = "date"
default = "2026-02-30"
[fields.n]
type = "timestamp"
default = "now(3)"
[fields.o]
type = "json"
default = "{"
[fields.p]
type = "text"
default = 5
"#,
        expect![[r#"
            schema/things.toml:8: error: default `uuid_v7()` makes a uuid, but the field is integer
            schema/things.toml:11: error: unknown default function `uuid_v8`; did you mean `uuid_v7(...)`?
            schema/things.toml:14: error: unknown default function `gen_random_uuid`; did you mean `uuid_v7()`?
            schema/things.toml:17: error: `next_number` takes the name of a counter and a template; write `next_number('orders', 'B-{year}-{n:05}')`
            schema/things.toml:20: error: unknown placeholder `{jahr}`; write `next_number('orders', 'B-{year}-{n:05}')`
            schema/things.toml:23: error: the template `B-{year}` has no counter `{n}`; write `next_number('orders', 'B-{year}-{n:05}')`
            schema/things.toml:26: error: the default does not fit type integer: value "3000000000" is out of range for type integer
            schema/things.toml:29: error: the default does not fit type decimal(4,2): 1.999 has too many digits after the point
            schema/things.toml:32: error: the default does not fit type decimal(4,2): numeric field overflow
            schema/things.toml:35: error: the default does not fit type boolean: it is a text
            schema/things.toml:39: error: the default does not fit type enum: invalid input value for enum things_k: "opne"; did you mean `open`?
            schema/things.toml:43: error: the default does not fit type text: it is longer than `max`
            schema/things.toml:46: error: the default does not fit type date: date/time field value out of range: "2026-02-30"
            schema/things.toml:49: error: `now()` takes no arguments
            schema/things.toml:52: error: the default does not fit type json: invalid input syntax for type json
            schema/things.toml:55: error: the default does not fit type text: it is 5
        "#]],
    );
}

#[test]
fn references() {
    check(
        [
            (
                "schema/places.toml",
                "label = \"P\"\n[fields.id]\ntype = \"bigint\"\nprimary_key = true\n[fields.name]\ntype = \"text\"\n",
            ),
            (
                "schema/things.toml",
                r#"label = "T"
[fields.id]
type = "uuid"
primary_key = true
[fields.a]
type = "uuid"
references = "auth.user.id"
[fields.b]
type = "uuid"
references = "places"
[fields.c]
type = "uuid"
references = "places.id"
[fields.d]
type = "text"
references = "places.name"
[fields.e]
type = "bigint"
references = "places.idd"
[fields.f]
type = "bigint"
references = "places.id"
required = true
on_delete = "set null"
[fields.g]
type = "bigint"
on_delete = "cascade"
[fields.h]
type = "bigint"
references = "places.id"
on_delete = "casacde"
"#,
            ),
        ],
        expect![[r#"
            schema/things.toml:7: error: reference to the unknown table `auth.user`; did you mean `auth.users.id`?
            schema/things.toml:10: error: `places` names no field; write table and field: `places.id`
            schema/things.toml:13: error: field `c` is uuid, but `places.id` is bigint; write `type = "bigint"`
            schema/things.toml:16: error: `places.name` is not unique, so it names no single row; write `unique = true` at `name`, or refer to the primary key
            schema/things.toml:19: error: table `places` has no field `idd`; did you mean `id`?
            schema/things.toml:24: error: field `f` is required and cannot become null; write `required = false`, or `on_delete = "restrict"` or "cascade"
            schema/things.toml:27: error: `on_delete` without `references`
            schema/things.toml:31: error: unknown `on_delete` value `casacde`; did you mean `cascade`?
        "#]],
    );
}

#[test]
fn transitions_name_values_of_the_enum() {
    check_table(
        r#"
[fields.status]
type = "enum"
values = ["open", "closed"]
transitions = { open = ["closd"], opened = ["closed"], closed = "open" }
[fields.name]
type = "text"
transitions = { a = ["b"] }
[fields.other]
type = "enum"
values = ["a"]
transitions = { a = 3 }
"#,
        expect![[r#"
            schema/things.toml:9: error: transition with the unknown value `closd`; did you mean `closed`?
            schema/things.toml:9: error: transition with the unknown value `opened`; did you mean `open`?
            schema/things.toml:12: error: `transitions` is for enums, not for text
            schema/things.toml:16: error: what may follow `a` must be a list of values
        "#]],
    );
}

#[test]
fn indexes() {
    check_table(
        r#"
[fields.a]
type = "text"
unique = true
[[indexes]]
fields = ["a", "b"]
[[indexes]]
fields = []
[[indexes]]
unique = true
[[indexes]]
fields = ["a", "a"]
[[indexes]]
fields = ["a"]
[[indexes]]
fields = ["a", "id"]
uniqe = true
"#,
        expect![[r#"
            schema/things.toml:10: error: table `things` has no field `b`; did you mean `a`?
            schema/things.toml:12: error: an index needs its `fields`
            schema/things.toml:13: error: an index needs its `fields`
            schema/things.toml:16: error: field `a` is named twice
            schema/things.toml:17: warning: there is an index over (a) already
            schema/things.toml:21: error: unknown key `uniqe` in [[indexes]]; did you mean `unique`?
        "#]],
    );
}

#[test]
fn policies() {
    check(
        [
            ("takt.toml", "roles = [\"staff\"]\n"),
            (
                "schema/things.toml",
                r#"label = "T"
[fields.id]
type = "uuid"
primary_key = true
[[policies]]
name = "one"
to = ["stuff"]
allow = ["read"]
using = "true"
[[policies]]
name = "one"
to = []
allow = ["select"]
[[policies]]
to = ["anon", "service_role"]
allow = ["insert"]
using = "true"
[[policies]]
name = "three"
to = ["anon"]
allow = ["delete"]
fields = ["idd"]
using = "true"
check = "true"
[[policies]]
name = "four"
allow = []
[[policies]]
name = "five"
to = ["staff"]
allow = ["select"]
using = "id = auth.uid"
wehn = "x"
[[policies]]
name = "six"
to = "staff"
allow = "select"
using = true
"#,
            ),
        ],
        expect![[r#"
            schema/things.toml:7: error: unknown role `stuff`; did you mean `staff`?
            schema/things.toml:8: error: unknown verb `read`; known are `select`, `insert`, `update`, `delete`
            schema/things.toml:10: error: this policy does not say which rows: `using` is missing; for all rows write `using = "true"`
            schema/things.toml:11: error: there is a policy "one" already
            schema/things.toml:12: error: `to` names no role
            schema/things.toml:14: error: a policy needs a name; say what it is for: `name = "customers read their own orders"`
            schema/things.toml:15: error: `service_role` needs no policy: none applies to it
            schema/things.toml:17: error: `using` is about existing rows; this policy allows insert only; for new rows write `check`
            schema/things.toml:22: error: `fields` cannot apply: a row is deleted as a whole
            schema/things.toml:22: error: table `things` has no field `idd`; did you mean `id`?
            schema/things.toml:24: error: `check` is about new rows; this policy allows no insert or update; for existing rows write `using`
            schema/things.toml:25: error: a policy needs `to`: for which roles it is
            schema/things.toml:27: error: `allow` names no verb
            schema/things.toml:32: error: `using`: `auth.uid` is no field; functions need parentheses: `auth.uid()`
            schema/things.toml:33: error: unknown key `wehn` in [[policies]]; known are `name`, `to`, `allow`, `fields`, `using`, `check`
            schema/things.toml:36: error: `to` must be a list of texts, but is a text
            schema/things.toml:37: error: `allow` must be a list of texts, but is a text
            schema/things.toml:38: error: `using` must be a text, but is true or false
        "#]],
    );
}

#[test]
fn checks_speak_of_their_row_alone() {
    check_table(
        r#"
[fields.count]
type = "integer"
check = "cuont > 0"
[fields.owner_id]
type = "uuid"
check = "owner_id = auth.uid()"
[fields.other_id]
type = "uuid"
check = "exists (select 1 from things t where t.id = other_id)"
[privacy]
keep = "10 yeras"
porpose = "x"
"#,
        expect![[r#"
            schema/things.toml:8: error: `check`: unknown field `cuont`; did you mean `count`?
            schema/things.toml:11: error: `check`: a check holds for every writer, so it cannot ask `auth.uid()`; that belongs into a policy
            schema/things.toml:14: error: `check`: a check speaks of its own row only, so it has no sub-queries; that belongs into a policy or a function
            schema/things.toml:16: error: `10 yeras` is no period; did you mean `years`?
            schema/things.toml:17: error: unknown key `porpose` in [privacy]; did you mean `purpose`?
        "#]],
    );
}

/// Two tables whose select policies are these.
fn circle(to_a: &str, using_a: &str, to_b: &str, using_b: &str, expected: Expect) {
    let table = |to: &str, using: &str| {
        format!(
            "label = \"x\"\n[fields.id]\ntype = \"uuid\"\nprimary_key = true\n[fields.owner]\ntype = \"uuid\"\n\
             [[policies]]\nname = \"p\"\nto = [\"{to}\"]\nallow = [\"select\"]\nusing = \"{using}\"\n"
        )
    };
    check([("schema/a.toml", &table(to_a, using_a)), ("schema/b.toml", &table(to_b, using_b))], expected);
}

#[test]
fn policies_do_not_ask_in_a_circle() {
    let (in_b, in_a) = ("exists (select 1 from b where b.id = a.id)", "owner in (select id from a)");
    circle(
        "anon",
        in_b,
        "anon",
        in_a,
        expect![[r#"
        schema/a.toml:7: error: policies ask in a circle: a -> b -> a; keep what decides in a table whose own policies ask no other table
    "#]],
    );
    circle(
        "anon",
        "true",
        "anon",
        "exists (select 1 from b o where o.owner = b.owner)",
        expect![[r#"
        schema/b.toml:7: error: to know who may read `b` this policy reads `b` itself, without end; keep what decides in a table whose own policies ask no other table
    "#]],
    );
    // One way only, or for people who are never the same: no circle.
    circle("anon", in_b, "anon", "true", expect![[""]]);
    circle("anon", in_b, "authenticated", in_a, expect![[""]]);
}

#[test]
fn seeds_fit_their_table() {
    check(
        [
            (
                "schema/things.toml",
                "label = \"T\"\n[fields.id]\ntype = \"uuid\"\nprimary_key = true\n[fields.name]\ntype = \"text\"\nrequired = true\n",
            ),
            ("seeds/things.csv", "\u{feff}\"id\",nmae,id\n"),
            ("seeds/auth.users.csv", "id\n"),
        ],
        expect![[r#"
            seeds/auth.users.csv:1: error: these seeds are for the unknown table `auth.users`
            seeds/things.csv:1: error: table `things` has no field `nmae`; did you mean `name`?
            seeds/things.csv:1: error: column `id` is named twice
            seeds/things.csv:1: error: column `name` is missing: the field is required and has no default
        "#]],
    );
}

#[test]
fn nothing_that_was_reported_is_reported_again() {
    check(
        [
            (
                "schema/a.toml",
                "label = \"A\"\n[fields.id]\ntype = \"uuidd\"\nprimary_key = true\n[fields.total]\ntype = \"dezimal(3,2)\"\ncheck = \"total > 0\"\ndefault = 3\n[[indexes]]\nfields = [\"total\"]\n",
            ),
            (
                "schema/b.toml",
                "label = \"B\"\n[fields.id]\ntype = \"uuid\"\nprimary_key = true\nreferences = \"a.id\"\n",
            ),
        ],
        expect![[r#"
            schema/a.toml:3: error: unknown type `uuidd`; did you mean `uuid`?
            schema/a.toml:6: error: unknown type `dezimal(3,2)`; did you mean `decimal(12,2)`?
        "#]],
    );
}

/// The database sets the field to null by itself when the other row goes, and asks no check then.
#[test]
fn a_reference_that_may_become_null_by_itself_must_satisfy_its_checks_then() {
    let with = |check: &str, other: &str| {
        let text = format!(
            r#"label = "T"
[fields.id]
type = "bigint"
primary_key = true
[fields.state]
type = "enum"
values = ["draft", "sent"]
required = true
check = {other:?}
[fields.note]
type = "text"
[fields.place]
type = "bigint"
references = "places.id"
on_delete = "set null"
check = {check:?}
"#
        );
        let places = "label = \"P\"\n[fields.id]\ntype = \"bigint\"\nprimary_key = true\n";
        lines(&read([("schema/places.toml", places), ("schema/things.toml", &text)]).1)
    };
    for fine in [
        "place > 0",
        "place is null or place > 7",
        "place > 0 and id > 0",
        "place in (1, 2)",
        "not (place < 0)",
        "coalesce(place, id) is not null",
        "place is distinct from id",
        "(place + 1) * 2 > id or state = 'draft'",
        "true",
    ] {
        assert_eq!(with(fine, "true"), "", "{fine}");
        assert_eq!(with("true", fine), "", "{fine} at another field");
    }
    for broken in [
        "place is not null",
        "not (place is null)",
        "place is not null or state = 'draft'",
        "id > 0 and (place is not null or note is not null)",
        "place is not distinct from id",
        "coalesce(place, 0) > 0",
        "(place > 0) is true",
        "coalesce(place, null) is not null",
    ] {
        let at_another = with("true", broken);
        for (problems, line) in [(with(broken, "true"), 16), (at_another, 9)] {
            let told = format!("schema/things.toml:{line}: error: ");
            assert!(problems.starts_with(&told) && problems.contains("on_delete"), "{broken}: {problems}");
        }
    }
}
