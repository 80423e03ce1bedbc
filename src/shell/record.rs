//! `record`: where the lines of a recording go. Each is in the file as soon as it is known, and what
//! was in a file before is never written over.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

use crate::api::action::Action;
use crate::api::command::{Command, CommandError};
use crate::api::event::Event;
use crate::api::reply::Reply;
use crate::id::RequestId;
use crate::shell::failure::Failure;
use crate::shell::front::Front;
use crate::shell::recording::Recording;
use crate::text::escape_display;

/// A recording with its file.
pub(super) struct Record {
    recording: Recording,
    file: File,
    /// Its name, for showing.
    name: String,
    lines: usize,
}

impl Front<'_> {
    /// Begins to record into a file, or ends that.
    pub(super) fn record(&mut self, path: Option<&str>) -> Result<(), Failure> {
        let failed = |words: String| Failure::Record(words);
        let Some(path) = path else {
            let words = "nothing is being recorded; try: record demo.hob";
            let record = self.record.take().ok_or_else(|| failed(words.into()))?;
            let Record { name, lines, .. } = *record;
            self.out.news(&format!("{name}: {lines} lines; to play it: run {name}"));
            return Ok(());
        };
        if let Some(Record { name, .. }) = self.record.as_deref() {
            return Err(failed(format!("{name} is being recorded; to end that: record off")));
        }
        let name = escape_display(path);
        let file = open(path).map_err(|error| failed(format!("{name}: {error}")))?;
        let recording = Recording::new(self.me, self.present.values().map(|(who, _)| who));
        self.record = Some(Box::new(Record { recording, file, name: name.clone(), lines: 0 }));
        self.write_record();
        self.out.news(&format!("recording into {name}; to end that: record off"));
        Ok(())
    }

    /// Says what is being recorded, if anything is.
    pub(super) fn tell_record(&mut self) {
        if let Some(Record { name, lines, .. }) = self.record.as_deref() {
            let line = format!("recording into {name}: {lines} lines");
            self.out.news(&line);
        }
    }

    /// The front end is about to leave: nothing more is recorded.
    pub(super) fn end_record(&mut self) {
        self.recorded(Recording::left);
        self.record = None;
    }

    pub(super) fn record_asked(&mut self, request: RequestId, command: Command) {
        self.recorded(|recording| recording.asked(request, command));
    }

    pub(super) fn record_answer(&mut self, request: RequestId, answer: &Result<Reply, CommandError>) {
        self.recorded(|recording| recording.answered(request, answer));
    }

    pub(super) fn record_event(&mut self, event: &Event) {
        self.recorded(|recording| recording.event(event));
    }

    pub(super) fn record_deed(&mut self, action: &Action) {
        self.recorded(|recording| recording.did(action));
    }

    fn recorded(&mut self, what: impl FnOnce(&mut Recording)) {
        if let Some(record) = &mut self.record {
            what(&mut record.recording);
            self.write_record();
        }
    }

    fn write_record(&mut self) {
        let Some(record) = &mut self.record else { return };
        let lines = record.recording.take();
        if lines.is_empty() {
            return;
        }
        let text = lines.join("\n") + "\n";
        match record.file.write_all(text.as_bytes()) {
            Ok(()) => record.lines += lines.len(),
            Err(error) => {
                let words = format!("record: {}: {error}; nothing more is recorded", record.name);
                self.record = None;
                let now = self.session.now().mono;
                self.out.complain(now, "note", &words);
            }
        }
    }
}

/// A file of its owner's alone, that is new or empty.
fn open(path: &str) -> Result<File, String> {
    let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let told = |error: io::Error| error.to_string();
    match new {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let file = OpenOptions::new().append(true).custom_flags(NOFOLLOW).open(path).map_err(told)?;
            let found = file.metadata().map_err(told)?;
            if !found.is_file() {
                return Err("it is no regular file; choose another name".into());
            }
            if found.len() > 0 {
                return Err(
                    "there is something in it, and nothing is written over; choose another name".into()
                );
            }
            file.set_permissions(Permissions::from_mode(0o600)).map_err(told)?;
            Ok(file)
        }
        new => new.map_err(told),
    }
}

/// Not by way of a link, which somebody else may have put there; nor to wait for the reader of a pipe.
const NOFOLLOW: i32 = (rustix::fs::OFlags::NOFOLLOW.bits() | rustix::fs::OFlags::NONBLOCK.bits()) as i32;
