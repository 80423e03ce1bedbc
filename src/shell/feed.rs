//! Lines from standard input when it is no terminal. A thread reads, as a pipe may stay open for
//! ever; lines are cut here. The last line counts without its line feed too.

use std::io::Read;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use crate::limits::LINE_MAX;
use crate::session::Bell;

/// What standard input has to give.
#[derive(Debug, PartialEq, Eq)]
pub enum Fed {
    /// A line without its end.
    Line(Vec<u8>),
    /// A line that is longer than any may be.
    TooLong,
    /// Nothing now; the bell rings when there is.
    Later,
    /// Nothing any more.
    End,
}

/// Standard input, a line at a time.
pub struct Feed {
    blocks: Receiver<Vec<u8>>,
    block: Vec<u8>,
    at: usize,
    partial: Vec<u8>,
    ended: bool,
}

/// Blocks that are read ahead.
const AHEAD: usize = 4;
/// Bytes of a block.
const BLOCK: usize = 64 * 1024;

impl Feed {
    /// Begins to read standard input; `bell` rings whenever there is more.
    pub fn stdin(bell: Bell) -> Self {
        let (sender, blocks) = sync_channel(AHEAD);
        std::thread::spawn(move || {
            let mut stdin = std::io::stdin().lock();
            loop {
                let mut block = vec![0; BLOCK];
                match stdin.read(&mut block) {
                    Ok(0) => break,
                    Ok(count) => {
                        block.truncate(count);
                        if sender.send(block).is_err() {
                            return;
                        }
                        bell.ring();
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            drop(sender);
            bell.ring();
        });
        Self { blocks, block: Vec::new(), at: 0, partial: Vec::new(), ended: false }
    }

    /// The next line.
    pub fn take(&mut self) -> Fed {
        loop {
            let rest = &self.block[self.at..];
            if let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
                let line = &rest[..end];
                self.at += end + 1;
                if self.partial.len() + line.len() > LINE_MAX {
                    return Fed::TooLong;
                }
                let mut whole = std::mem::take(&mut self.partial);
                whole.extend_from_slice(line);
                return Fed::Line(whole);
            }
            self.partial.extend_from_slice(rest);
            self.at = self.block.len();
            if self.partial.len() > LINE_MAX {
                return Fed::TooLong;
            }
            if !self.fill() {
                return match self.ended {
                    false => Fed::Later,
                    true if self.partial.is_empty() => Fed::End,
                    true => Fed::Line(std::mem::take(&mut self.partial)),
                };
            }
        }
    }

    /// Whether [`Self::take`] has something to say other than [`Fed::Later`].
    pub fn is_ready(&mut self) -> bool {
        self.at < self.block.len() || self.fill() || self.ended
    }

    fn fill(&mut self) -> bool {
        match self.blocks.try_recv() {
            Ok(block) => {
                (self.block, self.at) = (block, 0);
                true
            }
            Err(TryRecvError::Empty) => false,
            Err(TryRecvError::Disconnected) => {
                self.ended = true;
                false
            }
        }
    }
}
