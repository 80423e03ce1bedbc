//! A run in one file: a plain `tar` with the script and what it imports, how it was run, every event,
//! the stable transcript and the page. One run makes the same bytes every time. The reader takes
//! nothing but such a file: plain members, each once, with relative names that stay inside, within
//! bounds. Knows no files of its own: bytes come and go.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read as _;
use tar::{Archive, Builder, EntryType, Header};

use crate::limits::{BUNDLE_BYTES_MAX, BUNDLE_FILE_MAX, BUNDLE_FILES_MAX, EVENTS_BYTES_MAX};
use crate::play::Play;
use crate::report::events::ReadError;
use crate::report::{events, html, stable};
use crate::text::escape_display;

/// A run with all that it takes to run it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// Which of the files is the script that was run.
    pub script: String,
    /// The script and what it imports: names relative to the script's folder, with `/`.
    pub files: Vec<(String, Vec<u8>)>,
    /// What happened.
    pub play: Play,
    /// The hash of somebody else's program that was run, in hex; empty if there was none.
    pub program: String,
    /// The arguments of the run.
    pub args: Vec<String>,
}

/// Why a bundle cannot be written or read. Nothing was taken from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// It has this many bytes.
    #[error("a bundle of {0} bytes is too big; the limit is {BUNDLE_BYTES_MAX} bytes")]
    TooBig(usize),
    /// It has too many files.
    #[error("a bundle may hold {BUNDLE_FILES_MAX} files and no more")]
    TooMany,
    /// It is no such file.
    #[error("no bundle: {0}; give a file that `hobnob run --bundle` wrote")]
    NotOne(String),
    /// Something is wrong with one member.
    #[error("\"{name}\" in the bundle: {why}")]
    Member {
        /// Its name, escaped and cut.
        name: String,
        /// What.
        why: String,
    },
    /// Its events cannot be read.
    #[error("\"events.ndjson\" in the bundle: {0}")]
    Events(#[from] ReadError),
}

/// What a bundle says about itself.
#[derive(Serialize, Deserialize)]
struct Manifest {
    v: u64,
    hobnob: String,
    script: String,
    seed: u64,
    world: String,
    program: String,
    args: Vec<String>,
    files: Vec<String>,
}

const VERSION: u64 = 1;
const MANIFEST: &str = "manifest.json";
const EVENTS: &str = "events.ndjson";
const STABLE: &str = "stable.txt";
const PAGE: &str = "report.html";
const FOLDER: &str = "script/";
/// Where an archive says that it is one.
const MAGIC: usize = 257;

/// The bytes of a bundle.
///
/// # Errors
/// A name is no relative name, stands twice, or the script is not among the files; or it is too big.
pub fn write(bundle: &Bundle) -> Result<Vec<u8>, BundleError> {
    let manifest = Manifest {
        v: VERSION,
        hobnob: bundle.play.head.hobnob.clone(),
        script: bundle.script.clone(),
        seed: bundle.play.head.seed,
        world: bundle.play.head.world.word().to_owned(),
        program: bundle.program.clone(),
        args: bundle.args.clone(),
        files: bundle.files.iter().map(|(name, _)| name.clone()).collect(),
    };
    check_files(&manifest.script, bundle.files.iter().map(|(name, data)| (name.as_str(), data.len())))?;
    let mut text =
        serde_json::to_vec_pretty(&manifest).map_err(|error| member(MANIFEST, &error.to_string()))?;
    text.push(b'\n');
    let mut tar = Builder::new(Vec::new());
    put(&mut tar, MANIFEST, &text)?;
    for (name, data) in &bundle.files {
        put(&mut tar, &format!("{FOLDER}{name}"), data)?;
    }
    put(&mut tar, EVENTS, &events::write(&bundle.play))?;
    put(&mut tar, STABLE, stable::write(&bundle.play).as_bytes())?;
    put(&mut tar, PAGE, html::write(&bundle.play).as_bytes())?;
    let bytes = tar.into_inner().map_err(|error| BundleError::NotOne(error.to_string()))?;
    if bytes.len() > BUNDLE_BYTES_MAX { Err(BundleError::TooBig(bytes.len())) } else { Ok(bytes) }
}

/// What is in a bundle that somebody else may have made. The transcript and the page in it are for
/// people: whoever wants them makes them anew from the events.
///
/// # Errors
/// It is no bundle, not a whole one, or too big; the error names the member.
pub fn read(bytes: &[u8]) -> Result<Bundle, BundleError> {
    if bytes.len() > BUNDLE_BYTES_MAX {
        return Err(BundleError::TooBig(bytes.len()));
    }
    let mut members = members(bytes)?;
    let mut take = |name: &str| members.remove(name).ok_or_else(|| member(name, "it is missing"));
    let manifest: Manifest =
        serde_json::from_slice(&take(MANIFEST)?).map_err(|error| member(MANIFEST, &error.to_string()))?;
    if manifest.v != VERSION {
        let why = format!("version {} of bundles; this program reads {VERSION}: use a newer one", manifest.v);
        return Err(member(MANIFEST, &why));
    }
    let play = events::read(&take(EVENTS)?)?;
    take(STABLE)?;
    take(PAGE)?;
    let mut files = Vec::new();
    for name in manifest.files {
        let data = take(&format!("{FOLDER}{name}"))?;
        files.push((name, data));
    }
    if let Some(extra) = members.keys().next() {
        return Err(member(extra, "it does not belong there"));
    }
    check_files(&manifest.script, files.iter().map(|(name, data)| (name.as_str(), data.len())))?;
    let Manifest { script, program, args, .. } = manifest;
    Ok(Bundle { script, files, play, program, args })
}

/// Every member by its name.
fn members(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    let broken = |error: std::io::Error| BundleError::NotOne(cut(&error.to_string()));
    // Of something else the reader of archives would say what of its bytes is no number.
    if bytes.get(MAGIC..).is_none_or(|rest| !rest.starts_with(b"ustar")) {
        return Err(BundleError::NotOne("it does not begin as one".into()));
    }
    let mut members = BTreeMap::new();
    // Raw, as extensions that rename the next member or make it bigger are nothing we write.
    for entry in Archive::new(bytes).entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.header().path_bytes()).into_owned();
        if members.len() > BUNDLE_FILES_MAX + 4 {
            return Err(BundleError::TooMany);
        }
        if entry.header().entry_type() != EntryType::Regular {
            return Err(member(&name, "it is no plain file; links and folders are not taken"));
        }
        check_name(&name)?;
        let bound = if name == EVENTS || name == PAGE { EVENTS_BYTES_MAX } else { BUNDLE_FILE_MAX };
        let mut data = Vec::new();
        let length = (&mut entry).take(bound as u64 + 1).read_to_end(&mut data).map_err(broken)?;
        if length > bound || entry.size() > bound as u64 {
            return Err(member(&name, &format!("more than {bound} bytes are too many")));
        }
        if entry.size() != length as u64 {
            return Err(member(&name, "it is cut off"));
        }
        if members.insert(name.clone(), data).is_some() {
            return Err(member(&name, "it is there twice"));
        }
    }
    Ok(members)
}

fn put(tar: &mut Builder<Vec<u8>>, name: &str, data: &[u8]) -> Result<(), BundleError> {
    let wrong = |error: std::io::Error| member(name, &error.to_string());
    let mut header = Header::new_ustar();
    header.set_path(name).map_err(wrong)?;
    header.set_size(data.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    tar.append(&header, data).map_err(wrong)
}

fn check_files<'a>(script: &str, files: impl Iterator<Item = (&'a str, usize)>) -> Result<(), BundleError> {
    let mut names = std::collections::BTreeSet::new();
    for (name, length) in files {
        check_name(name)?;
        if length > BUNDLE_FILE_MAX {
            return Err(member(name, &format!("more than {BUNDLE_FILE_MAX} bytes are too many")));
        }
        if !names.insert(name) {
            return Err(member(name, "it is there twice"));
        }
    }
    if names.len() > BUNDLE_FILES_MAX {
        return Err(BundleError::TooMany);
    }
    if names.contains(script) { Ok(()) } else { Err(member(script, "the script is missing")) }
}

/// A relative name that stays where it is put, on any system.
fn check_name(name: &str) -> Result<(), BundleError> {
    let odd = |c: char| crate::text::is_hidden(c) || matches!(c, '\\' | ':' | char::REPLACEMENT_CHARACTER);
    let outside = name.split('/').any(|part| matches!(part, "" | "." | ".."));
    if name.contains(odd) || outside {
        return Err(member(name, "its name could lead out of a folder"));
    }
    Ok(())
}

fn member(name: &str, why: &str) -> BundleError {
    BundleError::Member { name: cut(name), why: cut(why) }
}

fn cut(text: &str) -> String {
    escape_display(&text.chars().take(200).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::Sample;

    fn bundle() -> Bundle {
        Bundle {
            script: "demo.rhai".into(),
            files: vec![
                ("demo.rhai".into(), b"import \"lib/talk\";".to_vec()),
                ("lib/talk.rhai".into(), Vec::new()),
            ],
            play: Sample::graded().end(4),
            program: "00ff".into(),
            args: vec!["--seed".into(), "7".into()],
        }
    }

    /// A tar of these members, whatever their names: a header takes any bytes.
    fn tar(members: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut tar = Builder::new(Vec::new());
        for (name, kind, data) in members {
            let mut header = Header::new_ustar();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(data.len() as u64);
            header.set_entry_type(*kind);
            header.set_cksum();
            tar.append(&header, *data).expect("memory");
        }
        tar.into_inner().expect("memory")
    }

    #[test]
    fn what_is_written_is_read_back() {
        let bytes = write(&bundle()).expect("it fits");
        assert_eq!(bytes, write(&bundle()).expect("it fits"));
        assert_eq!(read(&bytes), Ok(bundle()));
        let names: Vec<_> = Archive::new(&*bytes)
            .entries()
            .expect("a tar")
            .map(|entry| {
                let entry = entry.expect("a member");
                let header = entry.header();
                assert_eq!(
                    (header.mode().ok(), header.mtime().ok(), header.uid().ok()),
                    (Some(0o644), Some(0), Some(0))
                );
                entry.path().expect("a name").display().to_string()
            })
            .collect();
        assert_eq!(names, [MANIFEST, "script/demo.rhai", "script/lib/talk.rhai", EVENTS, STABLE, PAGE]);
    }

    #[test]
    fn what_leads_out_is_refused() {
        let file = EntryType::Regular;
        for (name, kind, why) in [
            ("../x", file, "lead out"),
            ("/etc/passwd", file, "lead out"),
            ("script/../../x", file, "lead out"),
            ("script//x", file, "lead out"),
            ("c:x", file, "lead out"),
            ("script\\x", file, "lead out"),
            ("a\nb", file, "\"a\\nb\" in the bundle: its name could lead out"),
            ("script/x", EntryType::Symlink, "no plain file"),
            ("script/x", EntryType::Link, "no plain file"),
            ("script", EntryType::Directory, "no plain file"),
            ("x", EntryType::GNULongName, "no plain file"),
            ("x", EntryType::XHeader, "no plain file"),
            ("x", EntryType::GNUSparse, "no plain file"),
        ] {
            let error = read(&tar(&[(name, kind, b"")])).expect_err(name).to_string();
            assert!(error.contains(why), "{name}: {error}");
            if kind == file {
                let mut bundle = bundle();
                bundle.files.push((name.into(), Vec::new()));
                assert!(write(&bundle).is_err() || name == "script//x" || name.starts_with("script/.."));
            }
        }
        let twice = tar(&[("x", file, b"a"), ("x", file, b"b")]);
        assert!(
            read(&twice).expect_err("twice").to_string().contains("\"x\" in the bundle: it is there twice")
        );
        let big = vec![0; BUNDLE_FILE_MAX + 1];
        assert!(read(&tar(&[("x", file, &big)])).expect_err("big").to_string().contains("too many"));
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let bytes = write(&bundle()).expect("it fits");
        for length in [0, 1, 511, 512, 600, 1_024, 2_048, bytes.len() / 2] {
            assert!(read(&bytes[..length]).is_err(), "{length}");
        }
        assert!(read(b"hello").is_err());
        let extra = tar(&[("manifest.json", EntryType::Regular, b"{}")]);
        assert!(
            read(&extra).expect_err("no fields").to_string().starts_with("\"manifest.json\" in the bundle")
        );
        let mut without = bundle();
        without.script = "other.rhai".into();
        assert!(write(&without).expect_err("missing").to_string().contains("the script is missing"));
    }
}
