//! What only an imaginary machine can suffer: a disk that is full, breaks, or is put back from an old
//! copy, a program that is held, a machine that is set up anew under the same address.

use std::time::Duration;

use crate::key::Keys;
use crate::node::io::Input;
use crate::sim::Sim;
use crate::sim::queue::Due;
use crate::sim::stream::Stream;
use crate::time::Mono;
use crate::world::PeerNo;

/// Something that happens to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// Its disk takes nothing more, or does again.
    Full(bool),
    /// Its disk fails until its program is started anew.
    Breaks,
    /// Its program dies when what it was saving has just become safe, and before it heard of that.
    CrashSaved,
    /// Its disk is as it was after this many saves. Its program must not run.
    SetBack(usize),
    /// It is set up anew: another key, an empty disk, the same name and address. Its program must not
    /// run.
    Anew,
    /// Its program is held for so long: its system goes on, it does not.
    Hold(Duration),
}

impl Sim {
    /// Does this to a machine of the cast.
    ///
    /// # Panics
    /// There is no such machine, or its program runs and must not.
    pub fn harm(&mut self, who: PeerNo, harm: Harm) {
        self.trace.note(self.now, Some(who), format_args!("{harm:?}"));
        let is_up = self.hosts[who.0].node.is_some();
        let host = &mut self.hosts[who.0];
        match harm {
            Harm::Full(full) => host.disk.fill(full),
            Harm::Breaks => host.disk.breaks(),
            Harm::CrashSaved => {
                host.disk.finish_all();
                if is_up {
                    self.crash(who);
                }
            }
            Harm::SetBack(saves) => {
                assert!(!is_up, "only a disk that nobody uses can be put back");
                host.disk.set_back(saves);
            }
            Harm::Anew => {
                assert!(!is_up, "only a machine that does not run can be set up anew");
                host.disk.anew();
                host.keys = Keys::from_seed(host.lives.fork());
            }
            Harm::Hold(time) => host.held = self.now.plus(time).max(host.held),
        }
    }

    /// How what stands below the disk of a machine was found to be other than it must be.
    pub fn odd(&self, who: PeerNo) -> Option<&str> {
        self.hosts[who.0].disk.odd()
    }

    /// Whether what the disk of a machine refused may be there all the same, as it broke while that was
    /// being saved.
    pub fn may_doubt(&self, who: PeerNo) -> bool {
        self.hosts[who.0].disk.may_doubt()
    }

    /// How often the disk of a machine has saved something.
    pub fn saves(&self, who: PeerNo) -> usize {
        self.hosts[who.0].disk.saves()
    }

    /// From now on, counts writes to any stream with these bytes in them.
    pub fn watch_for(&mut self, bytes: &[u8]) {
        self.tap = Some((bytes.to_vec(), 0));
    }

    /// How many such writes there were.
    pub fn seen(&self) -> u64 {
        self.tap.as_ref().map_or(0, |(_, seen)| *seen)
    }

    /// How much the node of a machine holds at this moment, if it runs.
    pub fn weight(&self, who: PeerNo) -> Option<crate::node::Weight> {
        self.hosts[who.0].node.as_ref().map(crate::node::Node::weight)
    }

    /// Looks at what is written to a stream.
    pub(super) fn tap(&mut self, bytes: &[u8]) {
        if let Some((wanted, seen)) = &mut self.tap {
            *seen += u64::from(bytes.windows(wanted.len()).any(|window| window == wanted.as_slice()));
        }
    }

    /// Whose program would have something to do with that.
    pub(super) fn concerns(&self, due: Due) -> Option<PeerNo> {
        match due {
            Due::Alarm(who) | Due::Saved(who, ..) | Due::Looked(who, _) => Some(who),
            Due::Taken(no, side, _) => self.streams.get(no).map(|stream| stream.at(side)),
            Due::Knock(no) => self.streams.get(no).map(Stream::knocks_at),
            // What arrives is looked at when it is to be read; the rest is for the system alone.
            Due::Arrival(..) | Due::DialLimit(_) | Due::CloseLimit(..) => None,
        }
    }

    /// A program that is held has it to do later.
    pub(super) fn put_off(&mut self, due: Due, until: Mono) {
        if let Due::Alarm(who) = due {
            self.hosts[who.0].alarm = Some(until);
        }
        self.queue.push(until, due);
    }

    /// Gives a node what its disk has to say.
    pub(super) fn hear_disk(&mut self, who: PeerNo) {
        let stuffed = self.hosts[who.0].is_stuffed();
        while self.hosts[who.0].node.is_some()
            && let Some(answer) = self.hosts[who.0].disk.answer()
        {
            self.give(who, Input::Stored(answer));
        }
        if stuffed && !self.hosts[who.0].is_stuffed() {
            self.wake_host(who);
        }
    }
}
