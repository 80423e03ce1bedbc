//! What a mistyped word was probably meant to be: one rule for verbs, options, settings and topics.

/// The candidate nearest to `word`, if it is near enough to be worth a question. The first of
/// several that are equally near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    // One slip in three letters; shorter words are near to everything, longer ones are prose.
    let slips_max = length.min(LENGTH_MAX + 1) / 3;
    if slips_max == 0 || length > LENGTH_MAX {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| {
            let slips = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
            (slips, candidate)
        })
        .filter(|&(slips, _)| slips <= slips_max)
        .min_by_key(|&(slips, _)| slips)
        .map(|(_, candidate)| candidate)
}

/// Letters of the longest word that is compared.
const LENGTH_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger() {
        let verbs = ["send", "set", "peers", "disconnect"];
        for (typed, meant) in [
            ("sned", Some("send")),
            ("Send", Some("send")),
            ("peesr", Some("peers")),
            ("diconect", Some("disconnect")),
            ("hello", None),
            ("we", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, verbs), meant, "{typed}");
        }
        assert_eq!(nearest(&"x".repeat(50_000), verbs), None);
    }
}
