//! Batches: the prompt's own lines in a file, with a cast. `NAME> ` says whose line it is, and
//! everybody who speaks is cast before the first line; a line without a speaker is the peer's `me`,
//! or nobody's when it is about the world. A batch ends at its first failure; each block of a
//! Markdown file has a world of its own and does not stop the next.

mod obey;
mod read;
mod world;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::id::Name;
use crate::play::{Ev, Moment, More, Verdict};
use crate::script::error::{Failure, ScriptError};
use crate::script::record::text;
use crate::script::rhai::Talk;
use crate::script::source::{Outcome, Source};
use crate::script::stage::{Setting, Shared, Stage};
use obey::Cast;
use read::{Block, Line};

/// Plays a file of lines, or the blocks of a Markdown file.
pub fn run(source: &Source, setting: Setting) -> Outcome {
    let (stop, head, effort) = (setting.stop.clone(), setting.head.clone(), Rc::clone(&setting.effort));
    let stage = match Stage::new(setting) {
        Ok(stage) => Rc::new(RefCell::new(stage)),
        Err(failure) => return Outcome::unplayed(head, failure.into()),
    };
    let file: Arc<str> = source.name.as_str().into();
    stage.borrow_mut().texts.insert(Arc::clone(&file), source.text.as_str().into());
    let talk = Talk::new(&stage, source, stop, effort, None);
    let mut cast = Cast { stage: Rc::clone(&stage), talk, folder: source.folder.clone(), depth: 0 };
    let result = play(&mut cast, source, &file);
    drop(cast);
    let mut stage = stage.borrow_mut();
    let result = stage.unbroken(result).map_err(|mut error| {
        error.quote = error.quote.or_else(|| stage.quote(error.spot.as_ref()?));
        error
    });
    if let Err(error) = &result {
        stage.record_error(error);
    }
    stage.end(result.err())
}

fn play(cast: &mut Cast, source: &Source, file: &Arc<str>) -> Result<(), ScriptError> {
    if !read::is_markdown(&source.name) {
        let lines = read::lines(file, &source.text)?;
        enter(&cast.stage, &lines)?;
        return cast.obey(lines);
    }
    let blocks = read::blocks(file, &source.text)?;
    if blocks.is_empty() {
        return Err(Failure::Parse(format!("{file} has no block that begins with ```hob")).into());
    }
    for block in blocks {
        test(cast, block)?;
    }
    Ok(())
}

/// Everybody who speaks is there before the first line.
fn enter(stage: &Shared, lines: &[Line]) -> Result<(), ScriptError> {
    for line in lines {
        if let Some(name) = line.speaker.or_else(|| obey::needs_speaker(&line.action).then(me)) {
            join(stage, name, line)?;
        }
    }
    Ok(())
}

fn join(stage: &Shared, name: Name, line: &Line) -> Result<(), ScriptError> {
    let mut stage = stage.borrow_mut();
    if stage.scene.find(name).is_none() && !stage.is_left_out(name) {
        stage.cast_unless_left_out(name, &line.spot)?;
    }
    Ok(())
}

/// Whose the lines without a speaker are.
fn me() -> Name {
    Name::claimed("me", "me")
}

/// A block is a test.
fn test(cast: &mut Cast, block: Block) -> Result<(), ScriptError> {
    let title = block.title.unwrap_or_default();
    if !cast.stage.borrow_mut().may_test(&block.spot, &title) {
        return Ok(());
    }
    let begin = |verdict: Option<Verdict>| {
        let mut moment = Moment::new(0, Ev::Test);
        moment.text = text(title.as_str());
        moment.line = Some(block.spot.line);
        let got = verdict.map(|verdict| if verdict == Verdict::Pass { 1.0 } else { 0.0 });
        moment.more = Some(Box::new(More { verdict, points: Some(1.0), got, ..More::default() }));
        moment
    };
    {
        let mut stage = cast.stage.borrow_mut();
        stage.left_out_none();
        stage.enter(&title)?;
        stage.tests.all += 1;
        stage.record_moment(None, begin(None));
    }
    let result = enter(&cast.stage, &block.lines).and_then(|()| cast.obey(block.lines));
    let mut stage = cast.stage.borrow_mut();
    let result = stage.unbroken(result);
    let verdict = if result.is_ok() { Verdict::Pass } else { Verdict::Fail };
    let result = result.map_err(|mut error| {
        error.quote = error.quote.or_else(|| stage.quote(error.spot.as_ref()?));
        error
    });
    if let Err(error) = &result {
        stage.record_error(error);
    }
    let mut moment = begin(Some(verdict));
    moment.at = stage.scene.at();
    stage.record_moment(None, moment);
    stage.leave();
    match result {
        Err(error) if error.failure.is_final() => Err(error),
        Err(error) => {
            stage.tests.failed += 1;
            stage.tests.errors.push((title.clone(), error));
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
