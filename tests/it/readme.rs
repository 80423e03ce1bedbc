//! README.md is obeyed: each console block is run, and what it says must come. A block that begins
//! with `$ hobnob NAME PORT` is a terminal of its own, in which lines `NAME> …` are typed; all such
//! terminals stay open until the end. In any other block each `$` line is run by a shell.

use std::process::Command;

use crate::proc::Peer;
use crate::two_processes::free_port;

/// Ports as README has them, and those that are free here.
fn replace_ports(text: &str) -> String {
    let mut text = text.replace("[::]", "127.0.0.1");
    for port in ["5000", "5001", "5009"] {
        text = text.replace(port, &free_port().to_string());
    }
    text
}

fn blocks(text: &str) -> Vec<Vec<&str>> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while lines.any(|line| line == "```console") {
        blocks.push(lines.by_ref().take_while(|line| *line != "```").collect());
    }
    blocks
}

#[test]
fn the_session_in_the_readme_plays() {
    let readme = replace_ports(include_str!("../../README.md"));
    let blocks = blocks(&readme);
    let is_terminal = |block: &&Vec<&str>| terminal(block[0]).is_some();
    let mut open: Vec<(Peer, String, Vec<&str>)> = Vec::new();
    for block in blocks.iter().filter(is_terminal) {
        let (name, port, args) = terminal(block[0]).expect("filtered");
        let peer = Peer::start_at(&name, &port, &args.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(peer.output()[0], block[1]);
        open.push((peer, name, block[2..].to_vec()));
    }
    assert!(open.len() >= 2, "two terminals");
    // Each terminal goes on by itself, as two people would.
    let players: Vec<_> = open
        .into_iter()
        .map(|(mut peer, name, lines)| {
            let lines: Vec<_> = lines.into_iter().map(str::to_owned).collect();
            std::thread::spawn(move || {
                for line in lines {
                    match line.strip_prefix(&format!("{name}> ")) {
                        Some(typed) => peer.say(typed),
                        None => assert_eq!(peer.expect(&line), line),
                    }
                }
                peer
            })
        })
        .collect();
    let open: Vec<_> = players.into_iter().map(|player| player.join().expect("as written")).collect();
    let mut run = 0;
    for block in blocks.iter().filter(|block| !is_terminal(block)) {
        let mut lines = block.iter().peekable();
        while let Some(line) = lines.next() {
            let Some(command) = line.strip_prefix("$ ") else { panic!("{line:?} follows no command") };
            let mut expected = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                expected.push((*line).to_owned());
            }
            if command.starts_with("cargo") || command.starts_with("git") {
                // These run it, or are this very test.
                continue;
            }
            run += 1;
            assert_eq!(shell(command), expected, "$ {command}");
        }
    }
    assert!(run >= 3, "commands were run");
    drop(open);
}

/// The name, the port and the other arguments of a terminal's first line.
fn terminal(line: &str) -> Option<(String, String, Vec<String>)> {
    let words: Vec<_> = line.strip_prefix("$ hobnob ")?.split_whitespace().map(str::to_owned).collect();
    let [name, port, args @ ..] = &words[..] else { return None };
    port.parse::<u16>().ok()?;
    Some((name.clone(), port.clone(), args.to_vec()))
}

fn shell(command: &str) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_hobnob")).parent().expect("a folder");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display());
    // Only loopback is listened on here.
    let command = command.replace("hobnob -c", "hobnob --listen 127.0.0.1 -c");
    let command = command.replace("hobnob --json", "hobnob --listen 127.0.0.1 --json");
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .env_clear()
        .env("PATH", path)
        .env("HOME", crate::proc::home())
        .env("USER", "you")
        .output()
        .expect("a shell");
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}
