//! Readers for what we write, of our own making: as strict as the forms are, and no more clever.

/// Text of a page, without the escapes of HTML.
pub(super) fn without_html(html: &str) -> String {
    assert!(!html.contains(['<', '>', '"', '\'']), "markup in {html:?}");
    let (mut text, mut rest) = (String::new(), html);
    while let Some((before, escape)) = rest.split_once('&') {
        let (name, after) = escape.split_once(';').expect("an escape has an end");
        text.push_str(before);
        text.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#39" => '\'',
            other => panic!("an escape that is not ours: {other:?}"),
        });
        rest = after;
    }
    text + rest
}

/// A line without the escape sequences that set colours; there may be no others.
pub(super) fn without_colors(line: &str) -> String {
    let mut parts = line.split('\x1b');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (codes, text) = part.split_once('m').expect("an escape sequence for colour");
        let codes = codes.strip_prefix('[').expect("an escape sequence for colour");
        assert!(codes.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'), "{line:?}");
        plain.push_str(text);
    }
    plain
}
