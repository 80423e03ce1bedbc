//! What `set` can change: a table of names, values and meanings, and the values themselves. Who heeds
//! them is the front end's business.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::api::command::show;
use crate::api::near::nearest;
use crate::api::value::{duration, shown};
use crate::limits::COMMAND;

/// One thing that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// When to write in colour.
    Color,
    /// Whether a message rings the bell.
    Bell,
    /// Whether each line shows the time.
    Times,
    /// How long a command may take.
    Timeout,
    /// Whether deliveries are shown.
    Receipts,
    /// Whether it is shown who comes and goes.
    News,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which.
    pub setting: Setting,
    /// What it is called.
    pub name: &'static str,
    /// The words that it can be set to; none where it is a duration.
    pub values: &'static [&'static str],
    /// What it is for.
    pub meaning: &'static str,
}

/// Every setting once.
pub static SETTINGS: &[Row] = &[
    Row {
        setting: Setting::Color,
        name: "color",
        values: &["auto", "always", "never"],
        meaning: "when to write in colour (auto: on a terminal)",
    },
    Row {
        setting: Setting::Bell,
        name: "bell",
        values: ON_OFF,
        meaning: "ring the bell when a message arrives",
    },
    Row { setting: Setting::Times, name: "times", values: ON_OFF, meaning: "show the time before each line" },
    Row {
        setting: Setting::Timeout,
        name: "timeout",
        values: &[],
        meaning: "how long a command may take before it fails",
    },
    Row {
        setting: Setting::Receipts,
        name: "receipts",
        values: ON_OFF,
        meaning: "say when a message was delivered (✓✓)",
    },
    Row { setting: Setting::News, name: "news", values: ON_OFF, meaning: "say who joins and who leaves" },
];

const ON_OFF: &[&str] = &["on", "off"];

/// When to write in colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Even into a file.
    Always,
    /// Nowhere.
    Never,
}

impl Color {
    /// Whether to write in colour, where `auto` is whether a terminal would take it.
    pub fn is_on(self, auto: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => auto,
        }
    }
}

/// A setting with the value that it is to have. Prints as `set` reads it: `color always`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// See [`Setting::Color`].
    Color(Color),
    /// See [`Setting::Bell`].
    Bell(bool),
    /// See [`Setting::Times`].
    Times(bool),
    /// See [`Setting::Timeout`].
    Timeout(Duration),
    /// See [`Setting::Receipts`].
    Receipts(bool),
    /// See [`Setting::News`].
    News(bool),
}

/// The value of every setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// See [`Setting::Color`].
    pub color: Color,
    /// See [`Setting::Bell`].
    pub bell: bool,
    /// See [`Setting::Times`].
    pub times: bool,
    /// See [`Setting::Timeout`].
    pub timeout: Duration,
    /// See [`Setting::Receipts`].
    pub receipts: bool,
    /// See [`Setting::News`].
    pub news: bool,
}

/// Why nothing was set; the user's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// There is no such setting.
    #[error("no setting \"{name}\"{} (set lists all)", .near.map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    Unknown {
        /// What was asked for, escaped.
        name: String,
        /// A setting that is spelt nearly so.
        near: Option<&'static str>,
    },
    /// It cannot have this value.
    #[error("{name} cannot be \"{value}\"; it is one of {}", .values.join(", "))]
    Value {
        /// The setting.
        name: &'static str,
        /// What it was to be, escaped.
        value: String,
        /// What it can be.
        values: &'static [&'static str],
    },
    /// It cannot have this duration.
    #[error("{name}: {why}")]
    Duration {
        /// The setting.
        name: &'static str,
        /// What is wrong.
        why: String,
    },
}

impl Setting {
    /// Its row in the table.
    pub fn row(self) -> &'static Row {
        let row = SETTINGS.iter().find(|row| row.setting == self);
        row.expect("every setting has its row, as a test checks")
    }
}

impl FromStr for Setting {
    type Err = SettingError;

    fn from_str(name: &str) -> Result<Self, SettingError> {
        let row = SETTINGS.iter().find(|row| row.name == name);
        row.map(|row| row.setting).ok_or_else(|| SettingError::Unknown {
            name: shown(name),
            near: nearest(name, SETTINGS.iter().map(|row| row.name)),
        })
    }
}

impl Change {
    /// `setting` is to be `value`.
    ///
    /// # Errors
    /// It cannot be that.
    pub fn new(setting: Setting, value: &str) -> Result<Self, SettingError> {
        let row = setting.row();
        let no_such = || SettingError::Value { name: row.name, value: shown(value), values: row.values };
        let switch = || match value {
            "on" => Ok(true),
            "off" => Ok(false),
            _ => Err(no_such()),
        };
        Ok(match setting {
            Setting::Color => Self::Color(match value {
                "auto" => Color::Auto,
                "always" => Color::Always,
                "never" => Color::Never,
                _ => return Err(no_such()),
            }),
            Setting::Bell => Self::Bell(switch()?),
            Setting::Times => Self::Times(switch()?),
            Setting::Timeout => {
                let read = duration(value).and_then(|read| match read {
                    Duration::ZERO => Err("no time at all is too little".to_owned()),
                    read => Ok(read),
                });
                Self::Timeout(read.map_err(|why| SettingError::Duration { name: row.name, why })?)
            }
            Setting::Receipts => Self::Receipts(switch()?),
            Setting::News => Self::News(switch()?),
        })
    }

    /// What it changes.
    pub fn setting(self) -> Setting {
        match self {
            Self::Color(_) => Setting::Color,
            Self::Bell(_) => Setting::Bell,
            Self::Times(_) => Setting::Times,
            Self::Timeout(_) => Setting::Timeout,
            Self::Receipts(_) => Setting::Receipts,
            Self::News(_) => Setting::News,
        }
    }

    /// The value alone.
    pub fn value(self) -> String {
        match self {
            Self::Color(Color::Auto) => "auto".into(),
            Self::Color(Color::Always) => "always".into(),
            Self::Color(Color::Never) => "never".into(),
            Self::Timeout(duration) => show(duration),
            Self::Bell(on) | Self::Times(on) | Self::Receipts(on) | Self::News(on) => {
                if on { "on" } else { "off" }.into()
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.setting().row().name, self.value())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { color: Color::Auto, bell: false, times: false, timeout: COMMAND, receipts: true, news: true }
    }
}

impl Settings {
    /// How `setting` stands.
    pub fn get(&self, setting: Setting) -> Change {
        match setting {
            Setting::Color => Change::Color(self.color),
            Setting::Bell => Change::Bell(self.bell),
            Setting::Times => Change::Times(self.times),
            Setting::Timeout => Change::Timeout(self.timeout),
            Setting::Receipts => Change::Receipts(self.receipts),
            Setting::News => Change::News(self.news),
        }
    }

    /// Makes `change`.
    pub fn set(&mut self, change: Change) {
        match change {
            Change::Color(color) => self.color = color,
            Change::Bell(on) => self.bell = on,
            Change::Times(on) => self.times = on,
            Change::Timeout(duration) => self.timeout = duration,
            Change::Receipts(on) => self.receipts = on,
            Change::News(on) => self.news = on,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_reads_what_it_prints() {
        let settings = Settings::default();
        for row in SETTINGS {
            let change = settings.get(row.setting);
            assert_eq!(row.name.parse(), Ok(row.setting));
            assert_eq!(Change::new(row.setting, &change.value()), Ok(change));
            for value in row.values {
                let mut settings = settings.clone();
                let change = Change::new(row.setting, value).expect(value);
                settings.set(change);
                assert_eq!(settings.get(row.setting), change);
                assert_eq!(change.to_string(), format!("{} {value}", row.name));
            }
        }
    }

    #[test]
    fn errors_say_what_would_do() {
        let name = |name: &str| name.parse::<Setting>().expect_err(name).to_string();
        assert_eq!(name("colour"), "no setting \"colour\"; did you mean color? (set lists all)");
        let value = |setting, value| Change::new(setting, value).map_err(|error| error.to_string());
        assert_eq!(value(Setting::Bell, "1"), Err("bell cannot be \"1\"; it is one of on, off".into()));
        assert_eq!(
            value(Setting::Timeout, "10"),
            Err("timeout: \"10\" has no unit; write 10s or 10ms".into())
        );
    }
}
