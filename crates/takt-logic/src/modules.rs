//! The files of `logic/` as modules: compiled once, shared by all threads, found by relative path.

use std::collections::BTreeMap;

use takt_typescript::{Facts, Positions};

/// One file.
#[derive(Debug)]
pub(crate) struct Module {
    /// JavaScript, with the seal's line behind it.
    pub(crate) code: String,
    pub(crate) positions: Positions,
    pub(crate) facts: Facts,
}

/// All files, by path inside the project: `logic/checkout.ts`.
#[derive(Debug, Default)]
pub(crate) struct Modules(BTreeMap<String, Module>);

/// Hands a module's own names to the seal, if one is wanted.
fn with_seal(code: &str, facts: &Facts) -> String {
    format!("{code}\nglobalThis.__takt?.([{}], import.meta);\n", facts.names.join(", "))
}

impl Modules {
    pub(crate) fn insert(&mut self, path: &str, stripped: takt_typescript::Stripped) {
        let code = with_seal(&stripped.code, &stripped.facts);
        let module = Module { code, positions: stripped.positions, facts: stripped.facts };
        self.0.insert(path.to_owned(), module);
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Module> {
        self.0.get(path)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Module)> {
        self.0.iter().map(|(path, module)| (path.as_str(), module))
    }

    /// The module that `specifier` means in the file `base`: relative, and nothing outside `logic/`.
    pub(crate) fn resolve(&self, base: &str, specifier: &str) -> Option<&str> {
        if !specifier.starts_with("./") && !specifier.starts_with("../") {
            return None;
        }
        let mut parts: Vec<&str> = base.split('/').collect();
        parts.pop();
        for part in specifier.split('/') {
            match part {
                "." | "" => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        let path = parts.join("/");
        if !path.starts_with("logic/") {
            return None;
        }
        // `./_money`, `./_money.ts`, and `./_money.js` for a file that is TypeScript, as TypeScript itself wants it.
        let typescript = path.strip_suffix(".js").map(|p| format!("{p}.ts"));
        let tries = [Some(path.clone()), typescript, Some(format!("{path}.ts")), Some(format!("{path}.js"))];
        tries.iter().flatten().find_map(|p| self.0.get_key_value(p)).map(|(p, _)| p.as_str())
    }

    /// `path` and every module that is run with it, directly or not.
    pub(crate) fn reachable<'a>(&'a self, path: &'a str) -> Vec<&'a str> {
        let mut found: Vec<&str> = Vec::new();
        let mut open = vec![path];
        while let Some(path) = open.pop() {
            if found.contains(&path) {
                continue;
            }
            found.push(path);
            let Some(module) = self.0.get(path) else { continue };
            let run = module.facts.imports.iter().filter(|i| !module.facts.erased.contains(&i.name));
            open.extend(run.filter_map(|i| self.resolve(path, &i.name)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::Modules;

    #[test]
    fn only_files_inside_logic_are_found() {
        let mut modules = Modules::default();
        for path in ["logic/a.ts", "logic/_b.js", "logic/deep/c.ts"] {
            modules.insert(path, takt_typescript::strip(path, "export const x = 1;").unwrap());
        }
        for (base, specifier, found) in [
            ("logic/a.ts", "./_b.js", Some("logic/_b.js")),
            ("logic/a.ts", "./_b", Some("logic/_b.js")),
            ("logic/_b.js", "./a.js", Some("logic/a.ts")),
            ("logic/deep/c.ts", "../a", Some("logic/a.ts")),
            ("logic/a.ts", "./deep/c.ts", Some("logic/deep/c.ts")),
            ("logic/a.ts", "../schema/orders.toml", None),
            ("logic/a.ts", "../../etc/passwd", None),
            ("logic/a.ts", "/logic/a.ts", None),
            ("logic/a.ts", "std", None),
            ("logic/a.ts", "node:fs", None),
            ("logic/a.ts", "https://example.com/x.js", None),
        ] {
            assert_eq!(modules.resolve(base, specifier), found, "{specifier} in {base}");
        }
    }
}
