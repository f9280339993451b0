//! In all sources: their length, and what is left to do.

use super::{Project, mentions};

const SOURCES: [&str; 10] = ["rs", "ts", "js", "mjs", "svelte", "py", "css", "html", "sql", "sh"];

/// Written so that this file doesn't find itself.
const LEFT: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// What is left to do says why, in brackets.
pub(super) fn reasons(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in project.files_in(&[""], &SOURCES) {
        for (at, line) in text.lines().enumerate() {
            for word in LEFT {
                let reason = line
                    .split_once(&format!("{word}("))
                    .and_then(|(_, rest)| rest.split_once(')'))
                    .is_some_and(|(reason, _)| !reason.trim().is_empty());
                if mentions(line, word) && !reason {
                    complaints.push(format!("{path}:{}", at + 1));
                }
            }
        }
    }
    complaints
}

/// Longest source file, tests included.
const MAX_LINES: usize = 600;

/// A longer file is two ideas.
pub(super) fn length(project: &Project) -> Vec<String> {
    project
        .files_in(&[""], &SOURCES)
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(path, lines)| format!("{path} has {lines} lines, more than {MAX_LINES}"))
        .collect()
}

/// npm's lock files work with any registry, a mirror included: they hold versions and digests, no addresses.
pub(super) fn lock_files(project: &Project) -> Vec<String> {
    project
        .files
        .iter()
        .filter(|(path, text)| path.ends_with("package-lock.json") && text.contains("\"resolved\": \"http"))
        .map(|(path, _)| path.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_needs_a_reason() {
        let [todo, fixme] = LEFT;
        let text = format!(
            "// {todo}(the server must say so first): ask\n// {todo}: ask\n// {fixme}()\n// {todo}s\n"
        );
        let project = Project::of(&[("a.rs", &text)]);
        assert_eq!(reasons(&project), ["a.rs:2", "a.rs:3"]);
    }

    #[test]
    fn a_long_file_is_found() {
        let text = "x\n".repeat(MAX_LINES);
        let longer = format!("{text}x\n");
        let project = Project::of(&[("a.rs", &text), ("b.rs", &longer), ("c.json", &longer)]);
        assert_eq!(length(&project), ["b.rs has 601 lines, more than 600"]);
    }

    #[test]
    fn an_address_in_a_lock_file_is_found() {
        let project = Project::of(&[
            ("ui/package-lock.json", "\"resolved\": \"https://example.org/a.tgz\""),
            ("page/package-lock.json", "\"integrity\": \"sha512-\""),
        ]);
        assert_eq!(lock_files(&project), ["ui/package-lock.json"]);
    }
}
