//! Search. An index of words is kept, and kept up when there is nothing else to do: in a commit it
//! would cost more than the message. So the latest messages may not be in it yet; those are looked
//! through one by one. What a word is, `words.rs` alone decides: SQLite is handed words and blanks.

use rusqlite::{Connection, Rows, params};

use super::error::Trouble;
use super::read::{COLUMNS, MESSAGES, Whose, log_row};
use crate::node::record::LogRow;
use crate::store::words::{Asked, spread};

/// Words that the index is asked for; whether the others are there is seen in the text.
const ASKED_MAX: usize = 16;

/// Whoever has said no more than this is looked through: the index has a word's messages of everybody.
const FEW: i64 = 10_000;

/// The latest messages with all of these words, the newest first.
pub(super) fn rows(db: &Connection, whose: &Whose, find: &str, last: usize) -> Result<Vec<LogRow>, Trouble> {
    let asked = Asked::new(find);
    // A word is letters and digits, so quotes are all that it takes to be no syntax.
    let words: Vec<String> = asked.words().take(ASKED_MAX).map(|word| format!("\"{word}\"*")).collect();
    let mut found = Vec::new();
    if words.is_empty() {
        return Ok(found);
    }
    let whose_are = whose.condition();
    let up_to: i64 = if says_little(db, whose)? {
        0
    } else {
        db.query_row("SELECT up_to FROM indexed", [], |row| row.get(0))?
    };
    let sql = format!("SELECT {COLUMNS} FROM {MESSAGES} WHERE {whose_are} AND m.n > ?2 ORDER BY m.n DESC");
    let mut latest = db.prepare_cached(&sql)?;
    take(latest.query(params![whose.value(), up_to])?, &asked, last, &mut found)?;
    if up_to > 0 {
        let sql = format!(
            "SELECT {COLUMNS} FROM words CROSS JOIN {MESSAGES}
             WHERE words MATCH ?2 AND m.n = words.rowid AND {whose_are} ORDER BY words.rowid DESC"
        );
        let mut older = db.prepare_cached(&sql)?;
        take(older.query(params![whose.value(), words.join(" ")])?, &asked, last, &mut found)?;
    }
    Ok(found)
}

fn says_little(db: &Connection, whose: &Whose) -> rusqlite::Result<bool> {
    if matches!(whose, Whose::Everybodys) {
        return Ok(false);
    }
    let whose_are = whose.condition();
    let sql = format!("SELECT count(*) FROM (SELECT 1 FROM messages m WHERE {whose_are} LIMIT ?2)");
    let count: i64 = db.prepare_cached(&sql)?.query_row(params![whose.value(), FEW + 1], |row| row.get(0))?;
    Ok(count <= FEW)
}

/// Takes what has the words, until there are enough.
fn take(mut rows: Rows<'_>, asked: &Asked, last: usize, found: &mut Vec<LogRow>) -> Result<(), Trouble> {
    while found.len() < last
        && let Some(row) = rows.next()?
    {
        if asked.are_in(row.get_ref(3)?.as_str().unwrap_or_default()) {
            found.push(log_row(row)?);
        }
    }
    Ok(())
}

/// Puts up to so many messages into the index. True if there are more.
pub(super) fn index(db: &mut Connection, at_most: i64) -> Result<bool, Trouble> {
    let all = db.transaction()?;
    let up_to: i64 = all.query_row("SELECT up_to FROM indexed", [], |row| row.get(0))?;
    let mut last = up_to;
    {
        let mut put = all.prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?;
        let mut rows = all.prepare_cached("SELECT n, text FROM messages WHERE n > ?1 ORDER BY n LIMIT ?2")?;
        let mut rows = rows.query([up_to, at_most])?;
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            let text = row.get_ref(1)?.as_str().map_err(|_| Trouble::Odd("a message is not text"))?;
            put.execute(params![last, spread(text)])?;
        }
    }
    if last == up_to {
        return Ok(false);
    }
    all.execute("UPDATE indexed SET up_to = ?1", [last])?;
    all.commit()?;
    Ok(true)
}
