//! Whose a folder is, who may use it at the same time, and what is refused there: always with a message
//! that says what to do, and without anything being changed.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Barrier;

use hobnob::id::SaveId;
use hobnob::node::record::{Answer, Query};
use hobnob::store::Store;
use hobnob::store::sqlite::OpenError;
use rusqlite::Connection;

use crate::script::Script;
use crate::{answer, open};

fn mode(path: &Path) -> u32 {
    path.metadata().expect("there").permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("ours");
}

/// Why a folder is refused, with everything in it as before.
fn refused(folder: &Path) -> OpenError {
    let all = || {
        let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path());
        let mut files: Vec<_> = files.filter(|path| !path.ends_with("lock")).collect();
        files.sort();
        files
            .into_iter()
            .map(|path| (path.clone(), std::fs::read(path).expect("readable")))
            .collect::<Vec<_>>()
    };
    let before = all();
    let error = open(folder).err().expect("refused");
    assert!(before == all(), "a file was changed: {error}");
    error
}

/// A folder in which a store was.
fn used() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path()).expect("opens");
    store.save(SaveId(1), Script::new(1).records(50));
    assert!(matches!(answer(&mut store), Answer::Saved { .. }));
    folder
}

fn sql(folder: &Path, sql: &str) {
    Connection::open(folder.join("hobnob.db")).and_then(|db| db.execute_batch(sql)).expect(sql);
}

#[test]
fn all_that_is_made_is_ours_alone_whatever_the_umask() {
    let folder = tempfile::tempdir().expect("a folder");
    let (above, path) = (folder.path().join("a"), folder.path().join("a/b"));
    let before = rustix::process::umask(rustix::fs::Mode::empty());
    let mut store = open(&path).expect("opens");
    store.save(SaveId(1), Script::new(1).records(50));
    answer(&mut store);
    rustix::process::umask(before);
    assert_eq!((mode(&above), mode(&path)), (0o700, 0o700));
    for file in ["hobnob.db", "hobnob.db-wal", "lock"] {
        assert_eq!(mode(&path.join(file)), 0o600, "{file}");
    }
    assert!(!path.join("hobnob.db-shm").exists(), "nobody else is to read it");
    drop(store);
    let left: Vec<_> =
        std::fs::read_dir(&path).expect("a folder").map(|file| file.expect("read").file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn one_program_has_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path()).expect("opens");
    let error = open(folder.path()).err().expect("refused").to_string();
    let pid = std::process::id();
    assert!(error.ends_with(&format!(
        "is in use by process {pid}; give another folder with --data DIR, or --ephemeral"
    )));
    drop(store);
    for _ in 0..20 {
        let (start, end) = (Barrier::new(4), Barrier::new(4));
        let race = || {
            start.wait();
            let opened = open(folder.path());
            end.wait();
            match opened {
                Ok(_) => 1,
                Err(OpenError::InUse { .. }) => 0,
                Err(error) => panic!("{error}"),
            }
        };
        let won: i32 = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..4).map(|_| scope.spawn(race)).collect();
            racers.into_iter().map(|racer| racer.join().expect("no panic")).sum()
        });
        assert_eq!(won, 1);
    }
}

#[test]
fn another_program_that_reads_the_file_is_noticed() {
    let folder = used();
    let other = Connection::open(folder.path().join("hobnob.db")).expect("opens");
    other.execute_batch("BEGIN; SELECT * FROM settings;").expect("reads");
    let error = open(folder.path()).err().expect("refused");
    assert!(matches!(error, OpenError::InUse { pid: None, .. }), "{error}");
}

#[test]
fn what_others_may_write_or_read_is_refused() {
    let folder = used();
    set_mode(folder.path(), 0o777);
    assert!(refused(folder.path()).to_string().contains("others may write there; chmod 700 /"));
    set_mode(folder.path(), 0o755);
    drop(open(folder.path()).expect("that others may look into it is no harm"));
    set_mode(&folder.path().join("hobnob.db"), 0o644);
    assert!(refused(folder.path()).to_string().contains("chmod 600 /"));
    set_mode(&folder.path().join("hobnob.db"), 0o600);
    drop(open(folder.path()).expect("opens"));
    let file = folder.path().join("hobnob.db/sub");
    assert!(matches!(open(&file).err().expect("refused"), OpenError::Unusable { .. }));
}

#[test]
fn a_file_that_cannot_be_ours_is_refused() {
    let newer = used();
    sql(newer.path(), "PRAGMA user_version = 99");
    let error = refused(newer.path()).to_string();
    assert!(
        error.contains("was written by a newer hobnob (its schema is 99, this one knows up to 2)"),
        "{error}"
    );

    let foreign = used();
    sql(foreign.path(), "PRAGMA application_id = 0");
    assert!(matches!(refused(foreign.path()), OpenError::Foreign { .. }));

    for (change, what) in [
        ("DELETE FROM identity", "our identity is missing"),
        ("DROP TABLE identity", "no such table: identity"),
        ("UPDATE peers SET waiting = waiting + 1", "messages that wait are missing"),
    ] {
        let folder = used();
        sql(folder.path(), change);
        let error = open(folder.path()).err().expect("refused").to_string();
        assert!(error.contains(what), "{change}: {error}");
    }

    let missing = used();
    let file = missing.path().join("hobnob.db");
    std::fs::rename(&file, missing.path().join("hobnob.db-wal")).expect("renamed");
    let error = refused(missing.path()).to_string();
    assert!(error.contains("it is missing, and what was written ahead for it is there"), "{error}");
}

#[test]
fn a_file_that_was_cut_short_is_refused_and_never_made_anew() {
    let folder = used();
    let file = folder.path().join("hobnob.db");
    let whole = std::fs::read(&file).expect("readable");
    let ends = (0..101).chain((101..whole.len()).step_by(1_999)).chain([whole.len() - 1]);
    for end in ends {
        std::fs::write(&file, &whole[..end]).expect("written");
        assert!(matches!(refused(folder.path()), OpenError::Damaged { .. } | OpenError::Foreign { .. }));
    }
    std::fs::write(&file, &whole).expect("written");
    drop(open(folder.path()).expect("opens"));
}

#[test]
fn an_older_file_is_copied_and_brought_up_to_date() {
    let folder = used();
    let before = open(folder.path()).expect("opens").load();
    sql(folder.path(), "DROP TABLE words; DROP TABLE indexed; PRAGMA user_version = 1");
    let mut store = open(folder.path()).expect("opens");
    assert_eq!(store.load(), before);
    store.look_up(hobnob::id::LoadId(1), Query { with: None, find: Some("deploy".into()), last: 9 });
    assert!(matches!(answer(&mut store), Answer::Found { rows: Ok(rows), .. } if !rows.is_empty()));
    let copy = folder.path().join("hobnob.db.schema-1");
    assert_eq!(mode(&copy), 0o600);
    let version =
        Connection::open(copy).and_then(|db| db.query_row("PRAGMA user_version", [], |row| row.get(0)));
    assert_eq!(version, Ok(1));
}
