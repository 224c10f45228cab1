//! Fields with `personal = "secret"` in the content of deliveries: masked for everybody, whatever the reason. Pure.
//! Not here: other personal values, which a reason shows (`takt-interfaces` masks them without one).

use serde_json::Value as Json;
use takt_model::Project;

const SECRET: &str = "secret";
const MASK: &str = "•••";

/// Puts dots in the place of every secret, however deep it stands, and says whether there was one. A field is found by
/// its name, as other personal fields in contents are: it is one if it is one in some table.
pub(crate) fn mask(project: &Project, content: &mut Json) -> bool {
    match content {
        Json::Object(map) => {
            let mut found = false;
            for (name, value) in map {
                if !value.is_null() && is_secret(project, name) {
                    *value = Json::from(MASK);
                    found = true;
                } else {
                    found |= mask(project, value);
                }
            }
            found
        }
        Json::Array(list) => {
            let mut found = false;
            for value in list {
                found |= mask(project, value);
            }
            found
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

fn is_secret(project: &Project, name: &str) -> bool {
    project.tables.iter().filter_map(|t| t.field(name)).any(|f| f.personal.as_deref() == Some(SECRET))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use takt_model::ProjectFiles;

    use super::*;

    #[test]
    fn secrets_are_found_by_name_however_deep() {
        let files = ProjectFiles::from([
            ("takt.toml", "name = \"Test\"\nlanguages = [\"de\", \"en\"]\n"),
            (
                "schema/contacts.toml",
                "label = { en = \"Contacts\", de = \"Kontakte\" }\n[fields]\nid = { type = \"uuid\", primary_key = true }\n\
                 token = { type = \"text\", personal = \"secret\" }\n\
                 email = { type = \"text\", personal = \"contact\" }\n",
            ),
        ]);
        let (project, problems) = Project::parse(&files, &[]);
        assert_eq!(problems.len(), 0, "{problems:?}");
        for (content, masked, found) in [
            (json!({"token": "t", "email": "e"}), json!({"token": "•••", "email": "e"}), true),
            (json!({"c": [{"n": 1}, {"token": {"a": 1}}]}), json!({"c": [{"n": 1}, {"token": "•••"}]}), true),
            (json!({"token": null, "n": ["token"]}), json!({"token": null, "n": ["token"]}), false),
            (json!("token"), json!("token"), false),
        ] {
            let mut is = content.clone();
            assert_eq!((mask(&project, &mut is), &is), (found, &masked), "{content}");
        }
    }
}
