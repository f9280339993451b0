//! In the documents: names and links that are dead.

use super::Project;

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const INVARIANT: &str = "**Architecture Invariant";

/// The packages by the name that their tests' paths begin with.
const CRATES: [(&str, &str); 10] = [
    ("bedside_protocol", "crates/protocol/"),
    ("bedside_engine", "crates/engine/"),
    ("bedside_store", "crates/store/"),
    ("bedside_client", "crates/client/"),
    ("bedside_server", "crates/server/"),
    ("bedside_suggest", "crates/suggest/"),
    ("bedside_app", "src-tauri/"),
    ("bedside_sim", "tests/sim/"),
    ("bedside_tests", "tests/"),
    ("xtask", "xtask/"),
];

/// Each invariant says `Test:` and then, in backticks, tests (`crate::module::name`) or files that hold it.
pub(super) fn invariants(project: &Project) -> Vec<String> {
    let text = project.files.get(ARCHITECTURE).map(String::as_str).unwrap_or_default();
    let invariants: Vec<&str> =
        text.split("\n\n").filter(|paragraph| paragraph.contains(INVARIANT)).collect();
    if invariants.is_empty() {
        return vec![format!("{ARCHITECTURE} has no {INVARIANT}:**")];
    }
    let mut complaints = Vec::new();
    for invariant in invariants {
        let held = invariant
            .split_once("Test:")
            .or_else(|| invariant.split_once("Tests:"))
            .map(|(_, tests)| tests)
            .unwrap_or_default();
        let names: Vec<&str> = held.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            let start: String = invariant.chars().take(80).collect();
            complaints.push(format!("no test holds “{}…”", start.replace('\n', " ")));
        }
        for name in names {
            if !exists(project, name) {
                complaints.push(format!("there is no test {name}"));
            }
        }
    }
    complaints
}

fn exists(project: &Project, name: &str) -> bool {
    if name.contains('/') {
        return project.files.contains_key(name);
    }
    let parts: Vec<&str> = name.split("::").collect();
    let [first, modules @ .., function] = parts.as_slice() else {
        return false;
    };
    let Some((_, folder)) = CRATES.iter().find(|(name, _)| name == first) else {
        return false;
    };
    project.files_in(&[folder], &["rs"]).any(|(path, text)| {
        modules.iter().all(|module| {
            path.split(['/', '.']).any(|part| part == *module) || text.contains(&format!("mod {module} {{"))
        }) && has_test(text, function)
    })
}

/// How far above its function a test's attribute stands at most; `#[should_panic]` and comments may stand between.
const ATTRIBUTE_LINES: usize = 6;

fn has_test(text: &str, function: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let head = format!("fn {function}(");
    lines.iter().enumerate().any(|(at, line)| {
        let above = lines.get(at.saturating_sub(ATTRIBUTE_LINES)..at).unwrap_or_default();
        line.contains(&head)
            && above
                .iter()
                .rev()
                .take_while(|line| line.starts_with(['#', '/']))
                .any(|line| line.starts_with("#[test]") || line.contains("::test"))
    })
}

/// Relative links in documents lead to a file, and to a heading where they name one.
pub(super) fn links(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in project.files_in(&[""], &["md"]) {
        for target in targets(text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !leads(project, path, target) {
                complaints.push(format!("{path} links to {target}"));
            }
        }
    }
    complaints
}

fn leads(project: &Project, from: &str, target: &str) -> bool {
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = (if file.is_empty() { Some(from.to_owned()) } else { resolve(from, file) }) else {
        return false;
    };
    if heading.is_empty() {
        let folder = format!("{path}/");
        return project.files.contains_key(&path)
            || project.files.keys().any(|other| other.starts_with(&folder));
    }
    project
        .files
        .get(&path)
        .is_some_and(|text| prose(text).any(|line| line.starts_with('#') && slug(line) == heading))
}

/// A link's path from the root; `None` where it leaves the project.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A heading's anchor, as the usual hosts make it.
fn slug(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The lines outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

fn targets(text: &str) -> Vec<&str> {
    prose(text)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invariant_without_a_living_test_is_found() {
        let tests = "mod tests {\n    #[test]\n    fn holds() {}\n\n    fn helper() {}\n}\n";
        let complaints = |end: &str| {
            let text = format!("# Map\n\n{INVARIANT}:** nothing is lost.\n{end}\n");
            invariants(&Project::of(&[
                (ARCHITECTURE, &text),
                ("crates/engine/src/outbox.rs", tests),
                ("ui/src/a.test.ts", ""),
            ]))
        };
        assert_eq!(complaints("Test: `bedside_engine::outbox::tests::holds`."), [""; 0]);
        assert_eq!(complaints("Tests: `ui/src/a.test.ts`."), [""; 0]);
        for dead in [
            "",
            "Test: none.",
            "Test: `bedside_engine::outbox::tests::gone`.",
            "Test: `bedside_engine::outbox::tests::helper`.",
            "Test: `bedside_engine::inbox::tests::holds`.",
            "Test: `bedside_store::outbox::tests::holds`.",
            "Test: `ui/src/b.test.ts`.",
        ] {
            assert_eq!(complaints(dead).len(), 1, "{dead}");
        }
        assert_eq!(invariants(&Project::default()).len(), 1, "none is no proof");
    }

    #[test]
    fn a_dead_link_is_found() {
        let project = Project::of(&[
            (
                "docs/a.md",
                "# One\n[b](../b.md) [h](#one) [h](../b.md#two-words) [f](adr/) [w](https://example.org/x)\n\
                 [gone](c.md) [gone](#three) [out](../../d.md)\n```\n[code](x.md)\n```\n",
            ),
            ("b.md", "## Two words!\n"),
            ("docs/adr/1.md", ""),
        ]);
        assert_eq!(
            links(&project),
            ["docs/a.md links to c.md", "docs/a.md links to #three", "docs/a.md links to ../../d.md"]
        );
    }
}
