//! A script without an end: lines are evaluated as somebody thinks of them, variables and functions
//! stay, and so do handlers, which are called when something happens. What it waits for, and for how
//! long it is to go on, is for its owner to say.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::limits;
use crate::script::error::{ScriptError, Spot};
use crate::script::left_out::Answers;
use crate::script::rhai::{Pace, Talk};
use crate::script::source::Source;
use crate::script::stage::{Setting, Shared, Stage};
use crate::script::stop::Stop;

/// A script without an end.
pub struct Standing {
    stage: Shared,
    talk: Talk,
    stop: Stop,
    spot: Spot,
}

impl Standing {
    /// Nothing was said yet. What the lines may import, and what errors call them, is `source`'s.
    ///
    /// # Errors
    /// No world can be made.
    pub fn new(source: &Source, setting: Setting, pace: Pace) -> Result<Self, ScriptError> {
        let (stop, effort) = (setting.stop.clone(), Rc::clone(&setting.effort));
        let mut stage = Stage::new(setting)?;
        stage.stand();
        let stage = Rc::new(RefCell::new(stage));
        let talk = Talk::new(&stage, source, stop.clone(), effort, Some(pace));
        let spot = Spot { file: Arc::from(source.name.as_str()), line: 1, column: 0 };
        Ok(Self { stage, talk, stop, spot })
    }

    /// Evaluates a line; gives what it gives, as the language writes it. Nothing for nothing.
    ///
    /// # Errors
    /// It is no script, or it failed.
    pub fn evaluate(&mut self, text: &str) -> Result<Option<String>, ScriptError> {
        self.stop.clear();
        {
            let mut stage = self.stage.borrow_mut();
            stage.texts.insert(Arc::clone(&self.spot.file), text.into());
            // What was asked before has nothing to do with it, although all lines are line 1.
            stage.answers = Answers::default();
        }
        self.talk.evaluate(text, &self.spot)
    }

    /// Calls the handlers of what has happened, and waits until more happens or somebody rings.
    pub fn turn(&mut self) {
        // Nobody wants more than the line under way to end, and there is none.
        self.stop.clear();
        // A handler that was interrupted has said nothing that anybody wants to hear.
        let _ = self.talk.aside();
        let mut stage = self.stage.borrow_mut();
        stage.answers = Answers::default();
        stage.turn(limits::DURATION_MAX);
    }
}
