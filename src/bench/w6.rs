//! W6: from exec until it listens, the usual start-up with a fresh data folder; the median of
//! several.

use std::time::Instant;

use crate::bench::figure::{Figure, percentile};
use crate::bench::options::Options;
use crate::bench::process::{Child, tell};
use crate::bench::{Fault, Sys, hob};
use crate::live::Live;

pub(super) fn measure(sys: Sys, options: &Options) -> Result<Figure, Fault> {
    let mut millis = Vec::new();
    for _ in 0..options.n(10) {
        let began = Instant::now();
        let mut child = Child::start(sys, "w6-start", &[])?;
        child.hear::<1>("port")?;
        millis.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(Figure::new(sys, "W6", vec![("ms", percentile(&millis, 50))]))
}

/// What a start-up does.
pub(super) fn start() -> Result<(), Fault> {
    let mut live = Live::new();
    let at = hob::start(&mut live, "starter", true)?;
    tell("port", &[hob::port(&live, at)])
}
