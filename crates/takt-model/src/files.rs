//! The text files of a project folder, handed in by whoever may read files.

use std::collections::BTreeMap;

/// Path inside the project folder (with `/`) to its text. Holds `takt.toml`, `schema/*.toml`,
/// `logic/**/*.{ts,js}`, `interfaces/*.toml`, `mails/*`, and the header line of `seeds/*.csv`.
#[derive(Debug, Clone, Default)]
pub struct ProjectFiles(pub BTreeMap<String, String>);

impl ProjectFiles {
    /// The files directly or deeper under `folder` (no trailing slash) that end with `extension` (no dot).
    pub fn under<'a>(
        &'a self,
        folder: &'a str,
        extension: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(path, text)| {
            let inside = path.strip_prefix(folder)?.starts_with('/');
            let fits = path.rsplit_once('.').is_some_and(|(_, ext)| ext == extension);
            (inside && fits).then_some((path.as_str(), text.as_str()))
        })
    }
}

impl<const N: usize> From<[(&str, &str); N]> for ProjectFiles {
    fn from(files: [(&str, &str); N]) -> Self {
        Self(files.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }
}
