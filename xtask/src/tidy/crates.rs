//! Between crates: which may know which, and what each may not know at all.

use super::{Project, code, mentions};

/// The project's packages, and which of each other they may depend on.
const ARROWS: [(&str, &[&str]); 10] = [
    ("bedside-protocol", &[]),
    ("bedside-suggest", &[]),
    ("bedside-engine", &["bedside-protocol"]),
    ("bedside-store", &["bedside-protocol", "bedside-engine"]),
    ("bedside-client", &["bedside-protocol", "bedside-engine", "bedside-store"]),
    ("bedside-server", &["bedside-protocol", "bedside-suggest"]),
    ("bedside", &["bedside-client"]),
    (
        "bedside-tests",
        &["bedside-protocol", "bedside-engine", "bedside-store", "bedside-client", "bedside-server"],
    ),
    ("bedside-sim", &["bedside-protocol", "bedside-engine", "bedside-store", "bedside-server"]),
    ("xtask", &[]),
];

/// Dependencies between packages point one way.
pub(super) fn arrows(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in &project.packages {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
            complaints.push(format!("{} has no place among the arrows", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let ours = ARROWS.iter().any(|(name, _)| *name == dependency.name);
            // A crate may name itself for its own tests' sake; no other way round, tests included.
            if ours && !allowed.contains(&dependency.name.as_str()) && dependency.name != package.name {
                complaints.push(format!("{} depends on {}", package.name, dependency.name));
            }
        }
    }
    complaints
}

/// What the pure crates may depend on, tests apart.
const PURE: [(&str, &[&str]); 3] = [
    ("bedside-protocol", &["serde", "serde_json", "ts-rs", "uuid"]),
    ("bedside-engine", &["bedside-protocol"]),
    ("bedside-suggest", &[]),
];

/// The pure crates depend on nothing that could reach a clock, a disk or a network.
pub(super) fn pure_dependencies(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, allowed) in PURE {
        let Some(package) = project.packages.iter().find(|package| package.name == name) else {
            complaints.push(format!("there is no {name}"));
            continue;
        };
        for dependency in &package.dependencies {
            let for_tests = dependency.kind.as_deref() == Some("dev");
            if !for_tests && !allowed.contains(&dependency.name.as_str()) {
                complaints.push(format!("{name} depends on {}", dependency.name));
            }
        }
    }
    complaints
}

const PURE_SOURCES: [&str; 3] = ["crates/protocol/src/", "crates/engine/src/", "crates/suggest/src/"];

/// What lets the world in. The first four modules also by `use std::{…}`.
const IMPURE: [&str; 15] = [
    "fs",
    "net",
    "thread",
    "process",
    "env",
    "SystemTime",
    "Instant",
    "HashMap",
    "HashSet",
    "tokio",
    "rand",
    "getrandom",
    "now_v7",
    "new_v4",
    "println",
];

/// The pure crates use no clock, disk, network, thread or chance; HashMap's order is chance.
pub(super) fn pure_sources(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in project.files_in(&PURE_SOURCES, &["rs"]) {
        if path.ends_with("/tests.rs") || path.contains("/tests/") {
            continue;
        }
        for (number, line) in code(text) {
            for word in IMPURE.iter().filter(|word| mentions(line, word)) {
                complaints.push(format!("{path}:{number} mentions {word}"));
            }
        }
    }
    complaints
}

const SOCKET: &str = "crates/client/src/socket.rs";

/// Everything that knows rust_socketio is one file; tests and benchmarks may play a client of their own.
pub(super) fn one_socket(project: &Project) -> Vec<String> {
    project
        .files_in(&["crates/", "src-tauri/"], &["rs"])
        .filter(|(path, _)| *path != SOCKET && !path.starts_with("crates/client/src/socket/"))
        .filter(|(_, text)| code(text).any(|(_, line)| mentions(line, "rust_socketio")))
        .map(|(path, _)| path.to_owned())
        .collect()
}

/// Most lines of the shell, tests apart: it has its commands and what window, files and desktop want; everything else belongs
/// into the core.
const SHELL_LINES: usize = 700;

/// What the shell leaves to the core: the database, its language, and the network.
const NOT_IN_SHELL: [&str; 10] = [
    "rusqlite",
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "rust_socketio",
    "reqwest",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
];

/// The shell has no SQL and no socket, and stays short.
pub(super) fn thin_shell(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut lines = 0;
    for (path, text) in project.files_in(&["src-tauri/src/"], &["rs"]) {
        for (number, line) in code(text) {
            lines += 1;
            for word in NOT_IN_SHELL.iter().filter(|word| mentions(line, word)) {
                complaints.push(format!("{path}:{number} mentions {word}"));
            }
        }
    }
    if lines > SHELL_LINES {
        complaints.push(format!("src-tauri/src has {lines} lines, more than {SHELL_LINES}"));
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{Dependency, Package};

    /// A dependency's name and kind.
    type Row<'a> = (&'a str, Option<&'a str>);

    fn packages(packages: &[(&str, &[Row<'_>])]) -> Project {
        let packages = packages
            .iter()
            .map(|(name, dependencies)| Package {
                name: (*name).into(),
                dependencies: dependencies
                    .iter()
                    .map(|(name, kind)| Dependency { name: (*name).into(), kind: kind.map(str::to_owned) })
                    .collect(),
            })
            .collect();
        Project { packages, ..Project::default() }
    }

    #[test]
    fn an_arrow_the_wrong_way_is_found_even_for_tests() {
        let project = packages(&[
            ("bedside-client", &[("bedside-store", None), ("tokio", None)]),
            ("bedside-engine", &[("bedside-client", Some("dev"))]),
            ("bedside-newcomer", &[]),
        ]);
        assert_eq!(
            arrows(&project),
            ["bedside-engine depends on bedside-client", "bedside-newcomer has no place among the arrows"]
        );
    }

    #[test]
    fn the_arrows_have_no_circle() {
        for (at, (_, allowed)) in ARROWS.iter().enumerate() {
            for name in *allowed {
                let place = ARROWS.iter().position(|(other, _)| other == name);
                assert!(place.is_some_and(|place| place < at), "{name} comes later");
            }
        }
    }

    #[test]
    fn an_impure_dependency_is_found() {
        let project = packages(&[
            ("bedside-protocol", &[("serde", None), ("proptest", Some("dev"))]),
            ("bedside-engine", &[("bedside-protocol", None), ("tokio", None)]),
            ("bedside-suggest", &[("proptest", Some("dev"))]),
        ]);
        assert_eq!(pure_dependencies(&project), ["bedside-engine depends on tokio"]);
        assert_eq!(pure_dependencies(&Project::default()).len(), 3, "none is no proof");
    }

    #[test]
    fn an_impure_line_is_found() {
        let project = Project::of(&[
            ("crates/engine/src/a.rs", "use std::time::Instant;\n// an Instant\n"),
            ("crates/protocol/src/b.rs", "use std::{fmt, fs};\n"),
            ("crates/protocol/src/c.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\nuse std::fs;\n"),
            ("crates/store/src/d.rs", "use std::fs;\n"),
        ]);
        assert_eq!(
            pure_sources(&project),
            ["crates/engine/src/a.rs:1 mentions Instant", "crates/protocol/src/b.rs:1 mentions fs"]
        );
    }

    #[test]
    fn a_second_socket_is_found() {
        let project = Project::of(&[
            (SOCKET, "use rust_socketio::Event;"),
            ("crates/client/src/driver.rs", "use rust_socketio::Event;"),
            ("tests/src/chat.rs", "use rust_socketio::Event;"),
        ]);
        assert_eq!(one_socket(&project), ["crates/client/src/driver.rs"]);
    }

    #[test]
    fn a_thick_shell_is_found() {
        let project = Project::of(&[("src-tauri/src/lib.rs", "query(\"SELECT 1\");\n")]);
        assert_eq!(thin_shell(&project), ["src-tauri/src/lib.rs:1 mentions SELECT"]);
        let long = "f();\n".repeat(SHELL_LINES + 1);
        assert_eq!(thin_shell(&Project::of(&[("src-tauri/src/lib.rs", &long)])).len(), 1);
    }
}
