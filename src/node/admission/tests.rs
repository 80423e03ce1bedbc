//! Who is let in, for every limit; and whatever comes and goes, the counts stay right.

use proptest::{prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::limits::doors::DOORS;
use crate::rng::Seed;

struct Doorway {
    admission: Admission,
    rng: Rng,
    links: u64,
    now: Mono,
}

impl Doorway {
    fn new() -> Self {
        let (admission, rng) = (Admission::new(DOORS), Rng::new(Seed::from_number(1)));
        Self { admission, rng, links: 0, now: Mono(1) }
    }

    fn arrive(&mut self, ip: &str) -> (LinkId, Result<Option<LinkId>, Limit>) {
        self.links += 1;
        let link = LinkId::accepted(self.links);
        (link, self.admission.arrives(link, ip.parse().expect("an address"), self.now))
    }

    fn come(&mut self, ip: &str, native: bool) -> Result<LinkId, Limit> {
        let (link, answer) = self.arrive(ip);
        if let Some(yields) = answer? {
            self.leave(yields);
        }
        match self.admission.speaks(link, native, self.now, &mut self.rng) {
            Ok(yields) => {
                if let Some(other) = yields {
                    self.leave(other);
                }
                Ok(link)
            }
            Err(limit) => {
                self.leave(link);
                Err(limit)
            }
        }
    }

    /// The whole way in.
    fn join(&mut self, ip: &str) -> Result<LinkId, Limit> {
        let link = self.come(ip, true)?;
        self.admission.proves(link, false, self.now).map(|()| link)
    }

    fn leave(&mut self, link: LinkId) {
        self.admission.leaves(link, self.now);
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn one_source_has_so_many_links_and_handshakes() {
    let mut doorway = Doorway::new();
    let links: Vec<_> = (0..8).map(|_| doorway.join("10.0.0.9").expect("let in")).collect();
    assert_eq!(doorway.join("10.0.0.9"), Err(Limit::SourceLinks));
    assert!(doorway.join("10.0.0.8").is_ok(), "others are not concerned");
    doorway.leave(links[0]);
    assert!(doorway.join("10.0.0.9").is_ok(), "there is room again");
    doorway.pass(SECOND * 10);
    for _ in 0..4 {
        doorway.come("10.0.0.7", true).expect("let in");
    }
    assert_eq!(doorway.come("10.0.0.7", true), Err(Limit::SourceHandshakes));
}

#[test]
fn pinned_keys_are_not_counted_among_the_links_of_a_source() {
    let mut doorway = Doorway::new();
    for _ in 0..20 {
        let link = doorway.come("10.0.0.9", true).expect("let in");
        assert_eq!(doorway.admission.proves(link, true, doorway.now), Ok(()));
        doorway.pass(SECOND);
    }
    assert!(doorway.join("10.0.0.9").is_ok());
}

#[test]
fn an_ipv6_network_is_one_source_and_a_mapped_address_is_its_own() {
    let mut doorway = Doorway::new();
    for host in 0..8 {
        doorway.join(&format!("2001:db8:1:2::{host:x}")).expect("let in");
    }
    assert_eq!(doorway.join("2001:db8:1:2:ffff::1"), Err(Limit::SourceLinks));
    assert!(doorway.join("2001:db8:1:3::1").is_ok());
    for _ in 0..8 {
        doorway.join("::ffff:10.0.0.9").expect("let in");
    }
    assert_eq!(doorway.join("10.0.0.9"), Err(Limit::SourceLinks));
}

#[test]
fn handshakes_are_counted_by_source_and_altogether() {
    let mut doorway = Doorway::new();
    for _ in 0..10 {
        let link = doorway.come("10.0.0.9", true).expect("within the burst");
        doorway.leave(link);
    }
    assert_eq!(doorway.come("10.0.0.9", true), Err(Limit::SourceHandshakeRate));
    doorway.pass(SECOND / 5);
    assert!(doorway.come("10.0.0.9", true).is_ok());
    let mut doorway = Doorway::new();
    let mut come = |host: u32| {
        let ip = format!("10.1.{}.{}", host / 250, host % 250);
        doorway.come(&ip, true).map(|link| doorway.leave(link))
    };
    assert!((0..100).all(|host| come(host) == Ok(())));
    assert_eq!(come(101), Err(Limit::HandshakeRate));
    assert!(doorway.come("127.0.0.1", true).is_ok(), "loopback is not counted with them");
}

#[test]
fn plain_connections_are_counted_apart() {
    let mut doorway = Doorway::new();
    let open: Vec<_> = (0..4).map(|_| doorway.come("10.0.0.9", false).expect("let in")).collect();
    assert_eq!(doorway.come("10.0.0.9", false), Err(Limit::SourcePlain));
    open.into_iter().for_each(|link| doorway.leave(link));
    for _ in 4..20 {
        let link = doorway.come("10.0.0.9", false).expect("within the burst");
        doorway.leave(link);
    }
    assert_eq!(doorway.come("10.0.0.9", false), Err(Limit::SourcePlainRate));
    assert!(doorway.come("10.0.0.9", true).is_ok(), "a handshake is not one of them");
    for _ in 0..160 {
        let link = doorway.come("127.0.0.1", false).expect("eight times as many");
        doorway.leave(link);
    }
    assert_eq!(doorway.come("127.0.0.1", false), Err(Limit::SourcePlainRate));
}

#[test]
fn of_one_source_the_oldest_silent_one_makes_way() {
    let mut doorway = Doorway::new();
    let (first, _) = doorway.arrive("10.0.0.9");
    for _ in 1..8 {
        assert_eq!(doorway.arrive("10.0.0.9").1, Ok(None));
    }
    assert_eq!(doorway.arrive("10.0.0.9").1, Ok(Some(first)));
    // Whoever has said something is not thrown out for it.
    let mut doorway = Doorway::new();
    for _ in 0..4 {
        doorway.come("10.0.0.9", true).expect("let in");
        doorway.come("10.0.0.9", false).expect("let in");
    }
    assert_eq!(doorway.arrive("10.0.0.9").1, Err(Limit::SourceStrangers));
}

#[test]
fn of_all_the_oldest_silent_one_of_the_largest_network_makes_way() {
    let mut doorway = Doorway::new();
    let (honest, _) = doorway.arrive("192.168.1.1");
    for n in 0..255 {
        assert_eq!(doorway.arrive(&format!("10.3.0.{n}")).1, Ok(None));
    }
    for n in 0..1_000 {
        let (_, yields) = doorway.arrive(&format!("10.3.1.{}", n % 250));
        let yields = yields.expect("let in").expect("somebody makes way");
        assert_ne!(yields, honest);
        doorway.leave(yields);
    }
    assert!(doorway.come("192.168.1.2", true).is_ok(), "whoever is honest gets in");
}

#[test]
fn many_handshakes_are_dropped_by_chance_and_a_slow_one_makes_way() {
    // Sixty-four dribblers, then one who is honest.
    let mut doorway = Doorway::new();
    let mut dribbling = Vec::new();
    let mut host = 0;
    while dribbling.len() < 64 && host < 4_000 {
        match doorway.come(&format!("10.3.{}.{}", host / 250, host % 250), true) {
            Ok(link) => dribbling.push(link),
            Err(limit) => assert!(matches!(limit, Limit::Handshakes | Limit::HandshakeRate), "{limit:?}"),
        }
        host += 1;
        doorway.pass(Duration::from_millis(15));
        if dribbling.len() == 16 {
            // They last long enough to make way from here on, which they should not yet.
            assert!(host == 16, "nobody is dropped below sixteen");
        }
    }
    doorway.pass(SECOND);
    let honest = doorway.come("192.168.1.1", true);
    assert!(honest.is_ok(), "{honest:?}");
    assert!(doorway.admission.handshakes <= 64);
    // Without anybody slow, some are refused and never are there more than 64.
    let mut doorway = Doorway::new();
    let got = (0..100_u32).filter(|n| doorway.come(&format!("10.4.{}.1", n), true).is_ok()).count();
    assert!((17..=64).contains(&got), "{got}");
    assert_eq!(doorway.admission.handshakes, got);
}

#[test]
fn penalties_add_up_act_late_and_end() {
    let mut doorway = Doorway::new();
    let ip = "10.0.0.9".parse().expect("an address");
    let offend = |doorway: &mut Doorway| doorway.admission.offends(ip, doors::PENALTY_PROTOCOL, doorway.now);
    offend(&mut doorway);
    offend(&mut doorway);
    assert!(doorway.arrive("10.0.0.9").1.is_ok(), "a slip or two cost nothing");
    offend(&mut doorway);
    assert_eq!(doorway.arrive("10.0.0.9").1, Err(Limit::Penalty));
    assert!(doorway.arrive("10.0.0.8").1.is_ok());
    doorway.pass(SECOND * 14);
    assert_eq!(doorway.arrive("10.0.0.9").1, Err(Limit::Penalty), "once it acts, it acts to its end");
    doorway.pass(SECOND);
    assert!(doorway.arrive("10.0.0.9").1.is_ok());
    (0..1_000).for_each(|_| offend(&mut doorway));
    doorway.pass(doors::PENALTY_MAX);
    assert!(doorway.arrive("10.0.0.9").1.is_ok(), "never longer than ten minutes");
    (0..10).for_each(|_| doorway.admission.offends("::1".parse().expect("one"), SECOND * 10, doorway.now));
    assert!(doorway.arrive("::1").1.is_ok(), "loopback is everybody here");
}

#[test]
fn a_source_is_told_of_once_a_minute() {
    let mut doorway = Doorway::new();
    let ip = "10.0.0.9".parse().expect("an address");
    let mut told = 0;
    for _ in 0..1_200 {
        told += usize::from(doorway.admission.reports(ip, doorway.now));
        doorway.pass(SECOND / 10);
    }
    assert_eq!(told, 2);
}

#[test]
fn sources_are_forgotten_the_longest_unseen_first() {
    let mut doorway = Doorway::new();
    let (bad, held) = ("10.0.0.9".parse().expect("an address"), "10.0.0.8");
    doorway.admission.offends(bad, doors::PENALTY_MAX, doorway.now);
    let stays = doorway.join(held).expect("let in");
    for n in 0..3 * u32::try_from(doors::SOURCES_MAX).expect("small") {
        doorway.pass(SECOND / 10);
        let (link, _) = doorway.arrive(&format!("10.{}.{}.1", 1 + n / 250, n % 250));
        doorway.leave(link);
        assert!(doorway.admission.sources.len() <= doors::SOURCES_MAX);
    }
    assert!(doorway.arrive("10.0.0.9").1.is_ok(), "forgotten");
    assert_eq!(doorway.admission.sources[&Source::of(held.parse().expect("one"))].links, 1, "not forgotten");
    doorway.leave(stays);
}

proptest! {
    /// Whatever comes and goes in whatever order: nothing passes a bound, and when all have left, nothing
    /// is left.
    #[test]
    fn the_counts_are_right(acts in proptest::collection::vec((0_u8..6, 0_u8..40, 0_u64..400), 1..600)) {
        let mut doorway = Doorway::new();
        let mut here: Vec<LinkId> = Vec::new();
        for (act, which, ms) in acts {
            doorway.pass(Duration::from_millis(ms));
            let ip = if which == 0 { "127.0.0.1".to_owned() } else { format!("10.{}.0.1", which / 4) };
            match act {
                0 | 1 => {
                    let (link, answer) = doorway.arrive(&ip);
                    if let Ok(yields) = answer {
                        here.push(link);
                        yields.into_iter().for_each(|link| doorway.leave(link));
                    }
                }
                2 | 3 if !here.is_empty() => {
                    let link = here[usize::from(which) % here.len()];
                    match doorway.admission.speaks(link, act == 2, doorway.now, &mut doorway.rng) {
                        Ok(yields) => yields.into_iter().for_each(|link| doorway.leave(link)),
                        Err(_) => doorway.leave(link),
                    }
                }
                4 if !here.is_empty() => {
                    let link = here[usize::from(which) % here.len()];
                    let _ = doorway.admission.proves(link, which % 3 == 0, doorway.now);
                }
                5 if !here.is_empty() => {
                    let link = here.swap_remove(usize::from(which) % here.len());
                    doorway.leave(link);
                }
                _ => {}
            }
            let admission = &doorway.admission;
            prop_assert!(admission.handshakes <= DOORS.handshakes.1);
            prop_assert!(admission.outside().count() <= DOORS.strangers);
            for (source, entry) in &admission.sources {
                let bounds = row(&DOORS, *source);
                prop_assert!(entry.strangers <= bounds.strangers && entry.handshakes <= bounds.handshakes);
                prop_assert!(entry.plain <= bounds.plain && entry.links <= bounds.links);
                prop_assert_eq!(admission.idle.contains(&(entry.seen, *source)), entry.is_idle());
            }
        }
        here.into_iter().for_each(|link| doorway.leave(link));
        prop_assert_eq!(doorway.admission.handshakes, 0);
        prop_assert!(doorway.admission.strangers.is_empty() && doorway.admission.open.is_empty());
        prop_assert!(doorway.admission.sources.values().all(|entry| entry.is_idle() && entry.plain == 0));
    }
}
