//! How files of `public/` are found and kept: small ones in memory with their compressed variants, large ones on
//! the disk. A kept file is used as long as the disk says that it did not change.

use std::{
    collections::HashMap,
    fs::{self, Metadata},
    io::Read,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use ::http::HeaderValue;
use axum::body::Bytes;
use parking_lot::RwLock;
use ring::digest::{Context, SHA256};

use crate::{
    compress::{self, Effort, Encoding},
    release::hex,
};

/// Larger files stay on the disk.
const MOST_BYTES_OF_ONE: u64 = 1024 * 1024;
/// All kept files with their variants. Reached, they are all forgotten and come back as they are asked for.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// In the order in which we like them for files: smallest first.
const VARIANTS: [Encoding; 2] = [Encoding::Brotli, Encoding::Gzip];

/// The files of a front end.
#[derive(Debug)]
pub(crate) struct StaticFiles {
    root: PathBuf,
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<String, Arc<KeptFile>>,
    bytes: usize,
}

/// What stands at a path.
pub(crate) enum Found {
    /// A file.
    File(Arc<KeptFile>),
    /// A folder with an `index.html`, asked for without its slash.
    Folder,
    /// Nothing that may be shown.
    Nothing,
}

/// A file with everything that its answers need.
#[derive(Debug)]
pub(crate) struct KeptFile {
    stamp: Stamp,
    hash: String,
    /// Bytes of the file itself.
    pub(crate) length: u64,
    pub(crate) content_type: HeaderValue,
    pub(crate) last_modified: HeaderValue,
    pub(crate) content: Content,
    /// Whether it is HTML.
    pub(crate) is_page: bool,
    /// `app.4f2a77c1.js`: another content would have another name.
    pub(crate) has_hash_in_name: bool,
}

/// Where the bytes are.
#[derive(Debug)]
pub(crate) enum Content {
    Memory { plain: Bytes, variants: Vec<(Encoding, Bytes)> },
    Disk(PathBuf),
}

/// What changes whenever a file does.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
    device: u64,
}

impl Stamp {
    fn of(meta: &Metadata) -> Self {
        Self { modified: meta.modified().ok(), length: meta.len(), inode: meta.ino(), device: meta.dev() }
    }
}

impl KeptFile {
    /// Strong: the bytes of this variant, and no others, have it.
    pub(crate) fn etag(&self, encoding: Option<Encoding>) -> HeaderValue {
        let suffix = encoding.map_or("", Encoding::name);
        let text = format!("\"{}{}{suffix}\"", self.hash, if suffix.is_empty() { "" } else { "-" });
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"\""))
    }

    pub(crate) fn encodings(&self) -> Vec<Encoding> {
        match &self.content {
            Content::Memory { variants, .. } => variants.iter().map(|(e, _)| *e).collect(),
            Content::Disk(_) => Vec::new(),
        }
    }

    pub(crate) fn has_variants(&self) -> bool {
        matches!(&self.content, Content::Memory { variants, .. } if !variants.is_empty())
    }

    pub(crate) fn variant(&self, encoding: Encoding) -> Option<Bytes> {
        match &self.content {
            Content::Memory { variants, .. } => {
                variants.iter().find(|(e, _)| *e == encoding).map(|(_, bytes)| bytes.clone())
            }
            Content::Disk(_) => None,
        }
    }

    fn bytes_in_memory(&self) -> usize {
        match &self.content {
            Content::Memory { plain, variants } => {
                plain.len() + variants.iter().map(|(_, b)| b.len()).sum::<usize>()
            }
            Content::Disk(_) => 0,
        }
    }
}

impl StaticFiles {
    /// The files of `root`; it need not exist.
    #[must_use]
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, kept: RwLock::default() }
    }

    /// What stands at the path of a URL.
    pub(crate) async fn find(&self, path: &str) -> Found {
        let Some(name) = file_name(path) else { return Found::Nothing };
        let on_disk = self.root.join(&name);
        let Ok(meta) = fs::metadata(&on_disk) else { return Found::Nothing };
        if meta.is_dir() {
            let has_page = on_disk.join("index.html").is_file();
            return if has_page { Found::Folder } else { Found::Nothing };
        }
        let stamp = Stamp::of(&meta);
        let kept = self.kept.read().files.get(&name).filter(|f| f.stamp == stamp).cloned();
        match kept {
            Some(file) => Found::File(file),
            None => self.load(name, on_disk).await,
        }
    }

    async fn load(&self, name: String, on_disk: PathBuf) -> Found {
        let root = self.root.clone();
        let loaded = tokio::task::spawn_blocking(move || load(&root, &on_disk)).await;
        let Ok(Some(file)) = loaded else { return Found::Nothing };
        let file = Arc::new(file);
        let mut kept = self.kept.write();
        kept.bytes += file.bytes_in_memory();
        if kept.bytes > MOST_BYTES {
            *kept = Kept { files: HashMap::new(), bytes: file.bytes_in_memory() };
        }
        if let Some(old) = kept.files.insert(name, Arc::clone(&file)) {
            kept.bytes = kept.bytes.saturating_sub(old.bytes_in_memory());
        }
        Found::File(file)
    }
}

/// The file inside `public/` that a path means; nothing for paths that may not be asked for.
fn file_name(path: &str) -> Option<String> {
    let path = percent_decoded(path.strip_prefix('/')?)?;
    let path = if path.is_empty() || path.ends_with('/') { path + "index.html" } else { path };
    // The one hidden folder that is meant for everybody (RFC 8615).
    let visible = path.strip_prefix(".well-known/").unwrap_or(&path);
    let is_fine =
        |piece: &str| !piece.is_empty() && !piece.starts_with('.') && !piece.contains(['\\', '\0', ':']);
    visible.split('/').all(is_fine).then_some(path)
}

/// Undoes percent signs; nothing if what comes out is no text.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        if b == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let value = digits.map(|d| char::from(d).to_digit(16));
            bytes.push(u8::try_from(value[0]? * 16 + value[1]?).ok()?);
        } else {
            bytes.push(b);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Reads a file; nothing if a link leads out of the folder, or it cannot be read.
fn load(root: &Path, on_disk: &Path) -> Option<KeptFile> {
    let real = on_disk.canonicalize().ok()?;
    if !real.starts_with(root.canonicalize().ok()?) {
        tracing::warn!(path = %on_disk.display(), "a link in public/ leads out of it and is not followed");
        return None;
    }
    let mut file = fs::File::open(&real).ok()?;
    let meta = file.metadata().ok()?;
    let name = real.file_name()?.to_str()?;
    let content_type = content_type(name);
    let (hash, content) = if meta.len() <= MOST_BYTES_OF_ONE {
        let mut plain = Vec::with_capacity(usize::try_from(meta.len()).ok()?);
        file.read_to_end(&mut plain).ok()?;
        let variants = if compress::is_compressible(&content_type) { variants(&plain) } else { Vec::new() };
        (hash(&plain[..]).ok()?, Content::Memory { plain: plain.into(), variants })
    } else {
        (hash(file).ok()?, Content::Disk(real.clone()))
    };
    Some(KeptFile {
        stamp: Stamp::of(&meta),
        hash,
        length: match &content {
            Content::Memory { plain, .. } => plain.len() as u64,
            Content::Disk(_) => meta.len(),
        },
        is_page: content_type.starts_with("text/html"),
        has_hash_in_name: has_hash(name),
        content_type: HeaderValue::from_str(&content_type).ok()?,
        last_modified: last_modified(&meta)?,
        content,
    })
}

fn last_modified(meta: &Metadata) -> Option<HeaderValue> {
    let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    HeaderValue::from_str(&httpdate::fmt_http_date(modified)).ok()
}

/// Variants that are worth having: at least a tenth smaller.
fn variants(plain: &[u8]) -> Vec<(Encoding, Bytes)> {
    if plain.len() < 256 {
        return Vec::new();
    }
    VARIANTS
        .into_iter()
        .filter_map(|encoding| {
            let small = compress::compress(encoding, Effort::Thorough, plain).ok()?;
            (small.len() < plain.len() / 10 * 9).then(|| (encoding, small.into()))
        })
        .collect()
}

fn hash(mut from: impl Read) -> std::io::Result<String> {
    let mut hash = Context::new(&SHA256);
    let mut chunk = [0; 16 * 1024];
    loop {
        let n = from.read(&mut chunk)?;
        if n == 0 {
            break;
        }
        hash.update(&chunk[..n]);
    }
    Ok(hex(hash.finish().as_ref().get(..12).unwrap_or_default()))
}

fn content_type(name: &str) -> String {
    let kind = mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream");
    let is_text = kind.starts_with("text/")
        || matches!(
            kind,
            "application/javascript" | "application/json" | "application/xml" | "image/svg+xml"
        );
    if is_text { format!("{kind}; charset=utf-8") } else { kind.to_owned() }
}

/// Whether a piece of the name before the ending looks like a fingerprint: 8 or more hex digits, not all letters.
fn has_hash(name: &str) -> bool {
    let Some((stem, _ending)) = name.rsplit_once('.') else { return false };
    let last = stem.rsplit(['.', '-', '_']).next().unwrap_or_default();
    last.len() < stem.len()
        && last.len() >= 8
        && last.bytes().all(|b| b.is_ascii_hexdigit())
        && last.bytes().any(|b| b.is_ascii_digit())
        && last.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn only_plain_paths_name_a_file() {
        for (path, expected) in [
            ("/", Some("index.html")),
            ("/shop/", Some("shop/index.html")),
            ("/css/shop.css", Some("css/shop.css")),
            ("/Gr%C3%BCner%20Tee.svg", Some("Grüner Tee.svg")),
            ("/.env", None),
            ("/.well-known/security.txt", Some(".well-known/security.txt")),
            ("/.well-known/acme-challenge/a-B_9", Some(".well-known/acme-challenge/a-B_9")),
            ("/%2Ewell-known/security.txt", Some(".well-known/security.txt")),
            ("/.well-known", None),
            ("/.well-known/.htpasswd", None),
            ("/.well-known/../takt.toml", None),
            ("/.well-known//etc/passwd", None),
            ("/.well-known/.well-known/a", None),
            ("/a/.well-known/b", None),
            ("/.well-known2/a", None),
            ("/.Well-Known/a", None),
            ("/.git/config", None),
            ("/a/../takt.toml", None),
            ("/a/%2e%2e/takt.toml", None),
            ("/%2e%2e%2ftakt.toml", None),
            ("//etc/passwd", None),
            ("/a//b", None),
            ("/a\\b", None),
            ("/%00", None),
            ("/%ff", None),
            ("/%4", None),
            ("/./a", None),
        ] {
            assert_eq!(file_name(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn names_with_a_fingerprint_are_known() {
        for (name, expected) in [
            ("app.4f2a77c1.js", true),
            ("app-4f2a77c19.css", true),
            ("app.js", false),
            ("4f2a77c1.js", false),
            ("20261123.csv", false),
            ("report-20261123.csv", false),
            ("deadbeef-facade.js", false),
        ] {
            assert_eq!(has_hash(name), expected, "{name}");
        }
    }

    #[tokio::test]
    async fn a_link_out_of_the_folder_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("public");
        fs::create_dir(&root).unwrap();
        fs::write(dir.path().join("secret.txt"), "secret").unwrap();
        fs::write(root.join("a.txt"), "a").unwrap();
        std::os::unix::fs::symlink("../secret.txt", root.join("out.txt")).unwrap();
        std::os::unix::fs::symlink("a.txt", root.join("in.txt")).unwrap();
        let files = StaticFiles::new(root);
        assert!(matches!(files.find("/in.txt").await, Found::File(_)));
        assert!(matches!(files.find("/out.txt").await, Found::Nothing));
    }

    #[tokio::test]
    async fn a_changed_file_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.css");
        fs::write(&path, "a { color: red }").unwrap();
        let files = StaticFiles::new(dir.path().to_owned());
        let hash = async || match files.find("/a.css").await {
            Found::File(file) => file.hash.clone(),
            Found::Folder | Found::Nothing => String::new(),
        };
        let before = hash().await;
        assert_eq!(before, hash().await);
        fs::write(&path, "a { color: green }").unwrap();
        assert_ne!(before, hash().await);
    }
}
