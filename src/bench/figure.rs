//! What was measured, and the one way to print it. Medians and percentiles are picked, not
//! interpolated, so every figure is one that occurred.

use std::io::Write;

use crate::bench::{Fault, Sys};

/// The result of one workload.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) sys: Sys,
    pub(super) workload: String,
    pub(super) values: Vec<(&'static str, f64)>,
}

impl Figure {
    pub(super) fn new(sys: Sys, workload: impl Into<String>, values: Vec<(&'static str, f64)>) -> Self {
        Self { sys, workload: workload.into(), values }
    }

    /// One line of JSON on stdout.
    pub(super) fn print(&self) -> Result<(), Fault> {
        let values: Vec<_> =
            self.values.iter().map(|(key, value)| format!("\"{key}\":{}", short(*value))).collect();
        let line = format!(
            "{{\"sys\":\"{}\",\"w\":\"{}\",\"m\":{{{}}}}}",
            self.sys.name(),
            self.workload,
            values.join(",")
        );
        Ok(writeln!(std::io::stdout().lock(), "{line}")?)
    }

    /// The value called `key`.
    pub(super) fn value(&self, key: &str) -> Option<f64> {
        self.values.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }
}

/// A number with as many digits as it deserves; always a JSON number.
pub(super) fn short(value: f64) -> String {
    match value {
        _ if !value.is_finite() => "0".into(),
        _ if value.abs() >= 1_000.0 => format!("{value:.0}"),
        _ if value.abs() >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

/// The value below which `percent` of the rest are; 0 of none.
pub(super) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(0.0)
}

/// `count` in `nanos`, as a rate a second.
pub(super) fn per_second(count: u64, nanos: u64) -> f64 {
    count as f64 * 1e9 / nanos.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<f64> = (0..100).rev().map(f64::from).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99)), (50.0, 99.0));
        assert_eq!((percentile(&[7.0], 99), percentile(&[], 50)), (7.0, 0.0));
    }

    #[test]
    fn numbers_stay_json() {
        assert_eq!(
            [short(2_500_000.4), short(54.321), short(0.4), short(f64::NAN)],
            ["2500000", "54.3", "0.400", "0"]
        );
    }
}
