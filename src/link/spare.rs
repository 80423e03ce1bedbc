//! Buffers that are used again: they belong to a thread and not to a link, as most links are idle.

use crate::limits;

/// A buffer up to this size stays with its link.
pub(super) const SMALL: usize = 512;
/// Buffers that are kept for reuse.
const SPARE_MAX: usize = 16;
/// Bytes of the largest of them.
const SPARE_BYTES: usize = 2 * limits::SEND_QUEUE_MAX;

/// Keeps a buffer for whoever needs one next, if it is worth it.
pub fn recycle(spare: &mut Vec<Vec<u8>>, mut buffer: Vec<u8>) {
    if spare.len() < SPARE_MAX && (SMALL + 1..=SPARE_BYTES).contains(&buffer.capacity()) {
        buffer.clear();
        spare.push(buffer);
    }
}
