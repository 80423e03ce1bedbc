//! What is looked for in a text by pattern: the language itself has no regular expressions.

use regex::{Regex, RegexBuilder};
use rhai::{Array, Dynamic, Engine, NativeCallContext};
use std::rc::Rc;

use crate::limits;
use crate::script::error::Failure;
use crate::script::rhai::kit::Kit;

type Ctx<'a> = NativeCallContext<'a>;

pub(super) fn register(engine: &mut Engine, kit: &Rc<Kit>) {
    let own = Rc::clone(kit);
    engine.register_fn("find", move |ctx: Ctx<'_>, text: &str, pattern: &str| {
        own.act(&ctx, |_, _| Ok(found(&regex(pattern)?, text).next().unwrap_or_default()))
    });
    let own = Rc::clone(kit);
    engine.register_fn("find_all", move |ctx: Ctx<'_>, text: &str, pattern: &str| {
        own.act(&ctx, |_, _| {
            let regex = regex(pattern)?;
            let all = found(&regex, text).take(limits::FOUND_MAX);
            Ok(all.map(Dynamic::from).collect::<Array>())
        })
    });
}

/// Upper and lower case are the same, `^` and `$` are the ends of lines.
fn regex(pattern: &str) -> Result<Regex, Failure> {
    let built = RegexBuilder::new(pattern)
        .case_insensitive(true)
        .multi_line(true)
        .size_limit(limits::PATTERN_COMPILED_MAX)
        .build();
    built.map_err(|error| {
        let last = error.to_string().lines().next_back().unwrap_or_default().to_owned();
        let (pattern, last) = (crate::text::escape_display(pattern), crate::text::escape_display(&last));
        Failure::Misuse(format!("find: \"{pattern}\" is no pattern: {last}"))
    })
}

/// Of each match, what its first bracket holds, or all of it if there is none.
fn found<'a>(regex: &'a Regex, text: &'a str) -> impl Iterator<Item = String> + 'a {
    regex.captures_iter(text).filter_map(|found| {
        let part = if found.len() > 1 { found.get(1) } else { found.get(0) };
        part.map(|part| part.as_str().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bracket_counts_and_lines_have_ends() {
        let menu = "1. Send\n2) List all\n";
        let all = |pattern: &str| found(&regex(pattern).expect("a pattern"), menu).collect::<Vec<_>>();
        assert_eq!(all(r"^(\d+)\W+LIST"), ["2"]);
        assert_eq!(all(r"^\d"), ["1", "2"]);
        assert!(all("nothing").is_empty());
        assert!(regex("(").is_err());
    }
}
