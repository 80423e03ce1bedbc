//! Many things of one kind, several at a time, with a bar on a terminal: the work of sweeps, classes
//! and rubrics. Ends early when the script is to end.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::script::stop::Stop;

/// How many processors there are.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Does something `count` times, `jobs` at once; gives what came of each, in order. `None` for what was
/// not done because somebody ended it.
pub(super) fn several<T: Send>(
    what: &str,
    jobs: usize,
    count: usize,
    stop: &Stop,
    each: impl Fn(usize) -> T + Sync,
) -> Vec<Option<T>> {
    let done = Mutex::new((0..count).map(|_| None).collect::<Vec<Option<T>>>());
    let (next, bar) = (AtomicUsize::new(0), progress(count as u64, &format!("{what}  {{elapsed_precise}}")));
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, count.max(1)) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count || stop.asked().is_some() {
                        return;
                    }
                    let result = each(at);
                    done.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(result);
                    if let Some(bar) = &bar {
                        bar.inc(1);
                    }
                }
            });
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// A bar for so many things, with `rest` behind the count, where somebody sees it.
pub(super) fn progress(count: u64, rest: &str) -> Option<ProgressBar> {
    if !std::io::stderr().is_terminal() || count == 0 {
        return None;
    }
    let bar = ProgressBar::new(count);
    if let Ok(style) = ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {rest}")) {
        bar.set_style(style);
    }
    bar.tick();
    Some(bar)
}
