//! What a real instance says about itself.

use expect_test::expect;
use takt_report::{State, SuspectReason, judge};

use crate::world::World;

/// Every check with its light and sentence, on the first day of an instance that sold one piece.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_day() {
    let world = World::new();
    world.public("index.html", "<p>Shop</p>");
    world.sell().await;
    let report = judge(&world.evidence().await);
    let mut told = String::new();
    for block in &report.blocks {
        told += &format!("{} {:?} {}/{}\n", block.id.letter(), block.state, block.answered, block.planned);
        for result in &block.results {
            told += &format!("   {} {:?}: {}\n", result.id, result.state, result.title.get("en").unwrap());
        }
    }
    expect![[r#"
        D Green 7/15
           D14 Yellow: 2 fields look personal but are not marked.
           D08 Green: Confirmed orders survive a power cut: yes.
           D02 Green: 0 records point to something that is gone.
           D13 Green: The database can be reached from the internet: no.
           D03 Green: 0 lists allow duplicate entries.
           D01 Green: Stored: 1 Products and 1 Sales.
           D10 Green: 0 amounts or dates are stored imprecisely.
        M Red 7/20
           M08 Red: There is no backup yet.
           M09 Red: The backup has never been restored as a trial.
           M10 Red: How long the return after a total loss takes was never measured.
           M11 Red: There is no copy.
           M12 Red: You have no key of your own to the backup.
           M07 Red: 1 part has no replacement.
           M06 TooYoung: How many requests succeed is not yet known.
           M19 TooYoung: How quickly answers come is not yet known.
           M20 Green: 0 confidential files can be fetched from outside.
        R Yellow 5/15
           R07 Unknown: How administrators sign in is not yet known.
           R10 TooYoung: 100 % of processes can be read step by step.
           R13 TooYoung: How often something fails without explanation is not yet known.
           R05 Green: 0 lists of personal data can be read by everybody.
           R04 Green: Only the server decides prices and stock: yes.
           R08 Green: 100 % of passwords are kept only as check values.
           R14 Green: 0 access keys lie open in the front end.
           R11 Green: Changes to prices and rights can be traced to a name: yes.
        S Unknown 5/14
           S01 TooYoung: Your system talks to 0 others; 0 of them are undeclared.
           S14 Green: Your map: 1 backend, 0 mediators, 0 interfaces.
           S02 NotApplicable: No other system is compared with, or the comparison is not set up.
           S03 NotApplicable: Your system is connected to no other.
           S07 NotApplicable: Your system is connected to no other.
           S08 NotApplicable: Your system is connected to no other.
        Z TooYoung 0/14
           Z06 TooYoung: Updates caused 0 minutes of outage so far.
           Z02 TooYoung: 1 release so far.
        V Unknown 0/16
           V07 Unknown: No list is marked as personal.
           V09 Unknown: Whether records are older than allowed is not yet known.
           V12 TooYoung: 0 accounts have administrator rights, 0 of them unused for 90 days.
    "#]]
    .assert_eq(&told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_counts_and_samples_are_read_from_the_data() {
    let world = World::new();
    world.sell().await;
    world.sell().await;
    let evidence = world.evidence().await;
    let counts: Vec<_> = evidence.counts.unwrap().into_iter().map(|c| (c.table, c.rows)).collect();
    assert_eq!(counts, [("products".to_owned(), 1), ("sales".to_owned(), 2)]);
    let links: Vec<_> =
        evidence.links.unwrap().into_iter().map(|l| (l.field, l.target, l.checked, l.broken)).collect();
    assert_eq!(
        links,
        [
            ("product_id".to_owned(), "products".to_owned(), 2, 0),
            ("buyer_id".to_owned(), "auth.users".to_owned(), 2, 0)
        ]
    );
    let suspects: Vec<_> = evidence.suspects.unwrap().into_iter().map(|s| (s.field, s.reason)).collect();
    assert_eq!(
        suspects,
        [
            ("phone".to_owned(), SuspectReason::Name),
            ("note".to_owned(), SuspectReason::Values { hits: 2, of: 2 })
        ]
    );
    let overdue: Vec<_> = evidence.overdue.unwrap().into_iter().map(|o| (o.table, o.field, o.rows)).collect();
    assert_eq!(overdue, [("sales".to_owned(), "paid_at".to_owned(), 0)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaked_key_and_a_dump_make_the_whole_red() {
    let world = World::new();
    world.public("js/app.js", &format!("const key = '{}';", world.auth.keys().secret));
    world.public("old/shop.sql", "create table");
    world.public(".env", "PASSWORD=x");
    let evidence = world.evidence().await;
    let front = evidence.front.clone().unwrap();
    assert_eq!(front.confidential, [".env", "old/shop.sql"]);
    assert_eq!(front.secrets.len(), 1);
    assert_eq!(front.secrets[0].0, "js/app.js");
    let report = judge(&evidence);
    assert_eq!(report.total.state, State::Red);
    let shown = format!("{report:?}");
    assert!(!shown.contains(&world.auth.keys().secret), "a report never repeats a key");
}
