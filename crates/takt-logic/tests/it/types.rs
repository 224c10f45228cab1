//! Declarations for editors.

use expect_test::expect;

use crate::house::{House, files};

#[test]
fn functions_over_http_are_declared() {
    let text = House::of(&files(&[])).logic.declarations();
    for declared in ["interface HttpContext {", "type HttpResult =", "call<Result = any>(action: string"] {
        assert!(text.contains(declared), "{declared}");
    }
}

#[test]
fn tables_and_jobs_are_declared_with_the_types_that_functions_see() {
    let mut files = files(&[("logic/remind.ts", "export const kind = \"job\";\nexport default () => 1;")]);
    files.0.get_mut("schema/parts.toml").unwrap().insert_str(0, "about = { en = \"Parts */ of things\" }\n");
    let text = House::of(&files).logic.declarations();
    let own = text.split_once("\n  type Job").map(|(_, own)| own).unwrap();
    expect![[r#"
         = "remind";

          interface Db {
            parts: Table<Rows.Parts, New.Parts, { thing: Given<string>; place: Given<number> }>;
            things: Table<Rows.Things, New.Things, Given<string>>;
          }

          /** Rows as they are read. */
          namespace Rows {
            /** Parts * / of things */
            interface Parts {
              thing: string;
              place: number;
            }
            interface Things {
              id: string;
              name: string;
              count: number;
              serial: bigint | null;
              price: Takt.Decimal | null;
              weight: number | null;
              active: boolean;
              day: string | null;
              hour: string | null;
              at: string | null;
              extra: any | null;
              raw: Uint8Array | null;
              colour: "red" | "green";
            }
          }

          /** What a new row needs. */
          namespace New {
            interface Parts {
              thing: Takt.Given<string>;
              place: Takt.Given<number>;
            }
            interface Things {
              id?: Takt.Given<string>;
              name: Takt.Given<string>;
              count?: Takt.Given<number>;
              serial?: Takt.Given<bigint> | null;
              price?: Takt.Given<Takt.Decimal> | null;
              weight?: Takt.Given<number> | null;
              active?: Takt.Given<boolean>;
              day?: Takt.Given<string> | null;
              hour?: Takt.Given<string> | null;
              at?: Takt.Given<string> | null;
              extra?: Takt.Given<any> | null;
              raw?: Takt.Given<Uint8Array> | null;
              colour?: Takt.Given<"red" | "green">;
            }
          }
        }
    "#]]
    .assert_eq(own);
}
