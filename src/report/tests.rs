//! What holds for every renderer, whatever the run: it is made without panic, is the same twice, and
//! has nothing in it that could move a cursor, hide or reorder text.

use proptest::prelude::*;

use super::events::tests::plays;
use super::*;
use crate::play::Play;

fn all(play: &Play) -> Vec<(&'static str, String)> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    vec![
        ("transcript", transcript::write(play, false)),
        ("stable", stable::write(play)),
        ("events", text(events::write(play))),
        ("tap", tap::write(play)),
        ("junit", junit::write(play)),
        ("gradescope", gradescope::write(play)),
        ("html", html::write(play)),
        ("diagram", diagram::write(play, 80)),
        ("cast", text(cast::write(play))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_run_can_be_shown_anywhere(play in plays()) {
        for (name, text) in all(&play) {
            let odd = text.chars().find(|&c| c != '\n' && crate::text::is_hidden(c));
            prop_assert_eq!(odd, None, "in {}", name);
        }
        prop_assert_eq!(all(&play), all(&play));
    }
}
