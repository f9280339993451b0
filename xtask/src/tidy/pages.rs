//! In the pages: what they may reach, and what each kind of entry needs.

use super::Project;

const SCRIPTS: [&str; 5] = ["ts", "js", "mjs", "svelte", "html"];

/// Tests name what they forbid, and are never part of a page.
fn shipped(path: &str) -> bool {
    !path.contains(".test.")
}

/// Where the platform that hosts the window is known; everything else runs in a plain browser too.
const PLATFORM: &str = "ui/src/platform/";

/// The host's packages are imported in one folder alone.
pub(super) fn host(project: &Project) -> Vec<String> {
    project
        .files_in(&["ui/src/"], &SCRIPTS)
        .filter(|(path, text)| shipped(path) && !path.starts_with(PLATFORM) && text.contains("@tauri-apps"))
        .map(|(path, _)| path.to_owned())
        .collect()
}

/// Ways to make markup of a text.
const RAW: [&str; 6] = ["{@html", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "srcdoc"];

/// Nothing makes markup of a text.
pub(super) fn raw_html(project: &Project) -> Vec<String> {
    let mut complaints = Vec::new();
    let files = project.files_in(&["ui/src/", "crates/server/page/"], &SCRIPTS);
    for (path, text) in files.filter(|(path, _)| shipped(path)) {
        for (at, line) in text.lines().enumerate() {
            for way in RAW.iter().filter(|way| line.contains(**way)) {
                complaints.push(format!("{path}:{} has {way}", at + 1));
            }
        }
    }
    complaints
}

const BODY: &str = "crates/protocol/src/body.rs";

/// Each kind that the protocol knows can be shown.
pub(super) fn entry_components(project: &Project) -> Vec<String> {
    let body = project.files.get(BODY).map(String::as_str).unwrap_or_default();
    let kinds = kinds(body);
    if kinds.is_empty() {
        return vec![format!("{BODY} has no `pub enum Body`")];
    }
    kinds
        .into_iter()
        // What this version doesn't know is shown by its preview.
        .filter(|kind| *kind != "Unknown")
        .map(|kind| format!("ui/src/entries/{kind}.svelte"))
        .filter(|component| !project.files.contains_key(component))
        .map(|component| format!("{component} is missing"))
        .collect()
}

fn kinds(body: &str) -> Vec<&str> {
    body.lines()
        .skip_while(|line| *line != "pub enum Body {")
        .skip(1)
        .take_while(|line| *line != "}")
        .filter_map(|line| line.trim().split_once('('))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_of_the_host_elsewhere_is_found() {
        let import = "import { invoke } from '@tauri-apps/api/core'";
        let project = Project::of(&[("ui/src/platform/tauri.ts", import), ("ui/src/App.svelte", import)]);
        assert_eq!(host(&project), ["ui/src/App.svelte"]);
    }

    #[test]
    fn raw_markup_is_found() {
        let project = Project::of(&[
            ("ui/src/entries/Text.svelte", "<p>\n{@html text}</p>"),
            ("crates/server/page/src/page.ts", "row.innerHTML = text"),
            ("ui/src/entries/Wait.svelte", "<p>{text}</p>"),
            ("ui/src/fences.test.ts", "expect(source).not.toContain('{@html')"),
        ]);
        assert_eq!(
            raw_html(&project),
            ["crates/server/page/src/page.ts:1 has innerHTML", "ui/src/entries/Text.svelte:2 has {@html"]
        );
    }

    #[test]
    fn a_kind_without_component_is_found() {
        let body = "#[serde]\npub enum Body {\n    /// A message (plain).\n    Text(Text),\n    #[serde(untagged)]\n    \
                    Unknown(Extra),\n    Note(Note),\n}\n";
        let project = Project::of(&[(BODY, body), ("ui/src/entries/Text.svelte", "")]);
        assert_eq!(entry_components(&project), ["ui/src/entries/Note.svelte is missing"]);
        assert_eq!(entry_components(&Project::default()).len(), 1, "none is no proof");
    }
}
