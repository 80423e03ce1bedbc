//! Everything that a page of ours may consist of, and a look whether a page does. What stands between
//! its tags is text; what stands within them is ours.

#[rustfmt::skip]
const ELEMENTS: [&str; 30] = [
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "pre", "dl", "dt", "dd", "div",
    "span", "small", "article", "table", "tbody", "tr", "td", "th", "details", "summary", "svg", "text",
    "rect", "path", "!DOCTYPE",
];
#[rustfmt::skip]
const ATTRIBUTES: [&str; 18] = [
    "lang", "charset", "http-equiv", "content", "name", "class", "id", "x", "y", "width", "height", "viewbox",
    "viewBox", "d", "role", "open", "transform", "html",
];
/// Besides these, in the page of a class: its links.
const OF_A_CLASS: [&str; 5] = ["thead", "a", "scope", "href", "colspan"];

/// The elements of a page with their attributes, and what is between tags, but for styles.
fn tags(page: &str) -> (Vec<(String, Vec<String>)>, String) {
    let (mut found, mut text, mut rest) = (Vec::new(), String::new(), page);
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let name: String =
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/' || *c == '!').collect();
        rest = &rest[name.len()..];
        let (mut attributes, mut word, mut quote) = (Vec::new(), String::new(), None);
        let mut end = rest.len();
        for (at, c) in rest.char_indices() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, ' ' | '>' | '\n') => {
                    let key = word.split('=').next().unwrap_or_default().trim_matches('/');
                    if !key.is_empty() {
                        attributes.push(key.to_owned());
                    }
                    word.clear();
                    if c == '>' {
                        end = at + 1;
                        break;
                    }
                }
                (None, _) => word.push(c),
            }
        }
        rest = &rest[end..];
        if name == "style" {
            rest = rest.split_once("</style>").map_or("", |(_, rest)| rest);
        }
        found.push((name.trim_start_matches('/').to_owned(), attributes));
    }
    text.push_str(rest);
    (found, text)
}

/// Looks whether there is any element or attribute in the page of a run that we never write; gives the
/// page's text as it is written, with its escapes.
pub(crate) fn check(page: &str) -> String {
    checked(page, &[])
}

/// The same for the page of a class.
pub(super) fn check_class(page: &str) -> String {
    checked(page, &OF_A_CLASS)
}

fn checked(page: &str, more: &[&str]) -> String {
    let (tags, text) = tags(page);
    for (name, attributes) in tags {
        let known = ELEMENTS.iter().chain(more).any(|known| known.eq_ignore_ascii_case(&name));
        assert!(known, "an element <{name}>");
        for attribute in attributes {
            let known = ATTRIBUTES.iter().chain(more).any(|known| *known == attribute);
            assert!(known, "<{name} {attribute}>");
        }
    }
    text
}
