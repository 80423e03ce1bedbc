//! W5mem: what an idle link costs. The growth of the accepting process from before the first link
//! until N stand and nothing is said, as the system counts its memory, divided by N.

use crate::bench::figure::Figure;
use crate::bench::options::Options;
use crate::bench::w5::links;
use crate::bench::{Fault, Sys};

pub(super) fn measure(sys: Sys, options: &Options) -> Result<Figure, Fault> {
    let n = options.n(1_000);
    let (_, before, after) = links(sys, n, options.at_once())?;
    let grown = after.saturating_sub(before) as f64 / 1024.0;
    let values = vec![("kib_per_conn", grown / n as f64), ("rss_mib", after as f64 / 1024.0 / 1024.0)];
    Ok(Figure::new(sys, format!("W5mem/{n}"), values))
}
