//! The colours that names have, on a terminal: one list for chats and for transcripts. Nothing is
//! said by colour alone.

use anstyle::{Ansi256Color, Style};

/// Hues for names: of the 256 colours those that can be read on dark and on light ground.
pub const HUES: [u8; 12] = [32, 35, 37, 64, 70, 97, 133, 136, 166, 168, 172, 203];

/// The style of a name, from any number that stays the same for its bearer.
pub fn of_name(number: usize) -> Style {
    Style::new().bold().fg_color(Some(Ansi256Color(HUES[number % HUES.len()]).into()))
}
