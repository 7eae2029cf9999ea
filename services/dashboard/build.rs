//! Embeds the built page, `page/dist`, if it is there: each file with its compressed form and a tag of its content.
//!
//! Without it the service says that the page was not built; nothing else depends on it.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write as _,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

/// Shorter ones are not worth it.
const LEAST_COMPRESSED: usize = 256;

fn main() -> Result<(), String> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(|e| e.to_string())?;
    let dist = Path::new(&root).join("page/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR").map_err(|e| e.to_string())?);
    let mut files = BTreeMap::new();
    if dist.join("index.html").is_file() {
        collect(&dist, &dist, &mut files)?;
    }
    let mut code = String::from("&[\n");
    for (index, (name, path)) in files.iter().enumerate() {
        println!("cargo::rerun-if-changed={}", path.display());
        let content = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let gzip = compressed(&content)?;
        let gzip = match gzip.filter(|gzip| gzip.len() < content.len()) {
            Some(gzip) => {
                let file = out.join(format!("{index}.gz"));
                fs::write(&file, gzip).map_err(|e| e.to_string())?;
                format!("Some(include_bytes!({:?}))", file.display().to_string())
            }
            None => "None".to_owned(),
        };
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let tag = hasher.finish();
        writeln!(
            code,
            "    Asset {{ path: {name:?}, content: include_bytes!({:?}), gzip: {gzip}, tag: \"\\\"{tag:016x}\\\"\" }},",
            path.display().to_string()
        )
        .map_err(|e| e.to_string())?;
    }
    code.push_str("]\n");
    fs::write(out.join("assets.rs"), code).map_err(|e| e.to_string())
}

fn collect(root: &Path, dir: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<(), String> {
    for entry in fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))? {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let name = path.strip_prefix(root).map_err(|e| e.to_string())?;
            let name = name.to_str().ok_or("a name that is not UTF-8")?;
            files.insert(name.replace('\\', "/"), path);
        }
    }
    Ok(())
}

fn compressed(content: &[u8]) -> Result<Option<Vec<u8>>, String> {
    if content.len() < LEAST_COMPRESSED {
        return Ok(None);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).map_err(|e| e.to_string())?;
    encoder.finish().map(Some).map_err(|e| e.to_string())
}
