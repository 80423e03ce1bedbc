//! One list of events, made into what people and programs read. A renderer decides how a thing
//! looks in its medium and nothing else; text from outside leaves its wrapper here, escaped.

mod canvas;
pub mod events;
mod line;
pub mod ndjson;

pub mod failure;
pub mod hue;
pub mod scene;
pub mod verdict;

pub mod bundle;
pub mod cast;
pub mod class;
pub mod diagram;
pub mod gradescope;
pub mod html;
pub mod junit;
pub mod stable;
pub mod tap;
pub mod transcript;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
