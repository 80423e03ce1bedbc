//! A whole class at a glance: one row per submission, as CSV for a spreadsheet and as a page with a
//! link to each report. What submissions are called, and what went wrong with them, is other people's
//! text: it is escaped, and no cell of the CSV begins as a formula does.

use crate::play::{Play, Verdict};
use crate::report::verdict::{judge, number, plural};
use crate::text::{Untrusted, escape_display, escape_html};

/// All of a class.
pub struct Class {
    /// The rubric's file.
    pub rubric: String,
    /// What all chance of ours followed from.
    pub seed: u64,
    /// The submissions, in the order of their names.
    pub rows: Vec<Row>,
    /// Who can say something to whom: of each row, to each row, if it was tried.
    pub talks: Vec<Vec<Option<bool>>>,
}

/// One submission.
pub struct Row {
    /// The name of its folder.
    pub name: Untrusted<String>,
    /// BLAKE2s-256 of its files, in hex.
    pub hash: String,
    /// The file of its report, if there is one.
    pub report: Option<String>,
    /// Its run; or why there is none.
    pub graded: Result<Play, String>,
}

/// A test of the rubric, and how a submission did.
struct Cell {
    title: String,
    verdict: Verdict,
    got: f64,
}

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

impl Class {
    /// Every title that a test of anybody has, in the order of the rubric.
    fn titles(&self) -> Vec<String> {
        let mut titles = Vec::new();
        for cell in self.rows.iter().flat_map(Row::cells) {
            if !titles.contains(&cell.title) {
                titles.push(cell.title);
            }
        }
        titles
    }

    /// A row per submission, a column per test.
    ///
    /// # Errors
    /// Never: it is written to memory.
    pub fn csv(&self) -> Result<Vec<u8>, csv::Error> {
        let titles = self.titles();
        let mut out = csv::Writer::from_writer(Vec::new());
        let mut head = vec!["submission".to_owned(), "points".into(), "of".into()];
        head.extend(titles.iter().map(|title| plain(title)));
        head.extend(["flaky", "problem", "seed", "hash"].map(str::to_owned));
        out.write_record(&head)?;
        for row in &self.rows {
            let cells = row.cells();
            let (got, of) = row.points();
            let mut fields = vec![plain(&row.name.display()), number(got), number(of)];
            for title in &titles {
                let cell = cells.iter().find(|cell| cell.title == *title);
                fields.push(cell.map_or_else(String::new, |cell| number(cell.got)));
            }
            fields.push(cells.iter().filter(|cell| cell.verdict == Verdict::Flaky).count().to_string());
            fields.push(row.graded.as_ref().err().map(|why| plain(why)).unwrap_or_default());
            fields.extend([self.seed.to_string(), plain(&row.hash)]);
            out.write_record(&fields)?;
        }
        out.into_inner().map_err(|error| error.into_error().into())
    }

    /// The same as a page.
    pub fn html(&self) -> String {
        let titles = self.titles();
        let mut out = String::from("<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>\n");
        out.push_str(concat!(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ",
            "style-src 'unsafe-inline'\">\n<meta name=viewport content=\"width=device-width\">"
        ));
        let rubric = html(&self.rubric);
        out.push_str(&format!("<title>{rubric}</title>\n<style>\n{STYLE}</style></head><body>\n"));
        out.push_str(&format!(
            "<h1>{rubric}</h1>\n<p>{} submissions, seed {}</p>\n",
            self.rows.len(),
            self.seed
        ));
        out.push_str("<table><thead><tr><th>submission<th>points");
        for title in &titles {
            out.push_str(&format!("<th class=t><span>{}</span>", html(title)));
        }
        out.push_str("</thead><tbody>\n");
        for row in &self.rows {
            out.push_str(&row.html(&titles));
        }
        out.push_str("</tbody></table>\n");
        self.matrix(&mut out);
        out.push_str("</body></html>\n");
        out
    }

    /// Who can talk to whom: a row says something, a column shows it.
    fn matrix(&self, out: &mut String) {
        if self.talks.iter().flatten().all(Option::is_none) {
            return;
        }
        out.push_str("<h2>Who reaches whom</h2>\n<p>Each pair was started together: a row sends, a column shows.</p>\n");
        out.push_str("<table><thead><tr><th>");
        for row in &self.rows {
            out.push_str(&format!("<th class=t><span>{}</span>", html(&row.name.display())));
        }
        out.push_str("</thead><tbody>\n");
        for (row, talks) in self.rows.iter().zip(&self.talks) {
            out.push_str(&format!("<tr><th scope=row>{}", html(&row.name.display())));
            for talk in talks {
                out.push_str(match talk {
                    Some(true) => "<td class=g>✓",
                    Some(false) => "<td class=b>✗",
                    None => "<td>·",
                });
            }
            out.push('\n');
        }
        out.push_str("</tbody></table>\n");
    }

    /// A line per submission, for a terminal.
    pub fn lines(&self) -> String {
        let names: Vec<_> = self.rows.iter().map(|row| row.name.display()).collect();
        let widest = names.iter().map(|name| unicode_width::UnicodeWidthStr::width(name.as_str())).max();
        let mut out = String::new();
        for (row, name) in self.rows.iter().zip(names) {
            let wide = widest.unwrap_or(0);
            let pad = wide.saturating_sub(unicode_width::UnicodeWidthStr::width(name.as_str()));
            let said = match &row.graded {
                Ok(_) => {
                    let (got, of) = row.points();
                    let lost = row.cells().into_iter().filter(|cell| cell.verdict != Verdict::Pass);
                    let lost: Vec<_> = lost.map(|cell| escape_display(&cell.title)).collect();
                    let lost =
                        if lost.is_empty() { String::new() } else { format!("  ({})", lost.join("; ")) };
                    format!("{} of {}{lost}", number(got), plural(of))
                }
                Err(why) => escape_display(why),
            };
            out.push_str(&format!("{name}{:pad$}  {said}\n", ""));
        }
        out
    }
}

impl Row {
    fn cells(&self) -> Vec<Cell> {
        let Ok(play) = &self.graded else { return Vec::new() };
        let judgement = judge(play);
        let tests = judgement.cases.iter().filter(|case| !case.whole);
        tests
            .map(|case| Cell {
                title: case.name.display(),
                verdict: case.verdict,
                got: case.got.unwrap_or(0.0),
            })
            .collect()
    }

    fn points(&self) -> (f64, f64) {
        let Ok(play) = &self.graded else { return (0.0, 0.0) };
        let judgement = judge(play);
        (judgement.got, judgement.points.unwrap_or(0.0))
    }

    fn html(&self, titles: &[String]) -> String {
        let name = html(&self.name.display());
        let name = match &self.report {
            Some(report) => format!("<a href=\"{}\">{name}</a>", html(report)),
            None => name,
        };
        let (got, of) = self.points();
        let mut out = format!("<tr><th scope=row>{name}");
        if let Err(why) = &self.graded {
            out.push_str(&format!(
                "<td class=b>0<td class=b colspan={}>{}\n",
                titles.len(),
                html(&escape_display(why))
            ));
            return out;
        }
        out.push_str(&format!("<td>{} / {}", number(got), number(of)));
        let cells = self.cells();
        for title in titles {
            let (class, text) = match cells.iter().find(|cell| cell.title == *title) {
                None => ("b", "—".to_owned()),
                Some(Cell { verdict: Verdict::Pass, got, .. }) => ("g", number(*got)),
                Some(Cell { verdict: Verdict::Flaky, got, .. }) => ("f", format!("{} ~", number(*got))),
                Some(Cell { verdict: Verdict::Fail, got, .. }) => ("b", format!("{} ✗", number(*got))),
            };
            out.push_str(&format!("<td class={class}>{text}"));
        }
        out.push('\n');
        out
    }
}

const STYLE: &str = "body{font:15px/1.4 system-ui,sans-serif;margin:2em;color-scheme:light dark}\
table{border-collapse:collapse}th,td{padding:.2em .6em;border-bottom:1px solid #8884;text-align:left;\
vertical-align:bottom}td{font-variant-numeric:tabular-nums}.t span{writing-mode:vertical-rl;\
transform:rotate(180deg);max-height:16em;font-weight:normal}.g{color:#1a7f37}.f{color:#9a6700}\
.b{color:#cf222e;font-weight:bold}\n";

/// A cell that no spreadsheet computes.
fn plain(text: &str) -> String {
    let text = escape_display(text);
    if text.starts_with(FORMULA) { format!("'{text}") } else { text }
}

fn html(text: &str) -> String {
    let mut out = String::new();
    escape_html(text, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::Sample;

    fn class(names: &[&str]) -> Class {
        let row = |(at, name): (usize, &&str)| Row {
            name: Untrusted::new((*name).to_owned()),
            hash: "ab".into(),
            report: Some("x.html".into()),
            graded: if at == 0 { Ok(Sample::graded().end(4)) } else { Err("=cmd()|'x'!A1".into()) },
        };
        Class {
            rubric: "r.rhai".into(),
            seed: 1,
            rows: names.iter().enumerate().map(row).collect(),
            talks: vec![vec![None, Some(true)], vec![Some(false), None]],
        }
    }

    #[test]
    fn a_row_per_submission_and_a_column_per_test() {
        let csv = String::from_utf8(class(&["ann", "=ben"]).csv().expect("in memory")).expect("UTF-8");
        let lines: Vec<_> = csv.lines().collect();
        assert!(
            lines[0].starts_with("submission,points,of,") && lines[0].ends_with(",flaky,problem,seed,hash")
        );
        assert!(lines[1].starts_with("ann,4.5,6.5,"), "{csv}");
        assert!(lines[2].starts_with("'=ben,0,0,") && lines[2].contains("'=cmd()|'x'!A1"), "{csv}");
    }

    #[test]
    fn hostile_names_stay_text() {
        let page = class(&["<script>alert(1)</script>", "\"><img src=x>"]).html();
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
        assert_eq!((page.matches("✓").count(), page.matches('·').count()), (1, 2), "{page}");
    }
}
