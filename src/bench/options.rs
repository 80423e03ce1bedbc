//! `--key value` behind a workload. Decides which keys there are and what they are by default.

use std::time::Duration;

use crate::bench::Fault;

/// What may be set; each workload has its own defaults for what is not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    n: Option<u64>,
    millis: Option<u64>,
    payload: Option<u64>,
    ones: Option<u64>,
    at_once: Option<u64>,
    /// Also what each side took, for whoever looks for the slower one.
    pub(super) detail: bool,
    pub(super) rounds: Option<u64>,
    pub(super) only: Option<Vec<String>>,
}

impl Options {
    pub(super) fn parse(args: &[String]) -> Result<Self, Fault> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(key) = args.next() {
            let value = args.next().ok_or_else(|| Fault::Usage(format!("{key} needs a value")))?;
            let wrong = || Fault::Usage(format!("{key} \"{value}\" is out of range"));
            let number = |max: u64| value.parse().ok().filter(|n| (1..=max).contains(n)).ok_or_else(wrong);
            match key.as_str() {
                "--n" => options.n = Some(number(1_000_000)?),
                "--payload" => options.payload = Some(number(32 * 1024)?.max(12)),
                "--ones" => options.ones = Some(number(100_000)?),
                "--at-once" => options.at_once = Some(number(64)?),
                "--detail" => options.detail = number(1)? == 1,
                "--rounds" => options.rounds = Some(number(1_000)?),
                "--only" => options.only = Some(value.split(',').map(str::to_owned).collect()),
                "--secs" => {
                    let secs = value.parse().ok().filter(|secs| (0.01..=60.0).contains(secs));
                    let length = Duration::from_secs_f64(secs.ok_or_else(wrong)?);
                    options.millis = Some(u64::try_from(length.as_millis()).map_err(|_| wrong())?);
                }
                other => return Err(Fault::Usage(format!("no option \"{other}\""))),
            }
        }
        Ok(options)
    }

    /// As they are by default, but for `n`.
    pub(super) fn with_n(n: u64) -> Self {
        Self { n: Some(n), ..Self::default() }
    }

    pub(super) fn n(&self, default: u64) -> u64 {
        self.n.unwrap_or(default)
    }

    /// How long a saturated phase lasts.
    pub(super) fn millis(&self) -> u64 {
        self.millis.unwrap_or(1_500)
    }

    /// Bytes of a message's text.
    pub(super) fn payload(&self) -> u64 {
        self.payload.unwrap_or(100)
    }

    /// Broadcasts one at a time.
    pub(super) fn ones(&self) -> u64 {
        self.ones.unwrap_or(200)
    }

    /// Dials under way.
    pub(super) fn at_once(&self) -> u64 {
        self.at_once.unwrap_or(16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Fault> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn keys_have_values_within_bounds() {
        let options = parse("--secs 0.25 --n 7").expect("good options");
        assert_eq!((options.millis(), options.n(3), options.payload()), (250, 7, 100));
        assert_eq!(parse("").expect("none").n(3), 3);
        for bad in ["--n", "--n x", "--n 0", "--secs -1", "--secs nan", "--what 1"] {
            assert!(matches!(parse(bad), Err(Fault::Usage(_))), "{bad}");
        }
    }
}
