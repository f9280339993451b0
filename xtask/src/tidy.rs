//! What no lint holds. Each rule is a function from the project to its complaints, with tests that it can complain.

mod crates;
mod docs;
mod pages;
mod sources;

use crate::process::{Context, Error, Result, cargo, failed};
use crate::stamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The project's own files and packages.
#[derive(Default)]
struct Project {
    /// Path from the root, and text; the text of a binary file is empty.
    files: BTreeMap<String, String>,
    packages: Vec<Package>,
}

/// A package of the workspace, as `cargo metadata` tells.
#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// Nothing for an ordinary one, else `dev` or `build`.
    kind: Option<String>,
}

type Rule = fn(&Project) -> Vec<String>;

const RULES: [(&str, Rule); 13] = [
    ("dependencies between crates point one way", crates::arrows),
    ("engine, protocol and suggest depend on nothing impure", crates::pure_dependencies),
    ("engine, protocol and suggest use no clock, disk, network, thread or chance", crates::pure_sources),
    ("one file knows rust_socketio", crates::one_socket),
    ("the shell is thin: no SQL, no socket", crates::thin_shell),
    ("ui/src/platform alone knows the host", pages::host),
    ("text is never HTML", pages::raw_html),
    ("each kind of entry has its component", pages::entry_components),
    ("invariants name tests that exist", docs::invariants),
    ("links lead somewhere", docs::links),
    ("what is left to do has a reason in brackets", sources::reasons),
    ("no file holds two ideas", sources::length),
    ("lock files name no registry", sources::lock_files),
];

/// Checks all rules.
pub fn run(root: &Path) -> Result {
    let project = read(root)?;
    let mut complaints = 0;
    for (title, rule) in RULES {
        for complaint in rule(&project) {
            eprintln!("{title}: {complaint}");
            complaints += 1;
        }
    }
    if complaints == 0 {
        println!("tidy: {} rules hold.", RULES.len());
        Ok(())
    } else {
        failed(format!("{complaints} complaints of tidy, above"))
    }
}

fn read(root: &Path) -> Result<Project> {
    let mut files = BTreeMap::new();
    for file in stamp::files(root)? {
        let path = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
        let bytes = std::fs::read(&file).context(format_args!("read {path}"))?;
        files.insert(path, String::from_utf8(bytes).unwrap_or_default());
    }
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let output = cargo(&["metadata", "--no-deps", "--format-version", "1"], root)
        .output()
        .context("run cargo metadata")?;
    if !output.status.success() {
        return Err(Error::Failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("read cargo's metadata")?;
    Ok(Project { files, packages: metadata.packages })
}

impl Project {
    /// The files whose path begins with one of `places` and has one of the extensions.
    fn files_in<'a>(
        &'a self,
        places: &'a [&str],
        extensions: &'a [&str],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str())).filter(move |(path, _)| {
            places.iter().any(|place| path.starts_with(place))
                && path.rsplit_once('.').is_some_and(|(_, end)| extensions.contains(&end))
        })
    }
}

/// The numbered lines of a Rust file, without comments and without the tests at its end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = ["#[cfg(test)]\nmod ", "#[cfg(test)]\n#[allow"]
        .iter()
        .filter_map(|mark| text.find(mark))
        // A `mod tests;` is a file of its own, and code may follow it.
        .filter(|at| !text.get(*at..).unwrap_or_default().lines().nth(1).unwrap_or_default().ends_with(';'))
        .min()
        .unwrap_or(text.len());
    text.get(..tests)
        .unwrap_or_default()
        .lines()
        .enumerate()
        .map(|(number, line)| (number + 1, without_comment(line)))
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with("//") {
        return "";
    }
    line.split_once(" // ").map_or(line, |(code, _)| code)
}

/// Whether `word` stands in `line` as a word of its own.
fn mentions(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, found)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + found.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
impl Project {
    /// A project for a rule's test.
    fn of(files: &[(&str, &str)]) -> Self {
        Self {
            files: files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect(),
            packages: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole() {
        assert!(mentions("use rand::Rng;", "rand"));
        assert!(!mentions("let operand = rand_core();", "rand"));
    }

    #[test]
    fn code_ends_where_tests_begin() {
        let lines = |text: &'static str| code(text).map(|(_, line)| line).collect::<Vec<_>>().join("|");
        assert_eq!(lines("a; // why\n/// b\n#[cfg(test)]\nmod tests {\nc"), "a;|");
        assert_eq!(lines("#[cfg(test)]\nmod tests;\na;"), "#[cfg(test)]|mod tests;|a;");
    }
}
