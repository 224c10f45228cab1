//! The example shop is the project everybody knows: it is right, to the last word.

use std::path::Path;

use takt_model::{Project, ProjectFiles};

use crate::{USERS, lines};

#[test]
fn the_example_shop_has_no_problems() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop");
    let mut files = ProjectFiles::default();
    for folder in [".", "schema", "seeds"] {
        for entry in std::fs::read_dir(root.join(folder)).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "toml" || e == "csv") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace("./", "");
                files.0.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let (project, problems) = Project::parse(&files, &[USERS]);
    assert!(problems.is_empty(), "{}", lines(&problems));
    let names: Vec<&str> = project.tables.iter().map(|t| t.name.as_str()).collect();
    for name in ["auth.users", "categories", "order_items", "orders", "products"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!(project.settings.roles, ["staff"]);
}
