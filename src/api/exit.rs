//! How a run of the program ends, and with which number it says so to whoever started it.

/// How a run ends, as the exit code says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All was done.
    Done,
    /// The command line was wrong.
    Usage,
    /// A batch or a script does not parse.
    Parse,
    /// The network or the machine failed.
    Runtime,
    /// An expectation or a test failed.
    Expectation,
    /// What was to be the same twice was not.
    Differs,
    /// Somebody interrupted it.
    Interrupted,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Usage => 1,
            Self::Parse => 2,
            Self::Runtime => 3,
            Self::Expectation => 4,
            Self::Differs => 5,
            Self::Interrupted => 130,
        }
    }
}
