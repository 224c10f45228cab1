//! Puts the example shop into the binary, for `takt new NAME --template shop`.
//! Writes one Rust file: a list of paths inside the project with their bytes.

use std::{env, fmt::Write as _, fs, io, path::Path};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shop = root.join("../../examples/shop");
    let mut list = String::from("&[\n");
    add(&shop, &shop, &mut list)?;
    list.push(']');
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("shop.rs"), list)
}

fn add(shop: &Path, folder: &Path, list: &mut String) -> io::Result<()> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') || path == shop.join("data") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            add(shop, &path, list)?;
        } else {
            let inside = path.strip_prefix(shop).map_err(io::Error::other)?.to_string_lossy();
            let full = path.canonicalize()?;
            println!("cargo:rerun-if-changed={}", full.display());
            writeln!(list, "({:?}, include_bytes!({:?})),", inside, full.display().to_string())
                .map_err(io::Error::other)?;
        }
    }
    Ok(())
}
