//! An imaginary world with many in it: all that is said arrives, in little time, and one seed is still
//! one course of things. `benches/world.rs` measures the same with more.

use std::time::{Duration, Instant};

use hobnob::rng::Seed;
use hobnob::sim::{Cipher, Sim};
use hobnob::world::World;

use crate::crowd::Crowd;

/// So many peers say something so often, and everybody hears it.
fn storm(sim: Sim, peers: usize, rounds: usize) -> Crowd {
    let mut crowd = Crowd::new(sim, peers, 7);
    crowd.connect();
    for _ in 0..rounds {
        crowd.round(peers);
    }
    crowd.settle();
    let all = peers * crate::crowd::DEGREE * rounds;
    assert_eq!((crowd.heard, crowd.delivered), (all, all as u64));
    crowd
}

fn sham(seed: u64) -> Sim {
    Sim::with_cipher(Seed::from_number(seed), Cipher::Sham)
}

#[test]
fn hundreds_hear_each_other_in_no_time() {
    let start = Instant::now();
    storm(sham(1), 300, 2);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_crowd_of_one_seed_does_the_same_to_the_byte() {
    let run = |seed| {
        let crowd = storm(sham(seed), 40, 3);
        (crowd.sim.digest(), crowd.sim.work(), crowd.sim.trace_count())
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    let mut unseen = sham(1);
    unseen.keep_trace(0);
    let crowd = storm(unseen, 40, 3);
    assert_eq!((crowd.sim.trace().count(), crowd.sim.digest()), (0, run(1).0), "kept or not");
}

#[test]
fn as_much_happens_under_either_cipher() {
    let real = storm(Sim::new(Seed::from_number(1)), 20, 3);
    let sham = storm(sham(1), 20, 3);
    assert_eq!(real.sim.work(), sham.sim.work(), "as many inputs, as many bytes");
    assert_ne!(real.sim.digest(), sham.sim.digest(), "but other bytes");
}
