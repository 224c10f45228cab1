//! Values: from literals, to JSON and text, and back again.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::json;
use takt_model::{Decimal, FieldType, Uuid, Value, ValueRef};

const MONEY: FieldType = FieldType::Decimal { precision: 12, scale: 2 };

fn status() -> FieldType {
    FieldType::Enum {
        name: "orders_status".to_owned(),
        values: vec!["pending".to_owned(), "paid".to_owned()],
    }
}

fn to_json(value: &Value) -> String {
    let mut out = Vec::new();
    value.as_ref().write_json(&mut out);
    String::from_utf8(out).unwrap()
}

/// Every literal with its JSON form, or its code and message.
fn check(kind: &FieldType, literals: &[&str], expected: Expect) {
    let line = |literal: &&str| match kind.parse_text(literal) {
        Ok(value) => format!("{literal} -> {}\n", to_json(&value)),
        Err(e) => format!("{literal} ! {} {e}\n", e.code),
    };
    expected.assert_eq(&literals.iter().map(line).collect::<String>());
}

#[test]
fn whole_numbers() {
    check(
        &FieldType::Integer,
        &[
            "0",
            "-7",
            "+7",
            " 7 ",
            "2147483647",
            "2147483648",
            "-2147483648",
            "99999999999999999999",
            "abc",
            "",
            "1.0",
            "1e3",
            "-",
            "0x10",
        ],
        expect![[r#"
            0 -> 0
            -7 -> -7
            +7 -> 7
             7  -> 7
            2147483647 -> 2147483647
            2147483648 ! 22003 value "2147483648" is out of range for type integer
            -2147483648 -> -2147483648
            99999999999999999999 ! 22003 value "99999999999999999999" is out of range for type integer
            abc ! 22P02 invalid input syntax for type integer: "abc"
             ! 22P02 invalid input syntax for type integer: ""
            1.0 ! 22P02 invalid input syntax for type integer: "1.0"
            1e3 ! 22P02 invalid input syntax for type integer: "1e3"
            - ! 22P02 invalid input syntax for type integer: "-"
            0x10 ! 22P02 invalid input syntax for type integer: "0x10"
        "#]],
    );
    check(
        &FieldType::Bigint,
        &["9223372036854775807", "-9223372036854775808", "9223372036854775808", "x"],
        expect![[r#"
        9223372036854775807 -> 9223372036854775807
        -9223372036854775808 -> -9223372036854775808
        9223372036854775808 ! 22003 value "9223372036854775808" is out of range for type bigint
        x ! 22P02 invalid input syntax for type bigint: "x"
    "#]],
    );
}

#[test]
fn decimals_stay_as_they_are_written() {
    check(
        &MONEY,
        &[
            "1.10",
            "1.1",
            "-0.005",
            ".5",
            "5.",
            "+3",
            "1e3",
            "1.5e-3",
            "0",
            "-0",
            "0.00",
            "12345678901234567890.123",
            "0.1000000000000000000000000000000000",
            "0.10000000000000000000000000000000001",
            "1e400",
            "1e-400",
            "0e9999",
            "1e99999999999",
            "NaN",
            "Infinity",
            "1,5",
            "1.2.3",
            "--1",
            ".",
            "",
            "e5",
            "1e",
        ],
        expect![[r#"
            1.10 -> 1.10
            1.1 -> 1.1
            -0.005 -> -0.005
            .5 -> 0.5
            5. -> 5
            +3 -> 3
            1e3 -> 1000
            1.5e-3 -> 0.0015
            0 -> 0
            -0 -> 0
            0.00 -> 0.00
            12345678901234567890.123 -> 12345678901234567890.123
            0.1000000000000000000000000000000000 -> 0.1000000000000000000000000000
            0.10000000000000000000000000000000001 ! 22003 value overflows numeric format
            1e400 ! 22003 value overflows numeric format
            1e-400 ! 22003 value overflows numeric format
            0e9999 -> 0
            1e99999999999 ! 22P02 invalid input syntax for type numeric: "1e99999999999"
            NaN ! 22P02 invalid input syntax for type numeric: "NaN"
            Infinity ! 22P02 invalid input syntax for type numeric: "Infinity"
            1,5 ! 22P02 invalid input syntax for type numeric: "1,5"
            1.2.3 ! 22P02 invalid input syntax for type numeric: "1.2.3"
            --1 ! 22P02 invalid input syntax for type numeric: "--1"
            . ! 22P02 invalid input syntax for type numeric: "."
             ! 22P02 invalid input syntax for type numeric: ""
            e5 ! 22P02 invalid input syntax for type numeric: "e5"
            1e ! 22P02 invalid input syntax for type numeric: "1e"
        "#]],
    );
}

#[test]
fn doubles() {
    check(
        &FieldType::Double,
        &[
            "0.1",
            "1",
            "1e15",
            "123456789012345680",
            "1e300",
            "1.5e-7",
            "0.0001",
            "0.00001",
            "-0",
            "NaN",
            "infinity",
            "-Infinity",
            "1e400",
            "-1e400",
            "1e-400",
            "0e0",
            "x",
            "",
            "5e-324",
        ],
        expect![[r#"
            0.1 -> 0.1
            1 -> 1
            1e15 -> 1e+15
            123456789012345680 -> 1.2345678901234568e+17
            1e300 -> 1e+300
            1.5e-7 -> 1.5e-07
            0.0001 -> 0.0001
            0.00001 -> 1e-05
            -0 -> -0
            NaN -> "NaN"
            infinity -> "Infinity"
            -Infinity -> "-Infinity"
            1e400 ! 22003 "1e400" is out of range for type double precision
            -1e400 ! 22003 "-1e400" is out of range for type double precision
            1e-400 ! 22003 "1e-400" is out of range for type double precision
            0e0 -> 0
            x ! 22P02 invalid input syntax for type double precision: "x"
             ! 22P02 invalid input syntax for type double precision: ""
            5e-324 -> 5e-324
        "#]],
    );
}

#[test]
fn booleans() {
    check(
        &FieldType::Boolean,
        &[
            "true", "T", "tr", "yes", "y", "on", "1", "false", "f", "no", "of", "0", " true ", "o", "",
            "truee", "2",
        ],
        expect![[r#"
            true -> true
            T -> true
            tr -> true
            yes -> true
            y -> true
            on -> true
            1 -> true
            false -> false
            f -> false
            no -> false
            of -> false
            0 -> false
             true  -> true
            o ! 22P02 invalid input syntax for type boolean: "o"
             ! 22P02 invalid input syntax for type boolean: ""
            truee ! 22P02 invalid input syntax for type boolean: "truee"
            2 ! 22P02 invalid input syntax for type boolean: "2"
        "#]],
    );
}

#[test]
fn dates_and_times() {
    check(
        &FieldType::Date,
        &[
            "2026-01-02",
            "2026-1-2",
            "2024-02-29",
            "2023-02-29",
            "2026-13-01",
            "0000-01-01",
            "9999-12-31",
            "10000-01-01",
            "2026-01-02T03:04:05Z",
            "2026-01-02 03:04",
            "2026/01/02",
            "2026-01",
            "heute",
            "",
            "2026-01-02x",
        ],
        expect![[r#"
            2026-01-02 -> "2026-01-02"
            2026-1-2 -> "2026-01-02"
            2024-02-29 -> "2024-02-29"
            2023-02-29 ! 22008 date/time field value out of range: "2023-02-29"
            2026-13-01 ! 22008 date/time field value out of range: "2026-13-01"
            0000-01-01 ! 22008 date/time field value out of range: "0000-01-01"
            9999-12-31 -> "9999-12-31"
            10000-01-01 ! 22008 date/time field value out of range: "10000-01-01"
            2026-01-02T03:04:05Z -> "2026-01-02"
            2026-01-02 03:04 -> "2026-01-02"
            2026/01/02 ! 22007 invalid input syntax for type date: "2026/01/02"
            2026-01 ! 22007 invalid input syntax for type date: "2026-01"
            heute ! 22007 invalid input syntax for type date: "heute"
             ! 22007 invalid input syntax for type date: ""
            2026-01-02x ! 22007 invalid input syntax for type date: "2026-01-02x"
        "#]],
    );
    check(
        &FieldType::Time,
        &[
            "03:04:05",
            "03:04",
            "03:04:05.123456",
            "3:04:05.1200",
            "03:04:05+02",
            "23:59:60",
            "24:00",
            "24:01",
            "25:00",
            "03:60",
            "3",
            "x",
        ],
        expect![[r#"
            03:04:05 -> "03:04:05"
            03:04 -> "03:04:00"
            03:04:05.123456 -> "03:04:05.123456"
            3:04:05.1200 -> "03:04:05.12"
            03:04:05+02 -> "03:04:05"
            23:59:60 ! 22008 date/time field value out of range: "23:59:60"
            24:00 ! 22008 date/time field value out of range: "24:00"
            24:01 ! 22008 date/time field value out of range: "24:01"
            25:00 ! 22008 date/time field value out of range: "25:00"
            03:60 ! 22008 date/time field value out of range: "03:60"
            3 ! 22007 invalid input syntax for type time: "3"
            x ! 22007 invalid input syntax for type time: "x"
        "#]],
    );
    check(
        &FieldType::Timestamp,
        &[
            "2024-01-02T01:04:05.12+00:00",
            "2024-01-02T01:04:05.120000Z",
            "2024-01-02 01:04:05",
            "2024-01-02",
            "2024-01-02T01:04",
            "2024-01-02T01:04:05+02:00",
            "2024-01-02T01:04:05-0330",
            "2024-01-02T01:04:05+05",
            "2024-01-02 01:04:05 UTC",
            "2024-01-02t01:04:05z",
            "2024-01-02T01:04:05.1234567Z",
            "2024-12-31T23:59:60Z",
            "2024-12-31T24:00:00Z",
            "1969-12-31T23:59:59.5Z",
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59.999999-15:00",
            "2024-02-30T00:00:00Z",
            "2024-01-02T25:00:00Z",
            "2024-01-02T01:04:05+16:00",
            "2024-01-02T",
            "2024-01-02T01",
            "2024-01-02T01:04:05Q",
            "2024-01-02T01:04:05+00:00x",
            "jetzt",
            "",
            "1704157445",
        ],
        expect![[r#"
            2024-01-02T01:04:05.12+00:00 -> "2024-01-02T01:04:05.12+00:00"
            2024-01-02T01:04:05.120000Z -> "2024-01-02T01:04:05.12+00:00"
            2024-01-02 01:04:05 -> "2024-01-02T01:04:05+00:00"
            2024-01-02 -> "2024-01-02T00:00:00+00:00"
            2024-01-02T01:04 -> "2024-01-02T01:04:00+00:00"
            2024-01-02T01:04:05+02:00 -> "2024-01-01T23:04:05+00:00"
            2024-01-02T01:04:05-0330 -> "2024-01-02T04:34:05+00:00"
            2024-01-02T01:04:05+05 -> "2024-01-01T20:04:05+00:00"
            2024-01-02 01:04:05 UTC -> "2024-01-02T01:04:05+00:00"
            2024-01-02t01:04:05z -> "2024-01-02T01:04:05+00:00"
            2024-01-02T01:04:05.1234567Z -> "2024-01-02T01:04:05.123457+00:00"
            2024-12-31T23:59:60Z -> "2025-01-01T00:00:00+00:00"
            2024-12-31T24:00:00Z -> "2025-01-01T00:00:00+00:00"
            1969-12-31T23:59:59.5Z -> "1969-12-31T23:59:59.5+00:00"
            0001-01-01T00:00:00Z -> "0001-01-01T00:00:00+00:00"
            0001-01-01T00:00:00+01:00 ! 22008 date/time field value out of range: "0001-01-01T00:00:00+01:00"
            9999-12-31T23:59:59.999999-15:00 ! 22008 date/time field value out of range: "9999-12-31T23:59:59.999999-15:00"
            2024-02-30T00:00:00Z ! 22008 date/time field value out of range: "2024-02-30T00:00:00Z"
            2024-01-02T25:00:00Z ! 22008 date/time field value out of range: "2024-01-02T25:00:00Z"
            2024-01-02T01:04:05+16:00 ! 22009 time zone displacement out of range: "2024-01-02T01:04:05+16:00"
            2024-01-02T ! 22007 invalid input syntax for type timestamp with time zone: "2024-01-02T"
            2024-01-02T01 ! 22007 invalid input syntax for type timestamp with time zone: "2024-01-02T01"
            2024-01-02T01:04:05Q ! 22007 invalid input syntax for type timestamp with time zone: "2024-01-02T01:04:05Q"
            2024-01-02T01:04:05+00:00x ! 22007 invalid input syntax for type timestamp with time zone: "2024-01-02T01:04:05+00:00x"
            jetzt ! 22007 invalid input syntax for type timestamp with time zone: "jetzt"
             ! 22007 invalid input syntax for type timestamp with time zone: ""
            1704157445 ! 22007 invalid input syntax for type timestamp with time zone: "1704157445"
        "#]],
    );
}

#[test]
fn the_rest() {
    check(
        &FieldType::Uuid,
        &[
            "0199A000-0000-7000-8000-000000000001",
            "0199a00000007000800000000000000f",
            "{0199a000-0000-7000-8000-000000000001}",
            " 0199a000-0000-7000-8000-000000000001",
            "urn:uuid:0199a000-0000-7000-8000-000000000001",
            "x",
            "",
        ],
        expect![[r#"
            0199A000-0000-7000-8000-000000000001 -> "0199a000-0000-7000-8000-000000000001"
            0199a00000007000800000000000000f -> "0199a000-0000-7000-8000-00000000000f"
            {0199a000-0000-7000-8000-000000000001} -> "0199a000-0000-7000-8000-000000000001"
             0199a000-0000-7000-8000-000000000001 -> "0199a000-0000-7000-8000-000000000001"
            urn:uuid:0199a000-0000-7000-8000-000000000001 ! 22P02 invalid input syntax for type uuid: "urn:uuid:0199a000-0000-7000-8000-000000000001"
            x ! 22P02 invalid input syntax for type uuid: "x"
             ! 22P02 invalid input syntax for type uuid: ""
        "#]],
    );
    check(
        &status(),
        &["paid", "Paid", "z", ""],
        expect![[r#"
        paid -> "paid"
        Paid ! 22P02 invalid input value for enum orders_status: "Paid"
        z ! 22P02 invalid input value for enum orders_status: "z"
         ! 22P02 invalid input value for enum orders_status: ""
    "#]],
    );
    check(
        &FieldType::Json,
        &[
            "{\"b\": 1.10, \"a\": [null]}",
            " 12345678901234567890 ",
            "\"x\"",
            "{",
            "",
            "{\"a\":1}x",
            r#""\u0000""#,
            r#""\\u0000""#,
            "NaN",
        ],
        expect![[r#"
            {"b": 1.10, "a": [null]} -> {"b": 1.10, "a": [null]}
             12345678901234567890  -> 12345678901234567890
            "x" -> "x"
            { ! 22P02 invalid input syntax for type json
             ! 22P02 invalid input syntax for type json
            {"a":1}x ! 22P02 invalid input syntax for type json
            "\u0000" ! 22P05 unsupported Unicode escape sequence
            "\\u0000" -> "\\u0000"
            NaN ! 22P02 invalid input syntax for type json
        "#]],
    );
    check(
        &FieldType::Bytes,
        &[r"\xDEad", r"\x", r"\xde ad", r"\xdea", r"\xzz", r"abc", r"a\\b\001", r"\9", r"\"],
        expect![[r#"
            \xDEad -> "\\xdead"
            \x -> "\\x"
            \xde ad -> "\\xdead"
            \xdea ! 22023 invalid hexadecimal data: odd number of digits
            \xzz ! 22023 invalid hexadecimal digit: "z"
            abc -> "\\x616263"
            a\\b\001 -> "\\x615c6201"
            \9 ! 22P02 invalid input syntax for type bytea
            \ ! 22P02 invalid input syntax for type bytea
        "#]],
    );
    let text = FieldType::Text.parse_text("Grüße \"a\\b\"\n\u{1}\u{2028}").unwrap();
    assert_eq!(to_json(&text), "\"Grüße \\\"a\\\\b\\\"\\n\\u0001\u{2028}\"");
    assert_eq!(FieldType::Text.parse_text("nul\0").unwrap_err().code, "22P05");
}

#[test]
fn values_of_json_bodies() {
    let body: serde_json::Value = serde_json::from_str(
        r#"{"price": 19.90, "big": 9223372036854775807, "long": 0.1000000000000000055511151231257827, "text": "19.90", "flag": true, "list": [1], "null": null, "exp": 1E2}"#,
    )
    .unwrap();
    let mut out = String::new();
    for (kind, key) in [
        (MONEY, "price"),
        (MONEY, "text"),
        (MONEY, "exp"),
        (FieldType::Decimal { precision: 18, scale: 18 }, "long"),
        (FieldType::Bigint, "big"),
        (FieldType::Integer, "big"),
        (FieldType::Integer, "price"),
        (FieldType::Double, "price"),
        (FieldType::Text, "price"),
        (FieldType::Text, "flag"),
        (FieldType::Text, "list"),
        (FieldType::Boolean, "flag"),
        (FieldType::Boolean, "text"),
        (FieldType::Json, "list"),
        (FieldType::Json, "text"),
        (FieldType::Json, "null"),
        (FieldType::Uuid, "flag"),
        (FieldType::Timestamp, "null"),
    ] {
        let read = kind.parse_json(&body[key]).map_or_else(|e| format!("! {} {e}", e.code), |v| to_json(&v));
        out += &format!("{} of {} -> {read}\n", kind.name(), body[key]);
    }
    expect![[r#"
        decimal(12,2) of 19.90 -> 19.90
        decimal(12,2) of "19.90" -> 19.90
        decimal(12,2) of 1e+2 -> 100
        decimal(18,18) of 0.1000000000000000055511151231257827 -> ! 22003 value overflows numeric format
        bigint of 9223372036854775807 -> 9223372036854775807
        integer of 9223372036854775807 -> ! 22003 value "9223372036854775807" is out of range for type integer
        integer of 19.90 -> ! 22P02 invalid input syntax for type integer: "19.90"
        double of 19.90 -> 19.9
        text of 19.90 -> "19.90"
        text of true -> "true"
        text of [1] -> "[1]"
        boolean of true -> true
        boolean of "19.90" -> ! 22P02 invalid input syntax for type boolean: "19.90"
        json of [1] -> [1]
        json of "19.90" -> "19.90"
        json of null -> null
        uuid of true -> ! 22P02 invalid input syntax for type uuid: "true"
        timestamp of null -> null
    "#]]
    .assert_eq(&out);
    assert_eq!(FieldType::Text.parse_json(&json!("a\0b")).unwrap_err().code, "22P05");
    assert_eq!(FieldType::Json.parse_json(&json!({"a\0": 1})).unwrap_err().code, "22P05");
}

#[test]
fn coercion_rounds_away_from_zero_and_never_overflows() {
    let mut out = String::new();
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    for (kind, value) in [
        (MONEY, decimal("1.005")),
        (MONEY, decimal("-1.005")),
        (MONEY, decimal("1.0049999")),
        (MONEY, decimal("1")),
        (MONEY, decimal("9999999999.994")),
        (MONEY, decimal("9999999999.995")),
        (MONEY, decimal("-10000000000")),
        (MONEY, decimal("79228162514264337593543950335")),
        (MONEY, Value::Integer(5)),
        (MONEY, Value::Integer(i64::MAX)),
        (MONEY, Value::Text("12.345".to_owned())),
        (MONEY, Value::Double(1.5)),
        (FieldType::Decimal { precision: 18, scale: 18 }, decimal("0.5")),
        (FieldType::Integer, Value::Integer(2_147_483_648)),
        (FieldType::Integer, Value::Integer(-2_147_483_648)),
        (FieldType::Integer, decimal("1")),
        (FieldType::Double, Value::Integer(3)),
        (status(), Value::Text("lost".to_owned())),
        (FieldType::Text, Value::Integer(3)),
        (FieldType::Text, Value::Text("a\0".to_owned())),
        (FieldType::Uuid, Value::Text("0199a000-0000-7000-8000-000000000001".to_owned())),
        (FieldType::Boolean, Value::Null),
    ] {
        let text = to_json(&value);
        let stored = kind.coerce(value).map_or_else(|e| format!("! {} {e}", e.code), |v| to_json(&v));
        out += &format!("{text} in {} -> {stored}\n", kind.name());
    }
    expect![[r#"
        1.005 in decimal(12,2) -> 1.01
        -1.005 in decimal(12,2) -> -1.01
        1.0049999 in decimal(12,2) -> 1.00
        1 in decimal(12,2) -> 1.00
        9999999999.994 in decimal(12,2) -> 9999999999.99
        9999999999.995 in decimal(12,2) -> ! 22003 numeric field overflow
        -10000000000 in decimal(12,2) -> ! 22003 numeric field overflow
        79228162514264337593543950335 in decimal(12,2) -> ! 22003 numeric field overflow
        5 in decimal(12,2) -> 5.00
        9223372036854775807 in decimal(12,2) -> ! 22003 numeric field overflow
        "12.345" in decimal(12,2) -> 12.35
        1.5 in decimal(12,2) -> ! 42804 a value of type double precision does not fit type numeric
        0.5 in decimal(18,18) -> 0.500000000000000000
        2147483648 in integer -> ! 22003 integer out of range
        -2147483648 in integer -> -2147483648
        1 in integer -> ! 42804 a value of type numeric does not fit type integer
        3 in double -> 3
        "lost" in enum -> ! 22P02 invalid input value for enum orders_status: "lost"
        3 in text -> ! 42804 a value of type bigint does not fit type text
        "a\u0000" in text -> ! 22P05 unsupported Unicode escape sequence
        "0199a000-0000-7000-8000-000000000001" in uuid -> "0199a000-0000-7000-8000-000000000001"
        null in boolean -> null
    "#]]
    .assert_eq(&out);
}

#[test]
fn years_before_our_era_are_marked() {
    let long_ago = ValueRef::Timestamp(-62_198_755_200_000_000);
    assert_eq!(long_ago.to_text(), "0002-01-01T00:00:00+00:00 BC");
}

/// All types, with a value of each.
fn typed() -> impl Strategy<Value = (FieldType, Value)> {
    const FIRST: i64 = -62_135_596_800_000_000;
    const LAST: i64 = 253_402_300_799_999_999;
    prop_oneof![
        any::<bool>().prop_map(|v| (FieldType::Boolean, Value::Boolean(v))),
        any::<i32>().prop_map(|v| (FieldType::Integer, Value::Integer(v.into()))),
        any::<i64>().prop_map(|v| (FieldType::Bigint, Value::Integer(v))),
        any::<f64>()
            .prop_filter("NaN equals nothing", |v| !v.is_nan())
            .prop_map(|v| (FieldType::Double, Value::Double(v))),
        (-999_999_999_999_999_999_i64..=999_999_999_999_999_999, 0..=18_u8).prop_map(|(mantissa, scale)| {
            (
                FieldType::Decimal { precision: 18, scale },
                Value::Decimal(Decimal::new(mantissa, scale.into())),
            )
        }),
        "[^\0]*".prop_map(|v| (FieldType::Text, Value::Text(v))),
        (FIRST..=LAST).prop_map(|v| (FieldType::Timestamp, Value::Timestamp(v))),
        any::<u128>().prop_map(|v| (FieldType::Uuid, Value::Uuid(Uuid::from_u128(v)))),
        any::<Vec<u8>>().prop_map(|v| (FieldType::Bytes, Value::Bytes(v))),
        (FIRST..=LAST).prop_map(|v| (FieldType::Date, day_of(v))),
        (0..86_400_000_000_i64).prop_map(|v| (FieldType::Time, time_of(v))),
        "[^\0]*".prop_map(|v| (FieldType::Json, Value::Json(json!([v, { "n": 1.10 }]).to_string()))),
    ]
}

fn day_of(micros: i64) -> Value {
    let text = ValueRef::Timestamp(micros).to_text();
    FieldType::Date.parse_text(&text[..10]).unwrap()
}

fn time_of(micros: i64) -> Value {
    let text = ValueRef::Timestamp(micros).to_text();
    FieldType::Time.parse_text(text[11..].strip_suffix("+00:00").unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn text_reads_back((kind, value) in typed()) {
        prop_assert_eq!(kind.parse_text(&value.as_ref().to_text()), Ok(value));
    }

    #[test]
    fn json_is_valid_and_reads_back((kind, value) in typed()) {
        let text = to_json(&value);
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(kind.parse_json(&parsed), Ok(value), "{}", text);
    }

    #[test]
    fn strings_are_escaped_as_serde_does(text in any::<String>()) {
        let mut out = Vec::new();
        takt_model::write_json_string(&text, &mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
    }

    #[test]
    fn timestamps_agree_with_the_calendar(micros in -62_135_596_800_000_000_i64..=253_402_300_799_999_999) {
        let text = ValueRef::Timestamp(micros).to_text();
        let parsed: jiff::Timestamp = text.parse().unwrap();
        prop_assert_eq!(parsed.as_microsecond(), micros, "{}", text);
    }

    #[test]
    fn no_literal_makes_a_panic(text in ".{0,40}", number in "[-+0-9.eE: TZ]{0,40}") {
        for kind in [
            FieldType::Integer, FieldType::Bigint, MONEY, FieldType::Double, FieldType::Boolean, FieldType::Date,
            FieldType::Time, FieldType::Timestamp, FieldType::Uuid, FieldType::Json, FieldType::Bytes, status(),
        ] {
            for literal in [&text, &number] {
                if let Ok(value) = kind.parse_text(literal) {
                    let _ = kind.coerce(value);
                }
            }
        }
    }

    #[test]
    fn a_stored_decimal_is_the_nearest(mantissa in any::<i64>(), written in 0..=28_u32, scale in 0..=6_u8) {
        let number = Decimal::from_i128_with_scale(mantissa.into(), written);
        let kind = FieldType::Decimal { precision: 18, scale };
        if let Ok(Value::Decimal(stored)) = kind.coerce(Value::Decimal(number)) {
            prop_assert_eq!(stored.scale(), u32::from(scale));
            prop_assert!((stored - number).abs() <= Decimal::new(5, u32::from(scale) + 1));
        } else {
            prop_assert!(number.abs() >= Decimal::from_i128_with_scale(10_i128.pow(18) - 1, u32::from(scale)));
        }
    }
}
