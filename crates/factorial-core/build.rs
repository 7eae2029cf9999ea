//! Expands `--- @include "name"` in `lua/*.lua` and turns the key segments into Lua locals, so that a script is one
//! self-contained text at run time and plain `cargo build` is all it takes.

use std::{
    collections::BTreeSet,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Expands one file into its includes and its own part; `seen` keeps an include from being pasted twice, `stack` names a cycle.
fn expand(
    dir: &Path,
    file: &Path,
    seen: &mut BTreeSet<String>,
    stack: &mut Vec<String>,
) -> Result<(String, String), String> {
    let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let (mut includes, mut own) = (String::new(), String::new());
    for line in text.lines() {
        let Some(name) = line
            .strip_prefix("--- @include \"")
            .and_then(|rest| rest.strip_suffix('"'))
        else {
            let code = line.trim_start();
            if !code.is_empty() && !code.starts_with("--") {
                own.push_str(line);
                own.push('\n');
            }
            continue;
        };
        if stack.iter().any(|n| n == name) {
            return Err(format!("include cycle: {} -> {name}", stack.join(" -> ")));
        }
        if seen.insert(name.to_owned()) {
            stack.push(name.to_owned());
            let (theirs, itself) = expand(
                dir,
                &dir.join("includes").join(format!("{name}.lua")),
                seen,
                stack,
            )?;
            includes.push_str(&theirs);
            includes.push_str(&itself);
            stack.pop();
        }
    }
    Ok((includes, own))
}

/// A script that gathers writes (includes/tally.lua) makes them when its own part has returned, wherever that is.
/// Its own part is what follows the last include.
fn with_tally(includes: &str, own: &str) -> String {
    if includes.contains("local function write_tally()") {
        format!(
            "{includes}local function main()\n{own}end\nlocal reply = main()\nwrite_tally()\nreturn reply\n"
        )
    } else {
        format!("{includes}{own}")
    }
}

/// `pub const NAME: &str = "text";` lines become `local K_NAME = "text"`, for the names that the script uses.
fn key_locals(segments: &str, script: &str) -> String {
    let mut out = String::new();
    for line in segments.lines() {
        let Some((name, value)) = line
            .strip_prefix("pub const ")
            .and_then(|l| l.split_once(": &str = "))
        else {
            continue;
        };
        let local = format!("K_{name}");
        let used = script.match_indices(&local).any(|(at, _)| {
            !script[at + local.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        });
        if used {
            let _ = writeln!(out, "local {local} = {}", value.trim_end_matches(';'));
        }
    }
    out
}

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-changed=lua");
    println!("cargo::rerun-if-changed=src/segments.rs");
    let segments = fs::read_to_string("src/segments.rs").map_err(|e| e.to_string())?;
    let out_dir = PathBuf::from(env::var("OUT_DIR").map_err(|e| e.to_string())?);
    let dir = Path::new("lua");
    for entry in fs::read_dir(dir).map_err(|e| e.to_string())? {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.extension().is_some_and(|e| e == "lua") {
            let (includes, own) = expand(dir, &path, &mut BTreeSet::new(), &mut Vec::new())?;
            let body = with_tally(&includes, &own);
            // A local is found faster than a field of a global.
            let body = body.replace("redis.call(", "call(");
            let text = format!(
                "local B, call = KEYS[1], redis.call\n{}{body}",
                key_locals(&segments, &body)
            );
            let name = path.file_name().ok_or("file name")?;
            fs::write(out_dir.join(name), text).map_err(|e| e.to_string())?;
        }
    }
    Ok(())
}
