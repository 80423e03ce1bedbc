//! The shape of the source: who names whom, as docs/architecture.md has it in a table, and the rules
//! that rustc does not know.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every source file below `folder`, with its text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let text = std::fs::read_to_string(&path).expect("readable");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    assert!(!found.is_empty());
    found
}

/// What stands before the tests of a file: those may name whatever they like.
fn product(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

/// The table: each layer's modules and the layers that it may name.
fn table() -> BTreeMap<String, Vec<String>> {
    let text = include_str!("../../docs/architecture.md");
    let words = |cell: &str| {
        cell.replace(',', " ").split_whitespace().map(|w| w.trim_matches('`').to_owned()).collect::<Vec<_>>()
    };
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| Layer"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let mut modules: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut allowed = BTreeMap::new();
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let own = words(cells[1]);
        let mut known: Vec<String> = own.clone();
        for layer in words(cells[2]) {
            known.extend(
                modules
                    .get(&layer)
                    .unwrap_or_else(|| panic!("{layer} does not stand above {}", cells[0]))
                    .clone(),
            );
        }
        modules.insert(words(cells[0])[0].clone(), own.clone());
        allowed.extend(own.into_iter().map(|module| (module, known.clone())));
    }
    assert!(allowed.len() > 15, "the table was read");
    allowed
}

#[test]
fn modules_name_only_what_stands_above_them() {
    let table = table();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (path, text) in sources("src") {
        let relative = path.strip_prefix(&root).expect("below src");
        let module = relative.components().next().expect("a name").as_os_str().to_string_lossy();
        let module = module.trim_end_matches(".rs");
        if ["lib", "main"].contains(&module) {
            continue;
        }
        let known = table
            .get(module)
            .unwrap_or_else(|| panic!("{module} is not in the table of docs/architecture.md"));
        for named in product(&text).split("crate::").skip(1) {
            let named: String = named.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            assert!(
                named.is_empty() || known.contains(&named),
                "{} may not name {named}",
                relative.display()
            );
        }
    }
}

#[test]
fn files_introduce_themselves_and_stay_short() {
    for folder in ["src", "tests", "benches", "fuzz/fuzz_targets", "fuzz/src"] {
        for (path, text) in sources(folder) {
            let header = text.lines().take_while(|line| line.starts_with("//!")).count();
            // A picture or a table of the bytes may make a header longer.
            assert!((1..=20).contains(&header), "{}: a header of {header} lines", path.display());
            assert!(text.lines().count() <= 400, "{} has {} lines", path.display(), text.lines().count());
        }
    }
}

#[test]
fn the_core_is_pure() {
    let core = [
        "addr", "id", "key", "limits", "rng", "text", "time", "why", "wire", "api", "link", "node",
        "session", "world", "sim",
    ];
    let impure = [
        "std::net::Tcp",
        "std::fs",
        "std::thread",
        "Instant",
        "SystemTime",
        "HashMap",
        "HashSet",
        "async ",
        "println!",
        "std::env",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (path, text) in sources("src") {
        let relative = path.strip_prefix(&root).expect("below src");
        let module = relative.components().next().expect("a name").as_os_str().to_string_lossy();
        if core.contains(&module.trim_end_matches(".rs")) {
            for word in impure {
                assert!(!product(&text).contains(word), "{} has {word}", path.display());
            }
        }
    }
}

#[test]
fn one_place_names_snow_and_one_asks_the_time() {
    for (path, text) in sources("src") {
        let path = path.display().to_string();
        let text = product(&text);
        let bench = path.contains("/bench/");
        assert!(!text.contains("snow::") || path.ends_with("link/noise.rs") || bench, "{path} names snow");
        // A leak of the real time is one of the faults that a build for tests may have.
        let planted = path.ends_with("src/planted.rs");
        let asks = text.contains("Instant::now") || text.contains("SystemTime::now");
        assert!(
            !asks || path.ends_with("live/clock.rs") || path.contains("/shell/printer") || bench || planted,
            "{path} asks the time"
        );
        assert!(!text.contains("unbounded"), "{path} has something without a bound");
    }
}

#[test]
fn only_the_imaginary_world_has_another_cipher() {
    for (path, text) in sources("src") {
        let path = path.display().to_string();
        let (text, imaginary) = (product(&text), path.contains("/sim/"));
        assert!(!text.to_lowercase().contains("sham") || imaginary, "{path} names the sham");
        let chooses = text.contains("with_cipher") || text.contains("Cipher::of");
        assert!(!chooses || imaginary || path.ends_with("node/mod.rs"), "{path} chooses a cipher");
    }
}

/// Whoever unpacks what others sent can be sent a bomb.
#[test]
fn nothing_is_ever_unpacked() {
    let lock = include_str!("../../Cargo.lock");
    let packers = [
        "flate2", "miniz", "zstd", "brotli", "lz4", "lzma", "xz", "snap", "bzip2", "deflate", "zip",
        "inflate",
    ];
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    let names: Vec<_> = names.collect();
    assert!(names.len() > 100 && names.contains(&"snow"), "the list was read");
    // What std itself is built with, of which nothing can be called, is not in the list.
    let found: Vec<_> =
        names.iter().filter(|name| packers.iter().any(|packer| name.contains(packer))).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn names_are_the_fields_words() {
    for (path, text) in sources("src") {
        for word in ["Manager", "Handler", "Util", "Common", "Info", "Service"] {
            let defines = |kind: &str| {
                text.lines().any(|line| line.contains(kind) && line.contains(&format!("{word} ")))
            };
            assert!(
                !["struct ", "enum ", "trait "].iter().any(|kind| defines(kind)),
                "{} defines a {word}",
                path.display()
            );
        }
    }
}

#[test]
fn the_readme_has_the_verbs_as_they_are() {
    let readme = include_str!("../../README.md");
    let table = hobnob::api::help::markdown_table();
    assert!(readme.contains(table.trim()), "README.md should have this table:\n{table}");
}

#[test]
fn the_changelog_knows_this_version() {
    assert!(include_str!("../../CHANGELOG.md").contains(env!("CARGO_PKG_VERSION")));
}
