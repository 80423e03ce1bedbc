//! W6: from exec until it listens: the program as a user starts it, with a fresh data folder, until
//! it says so; the median of several.

use std::path::Path;
use std::time::Instant;

use crate::bench::figure::{Figure, percentile};
use crate::bench::options::Options;
use crate::bench::process::{Child, Folder};
use crate::bench::{Fault, Sys};

pub(super) fn measure(sys: Sys, options: &Options) -> Result<Figure, Fault> {
    let mut millis = Vec::new();
    for number in 0..options.n(10) {
        let folder = Folder::new(number)?;
        let began = Instant::now();
        let child = match sys {
            Sys::Hobnob | Sys::Disk | Sys::Sqlite => usual(folder.path())?,
            Sys::Raw => {
                let mut child = Child::start(sys, "w6-start", &[])?;
                child.hear::<1>("port")?;
                child
            }
        };
        millis.push(began.elapsed().as_secs_f64() * 1e3);
        drop(child);
    }
    Ok(Figure::new(sys, "W6", vec![("ms", percentile(&millis, 50))]))
}

/// Starts it and waits until it says that it listens.
fn usual(data: &Path) -> Result<Child, Fault> {
    let data = data.to_string_lossy();
    let args = ["starter", "0", "--listen", "127.0.0.1", "--data", &data].map(str::to_owned);
    let mut child = Child::program("the program", &args)?;
    let line = child.line()?;
    if line.contains("listens on 127.0.0.1:") {
        Ok(child)
    } else {
        Err(Fault::Wrong(format!("the program began with {line:?}")))
    }
}
