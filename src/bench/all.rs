//! `bench all`: each workload and its raw twin in turn, several rounds. The machine is noisy, so a
//! ratio is taken within a round, and the table shows the median of the rounds' ratios.

use std::io::Write;

use crate::bench::figure::{percentile, short};
use crate::bench::options::Options;
use crate::bench::{Fault, Sys, measure};

/// A row: workload, its size, which value, what it is called, and whether more is better.
const ROWS: [(&str, Option<u64>, &str, &str, bool); 10] = [
    ("w1", None, "msgs_per_s", "W1 messages/s", true),
    ("w1", None, "cpu_us_per_msg", "W1 cpu µs/message", false),
    ("w2", None, "p50_us", "W2 p50 µs", false),
    ("w2", None, "p99_us", "W2 p99 µs", false),
    ("w3", Some(100), "deliv_per_s", "W3/100 deliveries/s", true),
    ("w3", Some(100), "one_p50_us", "W3/100 one, p50 µs", false),
    ("w3", Some(1_000), "deliv_per_s", "W3/1000 deliveries/s", true),
    ("w5", None, "conns_per_s", "W5 links/s", true),
    ("w5mem", Some(1_000), "kib_per_conn", "W5mem/1000 KiB/link", false),
    ("w6", None, "ms", "W6 ms", false),
];

pub(super) fn run(options: &Options) -> Result<(), Fault> {
    let rounds = options.rounds.unwrap_or(5);
    let wanted = |name: &str| options.only.as_ref().is_none_or(|only| only.iter().any(|word| word == name));
    let rows: Vec<_> = ROWS.iter().filter(|row| wanted(row.0)).collect();
    let mut columns: Vec<[Vec<f64>; 3]> = vec![Default::default(); rows.len()];
    for round in 1..=rounds {
        let mut done = None;
        let mut pair = None;
        for (row, column) in rows.iter().zip(&mut columns) {
            let (workload, n, key, _, _) = **row;
            if done != Some((workload, n)) {
                note(&format!(
                    "round {round} of {rounds}: {workload} {}",
                    n.map_or(String::new(), |n| n.to_string())
                ))?;
                let options = n.map_or_else(Options::default, Options::with_n);
                pair =
                    Some([measure(Sys::Hobnob, workload, &options)?, measure(Sys::Raw, workload, &options)?]);
                done = Some((workload, n));
            }
            let Some([ours, raw]) = &pair else { continue };
            if let (Some(ours), Some(raw)) = (ours.value(key), raw.value(key)) {
                column[0].push(ours);
                column[1].push(raw);
                column[2].push(ours / raw);
            }
        }
    }
    print(&rows, &columns)
}

fn print(rows: &[&(&str, Option<u64>, &str, &str, bool)], columns: &[[Vec<f64>; 3]]) -> Result<(), Fault> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<22} {:>12} {:>12} {:>8} {:>16}", "", "hobnob", "raw", "ratio", "lowest..highest")?;
    for (row, [ours, raw, ratios]) in rows.iter().zip(columns) {
        let median = |values: &[f64]| percentile(values, 50);
        let range = format!("{:.2}..{:.2}", percentile(ratios, 0), percentile(ratios, 100));
        let (ours, raw) = (short(median(ours)), short(median(raw)));
        writeln!(out, "{:<22} {ours:>12} {raw:>12} {:>8.2} {range:>16}", row.3, median(ratios))?;
    }
    Ok(())
}

/// How far it is; not on stdout, where the table goes.
fn note(text: &str) -> Result<(), Fault> {
    Ok(writeln!(std::io::stderr().lock(), "{text}")?)
}
