//! Where things stand in the picture of a scene: peers as columns, time downward. Time is not to
//! scale: a long silence takes little more room than a short one, but what is later stands lower, so
//! crossings show. Decides places only; whole numbers, as they are short.

use std::collections::BTreeMap;

use crate::play::{Ev, Moment};
use crate::report::scene::{Fate, Scene};

/// More messages than this stand without their texts, close together.
const LABELLED_MAX: usize = 400;
/// Columns that are drawn; whoever comes later is left out, and that is said.
const PEERS_MAX: usize = 100;
/// Messages that are drawn.
pub(super) const ARROWS_MAX: usize = 20_000;
/// Room for times at the left, and for words behind the last column.
const LEFT: i64 = 64;
const RIGHT: i64 = 150;
/// Height of a line of text, and of the title of a step.
const LINE: i64 = 14;
const TITLE: i64 = 30;

/// The places of a scene.
pub(super) struct Layout {
    /// Columns that are drawn.
    pub(super) peers: usize,
    /// Between two columns.
    pub(super) spacing: i64,
    /// Texts stand beside arrows.
    pub(super) labelled: bool,
    /// Of each moment, how far down it is.
    pub(super) y: Vec<i64>,
    /// Of each, whether anything is drawn there.
    pub(super) drawn: Vec<bool>,
    /// Size of the whole.
    pub(super) width: i64,
    pub(super) height: i64,
    /// Left end of everything but times.
    pub(super) left: i64,
    /// Right end of bands.
    pub(super) right: i64,
}

/// What room a moment takes.
enum Room {
    /// It is not drawn.
    None,
    /// A point on a line.
    Point,
    /// A line of text beside a column, to the right or to the left.
    Beside(usize, bool),
    /// A line of text across the picture.
    Across,
    /// A title across the picture.
    Title,
}

impl Layout {
    pub(super) fn new(scene: &Scene<'_>) -> Self {
        let peers = scene.cast.len().min(PEERS_MAX);
        let count = i64::try_from(peers.max(1)).unwrap_or(1);
        let spacing = (840 / count).clamp(44, 210);
        let labelled = scene.arrows.len() <= LABELLED_MAX;
        let right = LEFT + count * spacing + if labelled { RIGHT } else { 20 };
        let mut layout = Self {
            peers,
            spacing,
            labelled,
            y: Vec::with_capacity(scene.moments.len()),
            drawn: Vec::with_capacity(scene.moments.len()),
            width: right + 4,
            height: 0,
            left: LEFT,
            right,
        };
        layout.place(scene);
        layout
    }

    /// The column of one of the cast, if it is drawn.
    pub(super) fn x(&self, peer: usize) -> Option<i64> {
        let place = i64::try_from(peer).ok().filter(|_| peer < self.peers)?;
        Some(LEFT + self.spacing / 2 + place * self.spacing)
    }

    /// How far down a moment is.
    pub(super) fn down(&self, place: usize) -> i64 {
        self.y.get(place).copied().unwrap_or(self.height)
    }

    fn place(&mut self, scene: &Scene<'_>) {
        let sides: BTreeMap<usize, (usize, bool)> =
            scene.arrows.iter().map(|arrow| (arrow.sent, (arrow.from, arrow.from < arrow.to))).collect();
        // Where arrows end there is no room for what is said next on that side.
        let arrivals: BTreeMap<usize, (usize, bool)> = scene
            .arrows
            .iter()
            .filter_map(|arrow| match arrow.fate {
                Fate::Read(at) => Some((at, (arrow.to, arrow.to < arrow.from))),
                _ => None,
            })
            .collect();
        let who: BTreeMap<_, _> = scene.cast.iter().enumerate().map(|(at, &name)| (name, at)).collect();
        // The last line of text beside each column, and the last across.
        let mut texts: BTreeMap<(usize, bool), (i64, u64)> = BTreeMap::new();
        let (mut y, mut floor, mut last, mut across) = (4, 0, 0, false);
        for (place, &(_, moment)) in scene.moments.iter().enumerate() {
            let column = moment.peer.and_then(|peer| who.get(&peer)).copied();
            let room = self.room(moment, sides.get(&place).copied(), column);
            if !matches!(room, Room::None) {
                y += self.gap(moment.at.saturating_sub(last));
                last = moment.at;
            }
            match room {
                Room::None => {}
                Room::Point => {
                    y = y.max(floor);
                    if let Some(&side) = arrivals.get(&place) {
                        texts.insert(side, (y, u64::MAX));
                    }
                }
                Room::Beside(column, right) => {
                    let cause = moment.cause.unwrap_or(u64::MAX);
                    let before = texts.get(&(column, right)).copied();
                    // A broadcast is said once, and starts at one place.
                    if before.is_none_or(|(at, wish)| wish != cause || at != y || cause == u64::MAX) {
                        y = y.max(floor).max(before.map_or(0, |(at, _)| at + LINE));
                    }
                    texts.insert((column, right), (y, cause));
                }
                // Below another such line it needs less room than below anything else.
                Room::Across if across => y = y.max(floor - LINE) + 4,
                Room::Across => y = y.max(floor) + LINE + 4,
                Room::Title => y = y.max(floor) + TITLE - 8,
            }
            self.y.push(y);
            self.drawn.push(!matches!(room, Room::None | Room::Title));
            across = matches!(room, Room::Across) || (across && matches!(room, Room::None));
            match room {
                Room::Across => floor = y + 2 * LINE,
                Room::Title => floor = y + LINE + 6,
                _ => {}
            }
        }
        self.height = y.max(floor) + 24;
    }

    fn room(&self, moment: &Moment, arrow: Option<(usize, bool)>, column: Option<usize>) -> Room {
        match (moment.ev, arrow, column) {
            (Ev::Step, ..) => Room::Title,
            (Ev::Queued, Some((from, right)), _) if self.labelled => Room::Beside(from, right),
            (Ev::Queued | Ev::Recv | Ev::Drop, ..) => Room::Point,
            (Ev::Delivered | Ev::Send | Ev::Listen | Ev::ExpectOk | Ev::Test, ..) => Room::None,
            (Ev::Crash | Ev::Restart | Ev::ExpectFail, _, Some(column)) => Room::Beside(column, true),
            (Ev::Check | Ev::ExpectFail, ..) => Room::Across,
            (Ev::Partition | Ev::Heal | Ev::Hold | Ev::Release, ..) => Room::Across,
            (Ev::Note, _, None) => Room::Across,
            _ if !self.labelled => Room::None,
            (Ev::Connect, _, Some(_)) => Room::Point,
            (Ev::Accept, _, Some(_)) => Room::None,
            (_, _, Some(column)) => Room::Beside(column, true),
            (_, _, None) => Room::Across,
        }
    }

    /// What a silence takes: each tenfold as much as the one before.
    fn gap(&self, us: u64) -> i64 {
        if us == 0 {
            return 0;
        }
        let doublings = i64::from((us / 100 + 1).ilog2());
        if self.labelled { 4 + 4 * doublings } else { 2 + doublings / 4 }
    }
}
