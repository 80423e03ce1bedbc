//! A run as a recording for terminals, asciinema's version 2: the timed transcript in colour, each
//! line at its time. A test's world begins at zero again; in the recording it goes on behind the one
//! before. Long silences are cut by the player.

use unicode_width::UnicodeWidthStr;

use crate::play::Play;
use crate::report::line::{put_number, put_seconds};
use crate::report::scene;
use crate::report::transcript::Transcript;
use crate::report::verdict::{begins, ends, judge};
use crate::text::escape_json;

/// Columns of the terminal that plays it, at least and at most; what is longer wraps there.
const COLUMNS: (usize, usize) = (80, 160);
/// Rows of the same.
const ROWS: u64 = 30;
/// A pause between two worlds, in microseconds.
const PAUSE: u64 = 1_000_000;

/// All of a run.
pub fn write(play: &Play) -> Vec<u8> {
    let lines = timed(play);
    let widest = lines.iter().flat_map(|(_, text)| text.lines()).map(columns).max().unwrap_or(0);
    let mut out = Vec::new();
    out.extend_from_slice(b"{\"version\":2,\"width\":");
    put_number(widest.clamp(COLUMNS.0, COLUMNS.1) as u64, &mut out);
    out.extend_from_slice(b",\"height\":");
    put_number(ROWS, &mut out);
    out.extend_from_slice(b",\"idle_time_limit\":2,\"title\":");
    escape_json(&format!("{} seed {}", play.head.script.display(), play.head.seed), &mut out);
    out.extend_from_slice(b"}\n");
    for (at, text) in lines {
        out.push(b'[');
        put_seconds(at, &mut out);
        out.extend_from_slice(b",\"o\",");
        escape_json(&(text.replace('\n', "\r\n") + "\r\n"), &mut out);
        out.extend_from_slice(b"]\n");
    }
    out
}

/// The lines of the transcript, each with its time in the recording.
fn timed(play: &Play) -> Vec<(u64, String)> {
    let mut transcript = Transcript::new(&play.head, true);
    transcript.expect(scene::cast(play.moments.iter()));
    let mut lines = Vec::new();
    // Where the world began in the recording, where the script's own time stands, and the last time.
    let (mut base, mut own, mut last) = (0, 0, 0);
    for moment in &play.moments {
        if begins(moment) {
            base = last + if last > 0 { PAUSE } else { 0 };
        }
        last = last.max(base.saturating_add(moment.at));
        lines.extend(transcript.line(moment).map(|line| (last, line)));
        if ends(moment) {
            base = (last + PAUSE).saturating_sub(own);
        } else if base == 0 {
            own = moment.at;
        }
    }
    let at = play.end.as_ref().map(|end| end.at).unwrap_or(last);
    lines.push((last, transcript.end(at, &judge(play))));
    lines
}

/// Columns that a line takes, colours not counted.
fn columns(line: &str) -> usize {
    let mut parts = line.split('\x1b');
    let first = parts.next().map_or(0, UnicodeWidthStr::width);
    first + parts.map(|part| part.split_once('m').map_or(0, |(_, text)| text.width())).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::Sample;
    use serde_json::Value;

    #[test]
    fn each_line_at_its_time() {
        let text = String::from_utf8(write(&Sample::graded().end(4))).expect("UTF-8");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!((&lines[0]["version"], &lines[0]["width"]), (&2.into(), &80.into()));
        let times: Vec<f64> = lines[1..].iter().filter_map(|line| line[0].as_f64()).collect();
        assert_eq!(times.len(), lines.len() - 1);
        assert!(times.is_sorted(), "{times:?}");
        assert_eq!(times[5], 0.006);
        assert_eq!(times[6], 1.006);
        assert!(lines.iter().any(|line| line[2].as_str().is_some_and(|text| text.contains("\x1b["))));
        assert!(text.chars().all(|c| c == '\n' || !crate::text::is_hidden(c)));
    }
}
