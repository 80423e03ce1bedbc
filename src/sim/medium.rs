//! What may stand below the disk of an imaginary machine: a store that really writes somewhere, loses
//! power there, and is full or broken in its own way. It is brought from outside, as the simulator
//! knows neither files nor whoever makes them fail. `disk` decides when what happens to it, and holds
//! it to what memory makes of the same records.

use crate::id::MessageId;
use crate::key::PeerKey;
use crate::node::record::{LogRow, Query, Record, Snapshot};
use crate::rng::Seed;
use crate::sim::Sim;
use crate::why::StoreFault;

/// Makes one, from which a new machine starts. All its chance follows from the seed.
pub type MakeMedium = fn(Seed) -> Box<dyn Medium>;

impl Sim {
    /// From now on the disk of each machine that comes stands on one of these.
    pub fn stand_on(&mut self, medium: MakeMedium) {
        self.medium = Some(medium);
    }
}

/// Keeps records below a disk.
pub trait Medium {
    /// What a program that starts finds. Whatever was broken is put right before.
    ///
    /// # Errors
    /// How what is there is not sound.
    fn load(&mut self) -> Result<Snapshot, String>;

    /// Saves `records`, in order, all or none. Those messages come back that were known before.
    ///
    /// # Errors
    /// After [`StoreFault::Full`] nothing is there of them; after [`StoreFault::Broken`] all or nothing
    /// is, which the next start shows.
    fn save(&mut self, records: &[Record]) -> Result<Vec<(PeerKey, MessageId)>, StoreFault>;

    /// The messages that are asked for, the oldest first.
    ///
    /// # Errors
    /// It does not give them back.
    fn look_up(&mut self, query: &Query) -> Result<Vec<LogRow>, StoreFault>;

    /// The program ends by itself.
    fn close(&mut self);

    /// The power goes soon: in the midst of what is done next, or after it.
    fn wane(&mut self);

    /// The power is gone, the program with it, and of what was not safe whatever chance has it.
    fn cut(&mut self);

    /// It takes nothing more, or does again.
    fn fill(&mut self, full: bool);

    /// It fails until a program starts anew.
    fn breaks(&mut self);

    /// Copies all that is there, to be put back by this number.
    fn copy(&mut self, number: usize);

    /// It is as it was when the copy of this number was made; 0 is the machine's beginning. Later
    /// copies are gone.
    fn set_back(&mut self, number: usize);

    /// It is empty, and of another machine.
    fn anew(&mut self);
}
