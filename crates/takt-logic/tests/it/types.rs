//! Declarations for editors.

use expect_test::expect;

use crate::house::{House, files};

#[test]
fn tables_and_jobs_are_declared_with_the_types_that_functions_see() {
    let mut files = files(&[("logic/remind.ts", "export const kind = \"job\";\nexport default () => 1;")]);
    files.0.get_mut("schema/parts.toml").unwrap().insert_str(0, "about = { en = \"Parts */ of things\" }\n");
    let text = House::of(&files).logic.declarations();
    let own = text.split_once("\n  type Job").map(|(_, own)| own).unwrap();
    expect![[r#"
         = "remind";

          interface Db {
            parts: Table<Parts, NewParts, { thing: Given<string>; place: Given<number> }>;
            things: Table<Things, NewThings, Given<string>>;
          }

          /** Parts * / of things */
          interface Parts {
            thing: string;
            place: number;
          }
          interface NewParts {
            thing: Given<string>;
            place: Given<number>;
          }

          interface Things {
            id: string;
            name: string;
            count: number;
            serial: bigint | null;
            price: Decimal | null;
            weight: number | null;
            active: boolean;
            day: string | null;
            hour: string | null;
            at: string | null;
            extra: any | null;
            raw: Uint8Array | null;
            colour: "red" | "green";
          }
          interface NewThings {
            id?: Given<string>;
            name: Given<string>;
            count?: Given<number>;
            serial?: Given<bigint> | null;
            price?: Given<Decimal> | null;
            weight?: Given<number> | null;
            active?: Given<boolean>;
            day?: Given<string> | null;
            hour?: Given<string> | null;
            at?: Given<string> | null;
            extra?: Given<any> | null;
            raw?: Given<Uint8Array> | null;
            colour?: Given<"red" | "green">;
          }
        }
    "#]]
    .assert_eq(own);
}
