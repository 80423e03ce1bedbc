//! What of a failing whole can be left out so that it still fails: by halves and quarters down to
//! single parts, as in Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input"
//! (2002), then by pairs, as of a crash and a restart neither can go alone. Knows nothing of what the
//! parts are, only of what kinds.

/// Something that fails.
pub(super) trait Failing {
    /// What kinds of parts it has.
    type Kind: Copy;
    type Part: Clone;

    /// What is still there of it, in order: of one kind, or all.
    fn parts(&self, kind: Option<Self::Kind>) -> Vec<Self::Part>;

    /// Whether it still fails when these go, too; then they are gone.
    fn fails_without(&mut self, some: &[Self::Part]) -> bool;

    /// It has had its time.
    fn is_over(&self) -> bool;
}

/// More parts than this are not tried in pairs.
const PAIRED_MAX: usize = 48;

/// Leaves out all that can be left out, of the kinds in this order.
pub(super) fn reduce<F: Failing>(whole: &mut F, kinds: &[F::Kind]) {
    loop {
        let mut less = false;
        for &kind in kinds {
            less |= thin(whole, kind);
        }
        if !less && !unpair(whole) {
            return;
        }
    }
}

/// Leaves out parts of one kind: all at once, then ever smaller shares. False if none could go.
fn thin<F: Failing>(whole: &mut F, kind: F::Kind) -> bool {
    let mut less = false;
    let mut share = whole.parts(Some(kind)).len();
    while share > 0 {
        let mut at = 0;
        loop {
            let parts = whole.parts(Some(kind));
            if at >= parts.len() {
                break;
            }
            if whole.is_over() {
                return less;
            }
            let some: Vec<_> = parts.into_iter().skip(at).take(share).collect();
            if whole.fails_without(&some) {
                less = true;
            } else {
                at += share;
            }
        }
        share = if share == 1 { 0 } else { share.div_ceil(2) };
    }
    less
}

/// Leaves out two parts at a time. False if no two could go.
fn unpair<F: Failing>(whole: &mut F) -> bool {
    let mut less = false;
    let mut first = 0;
    loop {
        let parts = whole.parts(None);
        if first >= parts.len() || parts.len() > PAIRED_MAX {
            return less;
        }
        let pairs = parts[first + 1..].iter().map(|second| [parts[first].clone(), second.clone()]);
        let mut gone = false;
        for pair in pairs {
            if whole.is_over() {
                return less;
            }
            if whole.fails_without(&pair) {
                gone = true;
                break;
            }
        }
        less |= gone;
        first += usize::from(!gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that fail as long as `fails` says so; even ones are of one kind, odd ones of another.
    struct Numbers<F: Fn(&[u32]) -> bool> {
        left: Vec<u32>,
        fails: F,
        tries: u32,
        tries_max: u32,
    }

    impl<F: Fn(&[u32]) -> bool> Failing for Numbers<F> {
        type Kind = u32;
        type Part = u32;

        fn parts(&self, kind: Option<u32>) -> Vec<u32> {
            self.left.iter().copied().filter(|number| kind.is_none_or(|kind| number % 2 == kind)).collect()
        }

        fn fails_without(&mut self, some: &[u32]) -> bool {
            self.tries += 1;
            let left: Vec<_> = self.left.iter().copied().filter(|number| !some.contains(number)).collect();
            let fails = (self.fails)(&left);
            if fails {
                self.left = left;
            }
            fails
        }

        fn is_over(&self) -> bool {
            self.tries >= self.tries_max
        }
    }

    fn reduced(tries_max: u32, fails: impl Fn(&[u32]) -> bool) -> (Vec<u32>, u32) {
        let mut numbers = Numbers { left: (0..128).collect(), fails, tries: 0, tries_max };
        reduce(&mut numbers, &[0, 1]);
        (numbers.left, numbers.tries)
    }

    #[test]
    fn what_does_not_matter_goes() {
        let (left, tries) = reduced(10_000, |left| [17, 64, 65].iter().all(|number| left.contains(number)));
        assert_eq!(left, [17, 64, 65]);
        assert!(tries < 80, "{tries} tries, as halves go first");
        assert_eq!(reduced(10_000, |_| true).0, [] as [u32; 0], "it fails in any case");
    }

    #[test]
    fn two_that_need_each_other_go_together() {
        // A crash and its restart: without one of them it does not fail as it did.
        let paired = |left: &[u32]| left.contains(&8) == left.contains(&31) && left.contains(&5);
        assert_eq!(reduced(10_000, paired).0, [5]);
    }

    #[test]
    fn no_single_part_can_go_of_what_is_left() {
        // What matters is another in each case: a sum, and a number that must not stand alone.
        let fails =
            |left: &[u32]| left.iter().sum::<u32>() > 300 && (!left.contains(&90) || left.contains(&91));
        let (left, _) = reduced(10_000, fails);
        assert!(fails(&left));
        for gone in &left {
            let less: Vec<_> = left.iter().copied().filter(|number| number != gone).collect();
            assert!(!fails(&less), "{gone} could go of {left:?}");
        }
    }

    #[test]
    fn it_ends_when_its_time_is_over() {
        let (left, tries) = reduced(5, |left| left.contains(&3));
        assert_eq!(tries, 5);
        assert!(left.contains(&3));
    }
}
