//! A run taken apart for drawing: one scene for each world, as time begins anew in each, with its
//! cast, its messages as arrows, and what lay over the network while. Decides what belongs together;
//! knows neither places nor signs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::id::Name;
use crate::play::{Ev, Moment, Play};
use crate::report::verdict::{begins, ends, more};
use crate::text::Untrusted;

/// A title that somebody chose; the script's own world has none.
type Title<'a> = Option<&'a Untrusted<Arc<str>>>;

/// What happened in one world.
pub struct Scene<'a> {
    /// The test whose world it is; `None` for the script's own.
    pub title: Title<'a>,
    /// Its moments, each with its number in the run. Whatever else counts moments here counts in
    /// this list.
    pub moments: Vec<(usize, &'a Moment)>,
    /// Everybody, in the order of coming to listen; then whoever else is named.
    pub cast: Vec<Name>,
    /// Every message, in the order of being sent.
    pub arrows: Vec<Arrow<'a>>,
    /// What kept peers apart, in order.
    pub bands: Vec<Band>,
    /// When a peer's program did not run: whose, from, until.
    pub absences: Vec<(usize, usize, Option<usize>)>,
}

/// One message from one peer to another.
#[derive(Clone, Debug)]
pub struct Arrow<'a> {
    /// Who of the cast sent it.
    pub from: usize,
    /// Who was to read it.
    pub to: usize,
    /// The moment that it was sent; of one that came from nowhere, that it was read.
    pub sent: usize,
    /// What became of it.
    pub fate: Fate,
    /// Its number.
    pub msg: Option<u64>,
    /// What it says, if that is known.
    pub text: Option<&'a Untrusted<Arc<str>>>,
}

/// What became of a message, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was read.
    Read(usize),
    /// It arrived, but nobody told us of its being read.
    Arrived(usize),
    /// It was written to a plain peer, unconfirmed.
    Written(usize),
    /// It will not arrive.
    Dropped(usize),
    /// It was still under way at the end.
    UnderWay,
}

/// Something that kept peers apart.
#[derive(Clone, Debug)]
pub struct Band {
    /// Since when.
    pub from: usize,
    /// Until when; `None` for to the end.
    pub until: Option<usize>,
    /// What, in words.
    pub words: String,
    /// Of a hold: between which two. A partition concerns all.
    pub pair: Option<(usize, usize)>,
}

/// Every world of a run: the script's own first, if anything happened there, then each test's.
pub fn scenes(play: &Play) -> Vec<Scene<'_>> {
    let mut own: Vec<(usize, &Moment)> = Vec::new();
    let mut tests: Vec<(Title<'_>, Vec<(usize, &Moment)>)> = Vec::new();
    let mut inside = false;
    for (at, moment) in play.moments.iter().enumerate() {
        if begins(moment) {
            inside = true;
            tests.push((moment.text.as_ref().or(Some(&play.head.script)), Vec::new()));
        }
        match tests.last_mut().filter(|_| inside) {
            Some((_, moments)) => moments.push((at, moment)),
            None => own.push((at, moment)),
        }
        inside &= !ends(moment);
    }
    let own = (!own.is_empty() || tests.is_empty()).then_some((None, own));
    own.into_iter().chain(tests).map(|(title, moments)| Scene::new(play, title, moments)).collect()
}

/// What was said at this moment, or at the one that caused it: a message stands where somebody
/// wished to send it, and need not stand again.
pub fn said<'a>(play: &'a Play, moment: &'a Moment) -> Option<&'a Untrusted<Arc<str>>> {
    let mut moment = moment;
    for _ in 0..3 {
        if moment.text.is_some() {
            return moment.text.as_ref();
        }
        moment = play.moments.get(usize::try_from(moment.cause?).ok()?)?;
    }
    None
}

/// Everybody who is named, in the order of coming to listen; the others behind them by name, as
/// nothing else about them is the same in every run.
pub fn cast<'a>(moments: impl Iterator<Item = &'a Moment> + Clone) -> Vec<Name> {
    let mut cast: Vec<Name> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    for moment in moments.clone().filter(|moment| moment.ev == Ev::Listen) {
        cast.extend(moment.peer.filter(|&peer| known.insert(peer)));
    }
    let others: std::collections::BTreeSet<Name> =
        moments.flat_map(|moment| [moment.peer, moment.with]).flatten().collect();
    cast.extend(others.into_iter().filter(|&name| !known.contains(&name)));
    cast
}

impl<'a> Scene<'a> {
    fn new(play: &'a Play, title: Title<'a>, moments: Vec<(usize, &'a Moment)>) -> Self {
        let cast = cast(moments.iter().map(|&(_, moment)| moment));
        let mut scene =
            Self { title, moments, cast, arrows: Vec::new(), bands: Vec::new(), absences: Vec::new() };
        scene.draw_arrows(play);
        scene.draw_bands();
        scene
    }

    /// The place of a moment in this scene, from its number in the run.
    pub fn place(&self, number: u64) -> Option<usize> {
        let number = usize::try_from(number).ok()?;
        self.moments.binary_search_by_key(&number, |&(at, _)| at).ok()
    }

    fn draw_arrows(&mut self, play: &'a Play) {
        let who: BTreeMap<Name, usize> = self.cast.iter().enumerate().map(|(at, &name)| (name, at)).collect();
        let mut by_queued: BTreeMap<u64, usize> = BTreeMap::new();
        let mut by_number: BTreeMap<(usize, usize, u64), usize> = BTreeMap::new();
        let mut arrows: Vec<Arrow<'a>> = Vec::new();
        for (at, &(number, moment)) in self.moments.iter().enumerate() {
            let (Some(&peer), Some(&with)) =
                (moment.peer.and_then(|peer| who.get(&peer)), moment.with.and_then(|with| who.get(&with)))
            else {
                continue;
            };
            let arrow = |from, to, fate| Arrow {
                from,
                to,
                sent: at,
                fate,
                msg: moment.msg,
                text: said(play, moment),
            };
            let numbered = moment.msg.and_then(|msg| by_number.get(&(peer, with, msg))).copied();
            // Who came back under the same name counts from one again, so a cause says more.
            let caused = moment.cause.and_then(|cause| by_queued.get(&cause)).copied();
            let known = caused.or(numbered);
            match (moment.ev, known) {
                (Ev::Queued, _) => {
                    by_queued.insert(number as u64, arrows.len());
                    if let Some(msg) = moment.msg {
                        by_number.insert((peer, with, msg), arrows.len());
                    }
                    arrows.push(arrow(peer, with, Fate::UnderWay));
                }
                (Ev::Recv, _) => {
                    match caused.and_then(|sent| arrows.get_mut(sent)) {
                        Some(sent) if !matches!(sent.fate, Fate::Read(_)) => sent.fate = Fate::Read(at),
                        // Read again, as a program that died had not kept that it was.
                        Some(sent) => {
                            let again = Arrow { fate: Fate::Read(at), ..sent.clone() };
                            arrows.push(again);
                        }
                        None => arrows.push(arrow(with, peer, Fate::Read(at))),
                    }
                }
                (Ev::Drop | Ev::Delivered | Ev::Send, Some(sent)) => {
                    let fate = match moment.ev {
                        Ev::Drop => Fate::Dropped(at),
                        Ev::Delivered => Fate::Arrived(at),
                        _ => Fate::Written(at),
                    };
                    if let Some(sent) = arrows.get_mut(sent).filter(|sent| sent.fate == Fate::UnderWay) {
                        sent.fate = fate;
                    }
                }
                _ => {}
            }
        }
        self.arrows = arrows;
    }

    fn draw_bands(&mut self) {
        let who = |name: Option<Name>| name.and_then(|name| self.cast.iter().position(|&peer| peer == name));
        let mut bands: Vec<Band> = Vec::new();
        let mut absences: Vec<(usize, usize, Option<usize>)> = Vec::new();
        for (at, &(_, moment)) in self.moments.iter().enumerate() {
            let pair = who(moment.peer).zip(who(moment.with)).map(|(a, b)| (a.min(b), a.max(b)));
            match moment.ev {
                Ev::Partition | Ev::Hold => {
                    let pair = pair.filter(|_| moment.ev == Ev::Hold);
                    bands.push(Band { from: at, until: None, words: network(moment), pair });
                }
                Ev::Release | Ev::Heal => {
                    let all = moment.ev == Ev::Heal;
                    for band in bands.iter_mut().filter(|band| band.until.is_none()) {
                        if all || (band.pair.is_some() && (pair.is_none() || band.pair == pair)) {
                            band.until = Some(at);
                        }
                    }
                }
                Ev::Crash | Ev::Exit => {
                    absences.extend(who(moment.peer).map(|peer| (peer, at, None)));
                }
                Ev::Restart | Ev::Listen => {
                    let peer = who(moment.peer);
                    for absence in absences.iter_mut().filter(|absence| Some(absence.0) == peer) {
                        absence.2 = absence.2.or(Some(at));
                    }
                }
                _ => {}
            }
        }
        self.bands = bands;
        self.absences = absences;
    }
}

/// What happened to the network, in words.
pub fn network(moment: &Moment) -> String {
    let word = moment.ev.word();
    let two = |between: &str| match (moment.peer, moment.with) {
        (Some(a), Some(b)) => format!("{word} {a} {between} {b}"),
        (Some(a), None) | (None, Some(a)) => format!("{word} {a}"),
        (None, None) => word.to_owned(),
    };
    match (&more(moment).sides, more(moment).one_way) {
        (Some([one, other]), one_way) => {
            let list = |names: &[Name]| names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
            let way = if one_way { ", one way" } else { "" };
            format!("{word} {} | {}{way}", list(one), list(other))
        }
        (None, _) => two("-"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::Sample;

    #[test]
    fn messages_become_arrows_with_a_fate() {
        let mut sample = Sample::talk();
        sample.parted();
        let play = sample.end(0);
        let scenes = scenes(&play);
        assert_eq!(scenes.len(), 1);
        let scene = &scenes[0];
        assert_eq!(scene.cast.iter().map(Name::as_str).collect::<Vec<_>>(), ["alice", "bob", "carol"]);
        let seen: Vec<_> = scene
            .arrows
            .iter()
            .map(|arrow| {
                let text = arrow.text.map(Untrusted::display).unwrap_or_default();
                (arrow.from, arrow.to, text, matches!(arrow.fate, Fate::Read(_)))
            })
            .collect();
        assert_eq!(
            seen,
            [
                (0, 1, "ping".into(), true),
                (1, 0, "pong".into(), true),
                (0, 1, "hello, all".into(), true),
                (0, 2, "hello, all".into(), true),
                (0, 2, "are you there?".into(), false),
            ]
        );
        assert!(matches!(scene.arrows[4].fate, Fate::Dropped(_)));
        assert_eq!(scene.bands.len(), 1);
        assert_eq!(scene.bands[0].words, "partition carol | alice, bob");
        assert!(scene.bands[0].until.is_some());
    }

    #[test]
    fn each_test_is_a_world() {
        let play = Sample::graded().end(0);
        let scenes = scenes(&play);
        let titles: Vec<_> =
            scenes.iter().map(|scene| scene.title.map(Untrusted::display).unwrap_or_default()).collect();
        assert_eq!(titles, ["says hello", "says goodbye", "says thanks"]);
        assert_eq!(scenes[0].cast.iter().map(Name::as_str).collect::<Vec<_>>(), ["judge", "s"]);
        assert!(super::scenes(&Sample::empty().end(0)).len() == 1);
    }
}
