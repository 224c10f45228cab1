//! Decimals are exact, and do not mix with floating point.

use expect_test::expect;

use crate::house::check;

#[tokio::test]
async fn decimals_are_exact() {
    check(
        &[
            r#"const d = (t) => new Decimal(t);
               return [d("0.10").add(d("0.2")), d("1").sub(d("0.001")), d("12.90").mul(3), d("0.1").mul(d("0.1")), d("-5.5").neg(), Decimal("7").add(1n)];"#,
            r#"const r = (t, n) => new Decimal(t).round(n);
               return [r("2.5"), r("-2.5"), r("1.005", 2), r("1.004999", 2), r("3", 2), r("0.05", 1), r("-0.04", 1)];"#,
            r#"const d = (t) => new Decimal(t);
               return [d("10").div(3, 4), d("1").div(d("8"), 2), d("-1").div(3, 0), d("2.00").div(d("0.5"), 0), d("1").div(1000, 2)];"#,
            r#"const d = new Decimal("1.50");
               return [d.cmp("x" === "y" ? 1 : 2), d.eq(new Decimal("1.5")), d.lt(2), d.lte(1), d.gt(1), d.gte(new Decimal("1.500")), d.neq(1), d.isZero(), new Decimal("-3").abs(), d.toNumber(), `${d}`, d.toFixed(1), d.toString()];"#,
            r#"return [new Decimal("123456789012345678901234567890.12").add(new Decimal("0.01")), { total: new Decimal("12.90") }, 9007199254740993n, 0.1, 1e21, -0, NaN];"#,
            r#"return JSON.stringify({ a: new Decimal("12.90") });"#,
        ],
        expect![[r#"
            200 [0.30,0.999,38.70,0.01,5.5,8]
            200 [3,-3,1.01,1.00,3.00,0.1,0.0]
            200 [3.3333,0.13,0,4,0.00]
            200 [-1,true,true,false,true,true,true,false,3,1.5,"1.50","1.5","1.50"]
            200 [123456789012345678901234567890.13,{"total":12.90},9007199254740993,0.1,1000000000000000000000,0,null]
            200 "{\"a\":12.90}"
        "#]],
    )
    .await;
}

#[tokio::test]
async fn mixing_is_refused() {
    let attempts = [
        "new Decimal(0.1)",
        "new Decimal('1e3')",
        "new Decimal('')",
        "new Decimal()",
        "new Decimal('1').add(0.5)",
        "new Decimal('1').add('2')",
        "new Decimal('1').add(null)",
        "new Decimal('1') + 1",
        "new Decimal('1') < new Decimal('2')",
        "new Decimal('1').div(0, 2)",
        "new Decimal('1').div(3)",
        "new Decimal('1').round(1.5)",
        "(new Decimal('1').u = 5)",
    ];
    let bodies: Vec<String> = attempts
        .iter()
        .map(|a| format!("try {{ return String({a}); }} catch (e) {{ return String(e); }}"))
        .collect();
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    check(&bodies, expect![[r#"
        200 "TypeError: a Decimal cannot be mixed with the number 0.1; write it as text: new Decimal(\"0.1\")"
        200 "TypeError: \"1e3\" is no decimal number"
        200 "TypeError: \"\" is no decimal number"
        200 "TypeError: a Decimal cannot be mixed with undefined"
        200 "TypeError: a Decimal cannot be mixed with the number 0.5; write it as text: new Decimal(\"0.5\")"
        200 "TypeError: a Decimal cannot be mixed with text; write new Decimal(\"2\")"
        200 "TypeError: a Decimal cannot be mixed with null"
        200 "TypeError: a Decimal is no number: write a.add(b), a.sub(b), a.mul(b), a.cmp(b) instead of + - * <"
        200 "TypeError: a Decimal is no number: write a.add(b), a.sub(b), a.mul(b), a.cmp(b) instead of + - * <"
        200 "RangeError: division by zero"
        200 "TypeError: div needs the number of digits after the point: a.div(b, 2)"
        200 "RangeError: digits must be a whole number from 0 to 64"
        200 "5"
    "#]]).await;
}
